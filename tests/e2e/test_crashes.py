"""What is killed comes back, and no execution is lost or started twice."""

import asyncio
import json
import random
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
from server.service.convert.values import value_to_proto
from tests.fixtures.http_service import HttpService
from tests.fixtures.processes import Processes

CALLS = 20
KILLS = 20
SEED = 20_261_124


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


@pytest.mark.timeout(600)
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_run_ends_right_when_its_worker_is_killed_again_and_again(
    processes: Processes, http_service: HttpService
) -> None:
    """Twenty kills, at seeded points of a run of twenty calls: in calls, and between them."""
    http_service.delay = 0.05
    call = {
        "call": "http",
        "with": {"method": "post", "endpoint": f"{http_service.url}/pets/{{next}}"},
        "output": {"as": "{next: (.id + 1)}"},
        "export": {"as": "{ids: (($context.ids // []) + [$output.next - 1])}"},
    }
    tasks = [{f"call{n}": call} for n in range(CALLS)]
    chance = random.Random(SEED)
    processes.serve()
    worker = processes.start("worker")
    with connect(processes.grpc_address) as client:
        template = create_template(client, tasks, output={"as": "$context.ids"})
        request = StartExecutionRequest(template_id=template, input=value_to_proto({"next": 0}))
        started = client.executions.StartExecution(request).execution
        for point in sorted(chance.choices(range(1, CALLS), k=KILLS)):
            while len(http_service.counts) < point:
                time.sleep(0.005)
            time.sleep(chance.uniform(0, 0.1))
            worker.kill()
            worker.wait()
            worker = processes.start("worker")
        ended = await_end(client, started.id)
    assert ended.status == Execution.COMPLETED
    assert MessageToDict(ended.output) == list(range(CALLS))
    counts = [http_service.counts[f"/pets/{id}"] for id in range(CALLS)]
    assert min(counts) == 1, "a call that no kill met is made once"
    assert sum(counts) <= CALLS + KILLS, "a kill repeats one call at most"
    keys: dict[str, set[str]] = {}
    for path, key in http_service.keys:
        keys.setdefault(path, set()).add(key)
    assert all(len(each) == 1 for each in keys.values()), "a repeated call keeps its key"


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
