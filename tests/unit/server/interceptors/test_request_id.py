from typing import Any

import grpc
import pytest
import structlog
from google.protobuf.wrappers_pb2 import StringValue

from server.interceptors.errors import error_mapping
from server.interceptors.request_id import request_ids
from tests.fixtures.chain import Serve
from tests.fixtures.statuses import status_of


async def seen(request: Any, context: Any) -> StringValue:
    """Answers with the id that log lines would carry."""
    return StringValue(value=structlog.contextvars.get_contextvars()["request_id"])


async def test_the_callers_id_is_kept_and_sent_back(serve: Serve) -> None:
    served = await serve(request_ids, UnaryUnary=seen)
    call = served.unary_unary(metadata=(("x-request-id", "order-7/a"),))
    assert (await call).value == "order-7/a"
    assert dict(await call.trailing_metadata())["x-request-id"] == "order-7/a"


@pytest.mark.parametrize("given", ["x" * 129, "two words", ""])
async def test_an_id_that_is_not_sound_is_replaced(serve: Serve, given: str) -> None:
    served = await serve(request_ids, UnaryUnary=seen)
    reply = await served.unary_unary(metadata=(("x-request-id", given),))
    assert len(reply.value) == 36


async def test_each_call_without_an_id_gets_its_own(serve: Serve) -> None:
    served = await serve(request_ids, UnaryUnary=seen)
    assert await served.unary_unary() != await served.unary_unary()


async def test_a_refused_call_has_its_id_too(serve: Serve) -> None:
    async def failing(request: Any, context: Any) -> None:
        await context.abort(grpc.StatusCode.ABORTED, "no")

    served = await serve(request_ids, error_mapping, UnaryUnary=failing)
    call = served.unary_unary(metadata=(("x-request-id", "r-1"),))
    await status_of(call)
    assert dict(await call.trailing_metadata())["x-request-id"] == "r-1"
