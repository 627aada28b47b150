import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import grpc
import pytest
from google.protobuf.wrappers_pb2 import StringValue
from structlog.testing import capture_logs

from server.interceptors.deadline import deadlines
from server.interceptors.errors import error_mapping
from tests.fixtures.chain import Serve, reporting
from tests.fixtures.statuses import code_of, error_info, status_of
from tests.patience import PATIENCE_SECONDS


async def test_a_call_without_a_deadline_gets_the_default(serve: Serve) -> None:
    cancelled = asyncio.Event()

    async def slow(request: Any, context: Any) -> StringValue:
        try:
            await asyncio.sleep(60)
        finally:
            cancelled.set()
        return StringValue()

    served = await serve(error_mapping, deadlines(timedelta(milliseconds=50)), UnaryUnary=slow)
    status = await status_of(served.unary_unary())
    assert code_of(status) is grpc.StatusCode.DEADLINE_EXCEEDED
    assert error_info(status).reason == "DEADLINE_EXCEEDED"
    assert cancelled.is_set()


async def test_a_callers_deadline_counts_instead_of_the_default(serve: Serve) -> None:
    async def slowish(request: Any, context: Any) -> StringValue:
        await asyncio.sleep(0.2)
        return StringValue()

    served = await serve(error_mapping, deadlines(timedelta(milliseconds=50)), UnaryUnary=slowish)
    assert await served.unary_unary(timeout=5) == StringValue()


async def test_a_deadline_of_the_caller_is_reported_as_such(serve: Serve) -> None:
    outcomes: asyncio.Queue[grpc.StatusCode] = asyncio.Queue()

    async def slow(request: Any, context: Any) -> StringValue:
        await asyncio.sleep(60)
        return StringValue()

    deadline = deadlines(timedelta(seconds=60))
    served = await serve(reporting(outcomes), error_mapping, deadline, UnaryUnary=slow)
    with pytest.raises(grpc.aio.AioRpcError) as failure:
        await served.unary_unary(timeout=0.1)
    assert failure.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED
    assert (
        await asyncio.wait_for(outcomes.get(), PATIENCE_SECONDS)
        is grpc.StatusCode.DEADLINE_EXCEEDED
    )


async def test_a_servicers_own_timeout_is_not_the_deadline(serve: Serve) -> None:
    async def impatient(request: Any, context: Any) -> None:
        raise TimeoutError

    served = await serve(error_mapping, deadlines(timedelta(seconds=60)), UnaryUnary=impatient)
    with capture_logs():
        assert code_of(await status_of(served.unary_unary())) is grpc.StatusCode.INTERNAL


async def test_streams_have_no_deadline(serve: Serve) -> None:
    async def slow(request: Any, context: Any) -> AsyncIterator[StringValue]:
        await asyncio.sleep(0.1)
        yield request

    served = await serve(error_mapping, deadlines(timedelta(milliseconds=20)), UnaryStream=slow)
    assert [reply.value async for reply in served.unary_stream()] == ["hello"]
