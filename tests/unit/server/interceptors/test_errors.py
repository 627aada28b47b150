import asyncio
import inspect
from typing import Any

import grpc
import pytest
import structlog
from google.protobuf.wrappers_pb2 import StringValue
from google.rpc import error_details_pb2
from grpc_status import rpc_status
from structlog.testing import capture_logs

from api.errors.v1.error_reason_pb2 import ErrorReason
from biz import errors
from server.interceptors.errors import CODES, error_mapping
from server.interceptors.request_id import request_ids
from tests.fixtures.chain import Serve, reporting
from tests.fixtures.statuses import code_of, detail, error_info, status_of, violations
from tests.patience import PATIENCE_SECONDS

CONCRETE = [
    error
    for _, error in inspect.getmembers(errors, inspect.isclass)
    if issubclass(error, errors.DomainError) and "reason" in vars(error)
]


def raising(error: BaseException) -> Any:
    async def behavior(request: Any, context: Any) -> Any:
        raise error

    return behavior


@pytest.mark.parametrize("error", CONCRETE, ids=lambda error: error.__name__)
def test_every_domain_error_has_a_code_and_a_reason_of_the_contract(
    error: type[errors.DomainError],
) -> None:
    assert any(kind in CODES for kind in error.__mro__)
    assert ErrorReason.Value(error.reason)


async def test_a_domain_error_becomes_its_code_with_reason_and_metadata(serve: Serve) -> None:
    error = errors.TemplateAlreadyExists("default", "greet", "1.0.0")
    served = await serve(error_mapping, UnaryUnary=raising(error))
    status = await status_of(served.unary_unary())
    assert code_of(status) is grpc.StatusCode.ALREADY_EXISTS
    assert status.message == error.message
    info = error_info(status)
    assert info.reason == "TEMPLATE_ALREADY_EXISTS"
    assert info.metadata == {"namespace": "default", "name": "greet", "version": "1.0.0"}


async def test_each_violation_is_named_with_its_pointer(serve: Serve) -> None:
    faults = [
        errors.Violation(field="name", code="too-long", message="is too long"),
        errors.Violation(field="config", code="unknown-task", message="no", pointer="/do/0/x"),
    ]
    served = await serve(error_mapping, UnaryUnary=raising(errors.InvalidDefinition(faults)))
    status = await status_of(served.unary_unary())
    assert code_of(status) is grpc.StatusCode.INVALID_ARGUMENT
    assert error_info(status).reason == "INVALID_DEFINITION"
    assert violations(status) == [("name", "TOO_LONG"), ("config#/do/0/x", "UNKNOWN_TASK")]
    fault = detail(status, error_details_pb2.BadRequest).field_violations[0]
    assert fault.description == "is too long"


async def test_more_violations_than_metadata_can_carry_are_counted(serve: Serve) -> None:
    faults = [
        errors.Violation(field="config", code="bad", message="ü" * 400, pointer=f"/do/{n}")
        for n in range(1000)
    ]
    error = errors.InvalidArgument(faults, "ü" * 5000)
    served = await serve(error_mapping, UnaryUnary=raising(error))
    status = await status_of(served.unary_unary())
    shown = violations(status)
    assert shown
    assert len(shown) + int(error_info(status).metadata["violations_left_out"]) == 1000
    assert status.message.endswith("…")


async def test_whatever_a_caller_sent_fits_into_its_refusal(serve: Serve) -> None:
    text = "ü\ud800" * 100_000
    fault = errors.Violation(field="config", code="bad", message=text, pointer=f"/{text}")
    for error in (errors.TemplateNotFound(text, name=text), errors.InvalidArgument([fault])):
        served = await serve(error_mapping, UnaryUnary=raising(error))
        status = await status_of(served.unary_unary())
        assert status.message.endswith("…")
        assert error_info(status).reason == error.reason


async def test_what_is_unavailable_says_when_to_try_again(serve: Serve) -> None:
    error = errors.DatabaseUnavailable("the database doesn't answer")
    served = await serve(error_mapping, UnaryUnary=raising(error))
    status = await status_of(served.unary_unary())
    assert code_of(status) is grpc.StatusCode.UNAVAILABLE
    assert detail(status, error_details_pb2.RetryInfo).retry_delay.seconds == 1


async def test_an_unforeseen_error_shows_its_text_only_to_the_log(serve: Serve) -> None:
    served = await serve(request_ids, error_mapping, UnaryUnary=raising(KeyError("s3cret")))
    with capture_logs([structlog.contextvars.merge_contextvars]) as lines:
        call = served.unary_unary(metadata=(("x-request-id", "r-1"),))
        status = await status_of(call)
    assert code_of(status) is grpc.StatusCode.INTERNAL
    assert b"s3cret" not in status.SerializeToString()
    assert b"KeyError" not in status.SerializeToString()
    assert error_info(status).metadata == {"request_id": "r-1"}
    (line,) = lines
    assert line["log_level"] == "error"
    assert line["request_id"] == "r-1"
    assert "s3cret" in str(line["exc_info"])


async def test_a_reply_that_is_no_message_is_an_unforeseen_error(serve: Serve) -> None:
    async def nothing(request: Any, context: Any) -> None:
        return None

    served = await serve(error_mapping, UnaryUnary=nothing)
    with capture_logs():
        status = await status_of(served.unary_unary())
    assert code_of(status) is grpc.StatusCode.INTERNAL


async def test_an_abort_keeps_its_status_and_gets_a_reason(serve: Serve) -> None:
    async def aborting(request: Any, context: Any) -> None:
        await context.abort(grpc.StatusCode.OUT_OF_RANGE, "too far", (("hint", "turn back"),))

    served = await serve(error_mapping, UnaryUnary=aborting)
    call = served.unary_unary()
    status = await status_of(call)
    assert code_of(status) is grpc.StatusCode.OUT_OF_RANGE
    assert status.message == "too far"
    assert error_info(status).reason == "OUT_OF_RANGE"
    assert ("hint", "turn back") in tuple(await call.trailing_metadata())


async def test_an_abort_that_has_details_keeps_them(serve: Serve) -> None:
    own = rpc_status.status_pb2.Status(code=8, message="full")
    own.details.add().Pack(error_details_pb2.QuotaFailure())

    async def aborting(request: Any, context: Any) -> None:
        await context.abort_with_status(rpc_status.to_status(own))

    served = await serve(error_mapping, UnaryUnary=aborting)
    assert await status_of(served.unary_unary()) == own


async def test_a_failure_in_the_middle_of_a_stream_has_a_status_too(serve: Serve) -> None:
    async def breaking(request: Any, context: Any) -> Any:
        yield request
        raise errors.EngineUnavailable("the engine doesn't answer")

    served = await serve(error_mapping, UnaryStream=breaking)
    status = await status_of(served.unary_stream())
    assert error_info(status).reason == "ENGINE_UNAVAILABLE"


async def test_the_cancellation_of_something_else_is_answered(serve: Serve) -> None:
    served = await serve(error_mapping, UnaryUnary=raising(asyncio.CancelledError()))
    with capture_logs():
        status = await status_of(served.unary_unary())
    assert code_of(status) is grpc.StatusCode.INTERNAL


async def test_a_caller_that_leaves_cancels_the_servicer(serve: Serve) -> None:
    began, cancelled = asyncio.Event(), asyncio.Event()

    async def waiting(request: Any, context: Any) -> StringValue:
        began.set()
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            cancelled.set()
            raise
        return StringValue()

    served = await serve(error_mapping, UnaryUnary=waiting)
    call = served.unary_unary()
    await began.wait()
    call.cancel()
    await asyncio.wait_for(cancelled.wait(), PATIENCE_SECONDS)


async def test_a_servicer_that_writes_on_after_its_caller_left_is_no_surprise(
    serve: Serve,
) -> None:
    ended: asyncio.Queue[grpc.StatusCode] = asyncio.Queue()

    async def stubborn(request: StringValue, context: Any) -> None:
        await context.write(request)
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            while True:
                await context.write(request)

    served = await serve(reporting(ended), error_mapping, UnaryStream=stubborn)
    with capture_logs() as lines:
        call = served.unary_stream()
        await call.read()
        call.cancel()
        assert await asyncio.wait_for(ended.get(), PATIENCE_SECONDS) is grpc.StatusCode.CANCELLED
    assert lines == []
