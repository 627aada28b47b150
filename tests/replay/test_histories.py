"""The workflow code gives the same commands for the histories of earlier versions, and its own."""

from pathlib import Path

import pytest
from temporalio.client import Client, WorkflowHistory
from temporalio.worker import Replayer

from tests.fixtures.http_service import HttpService
from tests.replay.runs import record
from workflows.definition_workflow import DefinitionWorkflow

RECORDED = sorted((Path(__file__).parent / "histories").glob("*/*.json"))


@pytest.mark.parametrize("path", RECORDED, ids=lambda path: f"{path.parent.name}-{path.stem}")
async def test_a_recorded_history_replays(path: Path) -> None:
    history = WorkflowHistory.from_json(path.stem, path.read_text())
    await Replayer(workflows=[DefinitionWorkflow]).replay_workflow(history)


async def test_a_fresh_history_replays(temporal_address: str, http_service: HttpService) -> None:
    client = await Client.connect(temporal_address)
    replayer = Replayer(workflows=[DefinitionWorkflow])
    for history in (await record(client, http_service.url)).values():
        await replayer.replay_workflow(history)
