"""Watching executions through Envoy, with server and worker as processes of their own."""

import asyncio
import json
import random
import signal
import uuid
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import grpc
import grpc.aio
import pytest

from api.execution.v1.execution_pb2 import StartExecutionRequest, WatchExecutionRequest
from api.execution.v1.execution_pb2_grpc import ExecutionServiceStub
from api.template.v1.template_pb2 import CreateTemplateRequest
from api.template.v1.template_pb2_grpc import TemplateServiceStub
from tests.fixtures.envoy import StartEnvoy
from tests.fixtures.http_service import HttpService
from tests.fixtures.processes import Process, Processes
from tests.fixtures.statuses import code_of, error_info, status_of
from tests.fixtures.watchers import CutOff, HttpWatcher

RUNS = 10
CALLS = 10
WATCHERS_OF_A_RUN = 20
EVENTS = 2 + 3 * CALLS


class Service:
    """A server and a worker, behind gRPC and Envoy."""

    def __init__(self, processes: Processes, envoy: StartEnvoy) -> None:
        self.processes = processes
        self.server: Process = processes.serve()
        self.worker = processes.start("worker")
        port = int(processes.grpc_address.rpartition(":")[2])
        self.http_url = envoy(grpc_port=port)

    async def start(self, tasks: Sequence[Any], *, runs: int = 1) -> list[str]:
        """The ids of runs of these tasks."""
        name = f"watched-{uuid.uuid4()}"
        document = {"dsl": "1.0.0", "namespace": "test", "name": name, "version": "1.0.0"}
        config = json.dumps({"document": document, "do": tasks})
        async with grpc.aio.insecure_channel(self.processes.grpc_address) as channel:
            made = await TemplateServiceStub(channel).CreateTemplate(
                CreateTemplateRequest(config=config)
            )
            request = StartExecutionRequest(template_id=made.template.id)
            executions = ExecutionServiceStub(channel)
            return [(await executions.StartExecution(request)).execution.id for _ in range(runs)]


@pytest.fixture
def service(processes: Processes, envoy: StartEnvoy) -> Service:
    return Service(processes, envoy)


def call(path: str) -> dict[str, Any]:
    return {"call": "http", "with": {"method": "get", "endpoint": path}}


async def watch_over_grpc(stub: ExecutionServiceStub, id: str) -> list[int]:
    records = [
        record async for record in stub.WatchExecution(WatchExecutionRequest(id=id), timeout=120)
    ]
    assert records[-1].end.last_sequence == len(records) - 1
    return [record.event.sequence for record in records[:-1]]


async def test_two_hundred_watchers_each_see_every_event_once_and_in_order(
    service: Service, http_service: HttpService
) -> None:
    chance = random.Random(5)
    tasks = [{f"call{n}": call(f"{http_service.url}/pets/{n}")} for n in range(CALLS)]
    ids = await service.start(tasks, runs=RUNS)
    over_http = [
        HttpWatcher(service.http_url, id) for id in ids for _ in range(WATCHERS_OF_A_RUN // 2)
    ]
    async with grpc.aio.insecure_channel(service.processes.grpc_address) as channel:
        stub = ExecutionServiceStub(channel)
        _, over_grpc = await asyncio.gather(
            asyncio.gather(
                *(each.watch(cut_after=chance.randint(1, EVENTS)) for each in over_http)
            ),
            asyncio.gather(
                *(watch_over_grpc(stub, id) for id in ids for _ in range(WATCHERS_OF_A_RUN // 2))
            ),
        )
    expected = [*range(1, EVENTS + 1)]
    assert [each.sequences for each in over_http] == [expected] * len(over_http)
    assert over_grpc == [expected] * len(over_grpc)
    assert {each.end["status"] for each in over_http if each.end} == {"COMPLETED"}


async def test_the_start_of_a_long_call_is_seen_within_a_second(
    service: Service, http_service: HttpService
) -> None:
    (id,) = await service.start([{"slow": call(f"{http_service.url}/slow/3")}])
    watcher = HttpWatcher(service.http_url, id)
    await watcher.watch()
    (delay,) = [
        came - datetime.fromisoformat(event["time"]).astimezone(UTC).timestamp()
        for event, came in watcher.seen
        if event["type"].endswith("task.started.v1")
    ]
    assert delay < 1


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_a_server_that_stops_says_where_to_go_on(
    service: Service, http_service: HttpService
) -> None:
    tasks = [{"pause": {"wait": {"seconds": 3}}}, {"done": {"set": {"n": 1}}}]
    (id,) = await service.start(tasks)
    async with grpc.aio.insecure_channel(service.processes.grpc_address) as channel:
        stream = ExecutionServiceStub(channel).WatchExecution(WatchExecutionRequest(id=id))
        over_http = asyncio.create_task(HttpWatcher(service.http_url, id).watch())
        async for record in stream:
            if record.event.task == "/do/0/pause":
                break
        service.server.send_signal(signal.SIGTERM)
        status = await status_of(stream)
    assert code_of(status) is grpc.StatusCode.UNAVAILABLE
    assert error_info(status).reason == "SERVER_UNAVAILABLE"
    seen = int(error_info(status).metadata["after_sequence"])
    assert seen >= 2
    with pytest.raises(CutOff):
        await over_http
    await asyncio.to_thread(service.server.wait)

    service.processes.serve()
    later = HttpWatcher(service.http_url, id)
    await later.watch()
    assert later.end is not None
    assert later.end["last_sequence"] == str(len(later.seen))
