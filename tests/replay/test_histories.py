"""The workflow code gives the same commands for the histories of earlier versions, and its own."""

from pathlib import Path

import pytest
from temporalio.client import Client, WorkflowHistory
from temporalio.worker import Replayer

from tests.fixtures.http_service import HttpService
from tests.replay.runs import record
from workflows.definition_workflow import DefinitionWorkflow

RECORDED = {
    f"{path.parent.name}-{path.stem}": path.read_text()
    for path in sorted((Path(__file__).parent / "histories").glob("*/*.json"))
}


@pytest.mark.parametrize("name", RECORDED)
async def test_a_recorded_history_replays(name: str) -> None:
    history = WorkflowHistory.from_json(name, RECORDED[name])
    await Replayer(workflows=[DefinitionWorkflow]).replay_workflow(history)


async def test_a_fresh_history_replays(temporal_address: str, http_service: HttpService) -> None:
    client = await Client.connect(temporal_address)
    replayer = Replayer(workflows=[DefinitionWorkflow])
    for history in (await record(client, http_service.url)).values():
        await replayer.replay_workflow(history)
