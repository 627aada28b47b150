from typing import Any

import grpc
import pytest
from google.protobuf.wrappers_pb2 import StringValue
from grpc_health.v1 import health_pb2
from structlog.contextvars import merge_contextvars
from structlog.testing import capture_logs

from server.interceptors.access_log import access_log
from server.interceptors.errors import error_mapping
from server.interceptors.request_id import request_ids
from tests.fixtures.chain import SERVICE, Serve, echo
from tests.fixtures.statuses import status_of


async def test_each_call_is_one_line(serve: Serve) -> None:
    served = await serve(request_ids, access_log, error_mapping, UnaryUnary=echo)
    with capture_logs([merge_contextvars]) as lines:
        await served.unary_unary(metadata=(("x-request-id", "r-1"),))
    (line,) = lines
    assert line["event"] == "rpc"
    assert line["method"] == f"/{SERVICE}/UnaryUnary"
    assert line["code"] == "OK"
    assert line["request_id"] == "r-1"
    assert line["peer"].startswith("ipv4:127.0.0.1:")
    assert 0 <= line["duration_ms"] < 5000
    assert line["log_level"] == "info"


@pytest.mark.parametrize(
    ("code", "level"),
    [
        (grpc.StatusCode.NOT_FOUND, "info"),
        (grpc.StatusCode.UNAVAILABLE, "warning"),
        (grpc.StatusCode.INTERNAL, "error"),
    ],
)
async def test_the_level_says_whose_fault_it_was(
    serve: Serve, code: grpc.StatusCode, level: str
) -> None:
    async def failing(request: Any, context: Any) -> None:
        await context.abort(code, "no")

    served = await serve(access_log, error_mapping, UnaryUnary=failing)
    with capture_logs() as lines:
        await status_of(served.unary_unary())
    assert [(line["code"], line["log_level"]) for line in lines] == [(code.name, level)]


async def test_a_stream_is_one_line_at_its_end(serve: Serve) -> None:
    async def twice(request: StringValue, context: Any) -> Any:
        yield request
        yield request

    served = await serve(access_log, error_mapping, UnaryStream=twice)
    with capture_logs() as lines:
        assert len([reply async for reply in served.unary_stream()]) == 2
    assert [line["code"] for line in lines] == ["OK"]


async def test_health_checks_are_for_debugging_only(serve: Serve) -> None:
    served = await serve(access_log, error_mapping)
    check = served.channel.unary_unary(
        "/grpc.health.v1.Health/Check",
        request_serializer=health_pb2.HealthCheckRequest.SerializeToString,
    )
    with capture_logs() as lines:
        await check(health_pb2.HealthCheckRequest())
    assert [line["log_level"] for line in lines] == ["debug"]
