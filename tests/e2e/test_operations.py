"""What servers do in the background, as processes that can be killed."""

import asyncio
import time
import uuid
from collections.abc import Callable
from typing import Any

import pytest

from api.execution.v1.execution_pb2 import (
    BatchExecutionsRequest,
    BatchExecutionsResponse,
    Execution,
    GetOperationRequest,
    ListExecutionsRequest,
    StartExecutionRequest,
)
from api.template.v1.template_pb2 import CreateTemplateRequest
from app.client import Client, connect
from biz.executions.execution import ExecutionEnd, ExecutionStatus
from data.database import Database
from data.execution import PeeweeExecutionRepo
from tests.fixtures.definitions import GREET, definition
from tests.fixtures.processes import Processes
from tests.fixtures.repos import NOW, Clock, new_execution
from tests.patience import PATIENCE_SECONDS

ENDED = ExecutionEnd(status=ExecutionStatus.COMPLETED, output=None, error=None, ended_at=NOW)


def create_template(client: Client, *tasks: dict[str, Any]) -> int:
    request = CreateTemplateRequest(name=str(uuid.uuid4()), config=definition(*tasks))
    return client.templates.CreateTemplate(request).template.id


def start(client: Client, template: int, *, wait_seconds: int = 0) -> Execution:
    request = StartExecutionRequest(template_id=template)
    request.wait.FromSeconds(wait_seconds)
    return client.executions.StartExecution(request).execution


def listed(client: Client) -> list[str]:
    found = client.executions.ListExecutions(ListExecutionsRequest(page_size=1000))
    return [execution.id for execution in found.executions]


def until(holds: Callable[[], bool]) -> None:
    end = time.monotonic() + 2 * PATIENCE_SECONDS
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.1)


async def store_ended(url: str, count: int) -> None:
    """Stores executions that have ended, with histories, as if they had run."""
    database = Database(url=url)
    await database.open()
    repo = PeeweeExecutionRepo(database=database, clock=Clock())
    for number in range(count):
        id = f"e{number}"
        await repo.create(new_execution(id), None)
        await repo.record_end(id, ENDED)
    await database.close()


def test_a_batch_goes_on_when_its_server_is_killed(processes: Processes) -> None:
    asyncio.run(store_ended(processes.settings["DATABASE_URL"], 300))
    server = processes.serve()
    with connect(processes.grpc_address) as client:
        request = BatchExecutionsRequest(action=BatchExecutionsRequest.DELETE, filter={})
        operation = client.executions.BatchExecutions(request)
        until(lambda: len(listed(client)) < 300)
    server.kill()
    server.wait()

    processes.serve()
    with connect(processes.grpc_address) as client:
        get = GetOperationRequest(id=operation.name.removeprefix("operations/"))
        until(lambda: client.executions.GetOperation(get).done)
        response = BatchExecutionsResponse()
        assert client.executions.GetOperation(get).response.Unpack(response)
        assert (response.matched, response.succeeded, response.failed) == (300, 300, 0)
        assert listed(client) == []


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_a_server_keeps_the_last_ended_executions(processes: Processes) -> None:
    processes.settings["EXECUTION_RETENTION_COUNT"] = "2"
    processes.settings["RETENTION_SWEEP_SECONDS"] = "0.5"
    processes.serve()
    processes.start("worker")
    with connect(processes.grpc_address) as client:
        template = create_template(client, {"pause": {"wait": {"minutes": 5}}})
        live = start(client, template)
        short = create_template(client, GREET)
        ended = [start(client, short, wait_seconds=PATIENCE_SECONDS).id for _ in range(5)]
        until(lambda: set(listed(client)) == {live.id, *ended[-2:]})
