"""What is killed comes back, and no execution is lost or started twice."""

import asyncio
import json
import time
from collections.abc import Sequence
from typing import Any

import grpc
import pytest
from google.protobuf.json_format import MessageToDict
from temporalio.client import Client as TemporalClient

from api.execution.v1.execution_pb2 import (
    Execution,
    GetExecutionRequest,
    ListExecutionsRequest,
    StartExecutionRequest,
)
from api.template.v1.template_pb2 import CreateTemplateRequest
from app.client import Client, connect
from app.failure import Failure
from tests.fixtures.http_service import HttpService
from tests.fixtures.processes import Processes


def create_template(client: Client, tasks: Sequence[dict[str, Any]], **extra: Any) -> int:
    document = {"dsl": "1.0.0", "namespace": "default", "name": "crash", "version": "1.0.0"}
    config = json.dumps({"document": document, "do": tasks, **extra})
    return client.templates.CreateTemplate(CreateTemplateRequest(config=config)).template.id


def await_end(client: Client, id: str) -> Execution:
    end = time.monotonic() + 150
    while time.monotonic() < end:
        request = GetExecutionRequest(id=id)
        request.wait.FromSeconds(20)
        execution = client.executions.GetExecution(request).execution
        if execution.HasField("ended_at"):
            return execution
    raise TimeoutError(id)


@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_run_starts_once_when_the_server_is_killed_around_its_start(
    processes: Processes, http_service: HttpService, temporal_address: str, moment: str
) -> None:
    crashing = processes.await_listening(
        processes.start(moment, program=("-m", "tests.e2e.crashing_server"))
    )
    call = {"call": "http", "with": {"method": "post", "endpoint": f"{http_service.url}/echo"}}
    with connect(processes.grpc_address) as client:
        template = create_template(client, [{"call": call}], output={"as": ".method"})
    request = StartExecutionRequest(template_id=template, request_id="once")
    with (
        pytest.raises((grpc.RpcError, Failure)),
        connect(processes.grpc_address) as client,
    ):
        client.executions.StartExecution(request)
    crashing.wait()
    processes.serve()
    processes.start("worker")
    with connect(processes.grpc_address) as client:
        again = client.executions.StartExecution(request).execution.id
        execution = await_end(client, again)
        stored = client.executions.ListExecutions(ListExecutionsRequest()).executions
    assert execution.status == Execution.COMPLETED
    assert MessageToDict(execution.output) == "POST"
    assert [one.id for one in stored] == [again]
    assert http_service.counts["/echo"] == 1
    assert asyncio.run(_runs_of(temporal_address, again)) == 1


async def _runs_of(temporal_address: str, id: str) -> int:
    client = await TemporalClient.connect(temporal_address)
    return len([run async for run in client.list_workflows(f'WorkflowId = "{id}"')])
