"""A thousand executions from fifty clients at once: all right, none lost, none doubled."""

import asyncio
import json
import statistics
import time
from collections.abc import Callable, Sequence

import grpc
import pytest
from google.protobuf.json_format import MessageToDict

from api.execution.v1.execution_pb2 import (
    Execution,
    GetExecutionRequest,
    ListExecutionsRequest,
    StartExecutionRequest,
)
from api.execution.v1.execution_pb2_grpc import ExecutionServiceStub
from api.template.v1.template_pb2 import CreateTemplateRequest
from api.template.v1.template_pb2_grpc import TemplateServiceStub
from server.service.convert.values import value_to_proto
from tests.fixtures.http_service import HttpService
from tests.fixtures.processes import Processes

CLIENTS = 50
EXECUTIONS = 1000


class Load:
    """Clients of one server, and how long their calls took, in seconds."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.starts: list[float] = []
        self.gets: list[float] = []
        self.outputs: dict[str, object] = {}

    async def run(self, service: str) -> list[str]:
        """Does it all, and gives the ids that the server lists in the end."""
        document = {"dsl": "1.0.0", "namespace": "default", "name": "load", "version": "1.0.0"}
        tasks = [
            {
                "fetch": {
                    "call": "http",
                    "with": {"method": "get", "endpoint": f"{service}/pets/{{id}}"},
                }
            },
            {"greet": {"set": {"id": "${ .id }", "greeting": '${ "hello " + .name }'}}},
        ]
        async with grpc.aio.insecure_channel(self.address) as channel:
            created = await TemplateServiceStub(channel).CreateTemplate(
                CreateTemplateRequest(config=json.dumps({"document": document, "do": tasks}))
            )
            share = EXECUTIONS // CLIENTS
            await asyncio.gather(
                *(
                    self._client(created.template.id, range(n * share, (n + 1) * share))
                    for n in range(CLIENTS)
                )
            )
            return await _list(ExecutionServiceStub(channel))

    async def _client(self, template_id: int, numbers: range) -> None:
        async with grpc.aio.insecure_channel(
            self.address, options=[("grpc.use_local_subchannel_pool", 1)]
        ) as channel:
            stub = ExecutionServiceStub(channel)
            for number in numbers:
                began = time.perf_counter()
                started = await stub.StartExecution(
                    StartExecutionRequest(
                        template_id=template_id, input=value_to_proto({"id": number})
                    )
                )
                self.starts.append(time.perf_counter() - began)
                execution = await self._await_end(stub, started.execution.id)
                assert execution.status == Execution.COMPLETED
                expected = {"id": number, "greeting": f"hello pet{number}"}
                assert MessageToDict(execution.output) == expected
                self.outputs[execution.id] = expected

    async def _await_end(self, stub: ExecutionServiceStub, id: str) -> Execution:
        """The ended execution, after a look at it on the way."""
        began = time.perf_counter()
        await stub.GetExecution(GetExecutionRequest(id=id))
        self.gets.append(time.perf_counter() - began)
        request = GetExecutionRequest(id=id)
        request.wait.FromSeconds(60)
        return (await stub.GetExecution(request)).execution


async def _list(stub: ExecutionServiceStub) -> list[str]:
    ids: list[str] = []
    token = ""
    while True:
        page = await stub.ListExecutions(ListExecutionsRequest(page_size=300, page_token=token))
        ids += [execution.id for execution in page.executions]
        token = page.next_page_token
        if not token:
            return ids


def _line(name: str, seconds: Sequence[float]) -> str:
    cuts = statistics.quantiles(seconds, n=100)
    return (
        f"{name}: p50 {cuts[49] * 1000:.0f} ms, p99 {cuts[98] * 1000:.0f} ms, {len(seconds)} calls"
    )


@pytest.mark.timeout(300)
def test_a_thousand_executions_from_fifty_clients(
    processes: Processes, http_service: HttpService, record_property: Callable[[str, object], None]
) -> None:
    processes.serve()
    processes.start("worker")
    load = Load(processes.grpc_address)
    began = time.perf_counter()
    listed = asyncio.run(load.run(http_service.url))
    took = time.perf_counter() - began
    assert len(listed) == EXECUTIONS
    assert set(listed) == set(load.outputs)
    assert sum(http_service.counts.values()) == EXECUTIONS
    kind = processes.settings["DATABASE_URL"].partition(":")[0]
    rate = f"{kind}: {EXECUTIONS / took:.0f} executions a second"
    record_property("figures", f"{rate}; {_line('Start', load.starts)}; {_line('Get', load.gets)}")
