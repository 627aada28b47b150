import asyncio
from typing import Any

from google.protobuf.wrappers_pb2 import StringValue
from prometheus_client import CollectorRegistry

from biz.errors import ExecutionNotFound
from server.interceptors.errors import error_mapping
from server.interceptors.metrics import rpc_metrics
from tests.fixtures.chain import SERVICE, Serve, echo
from tests.fixtures.statuses import status_of

LABELS = {"grpc_type": "unary", "grpc_service": SERVICE, "grpc_method": "UnaryUnary"}


async def test_calls_are_counted_by_method_and_code(serve: Serve) -> None:
    async def sometimes(request: StringValue, context: Any) -> StringValue:
        if request.value == "missing":
            raise ExecutionNotFound(request.value)
        return request

    registry = CollectorRegistry()
    served = await serve(rpc_metrics(registry), error_mapping, UnaryUnary=sometimes)
    await served.unary_unary()
    await served.unary_unary()
    await status_of(served.unary_unary(StringValue(value="missing")))

    def handled(code: str) -> float | None:
        return registry.get_sample_value("grpc_server_handled_total", {**LABELS, "grpc_code": code})

    assert registry.get_sample_value("grpc_server_started_total", LABELS) == 3
    assert handled("OK") == 2
    assert handled("NOT_FOUND") == 1
    assert registry.get_sample_value("grpc_server_handling_seconds_count", LABELS) == 3


async def test_a_call_is_in_flight_until_it_ends(serve: Serve) -> None:
    began, go_on = asyncio.Event(), asyncio.Event()

    async def waiting(request: StringValue, context: Any) -> StringValue:
        began.set()
        await go_on.wait()
        return request

    registry = CollectorRegistry()
    served = await serve(rpc_metrics(registry), error_mapping, UnaryUnary=waiting)
    call = served.unary_unary()
    await began.wait()
    assert registry.get_sample_value("grpc_server_in_flight", LABELS) == 1
    go_on.set()
    await call
    assert registry.get_sample_value("grpc_server_in_flight", LABELS) == 0


async def test_invented_methods_make_no_new_labels(serve: Serve) -> None:
    registry = CollectorRegistry()
    served = await serve(rpc_metrics(registry), error_mapping, UnaryUnary=echo)
    for number in range(3):
        await status_of(served.channel.unary_unary(f"/invented.v1.No{number}/Call")(b""))
    unknown = {"grpc_type": "unknown", "grpc_service": "unknown", "grpc_method": "unknown"}
    assert registry.get_sample_value("grpc_server_started_total", unknown) == 3
    names = {
        sample.labels.get("grpc_service")
        for metric in registry.collect()
        for sample in metric.samples
    }
    assert names == {"unknown"}
