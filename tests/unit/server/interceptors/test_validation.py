from typing import Any

import grpc
import pytest
from google.protobuf.duration_pb2 import Duration
from google.protobuf.message import Message
from google.protobuf.struct_pb2 import Value
from google.protobuf.timestamp_pb2 import Timestamp
from google.protobuf.wrappers_pb2 import BytesValue, StringValue

from api.execution.v1.execution_pb2 import (
    BatchExecutionsRequest,
    Execution,
    ListExecutionsRequest,
    StartExecutionRequest,
)
from server.interceptors.errors import error_mapping
from tests.fixtures.chain import SERVICE, Serve, Served
from tests.fixtures.statuses import code_of, error_info, status_of, violations


def nested(levels: int, *, lists: bool = False) -> Value:
    """A number within this many objects, or lists."""
    value = Value()
    innermost = value
    for _ in range(levels):
        if lists:
            innermost = innermost.list_value.values.add()
        else:
            innermost = innermost.struct_value.fields["a"]
    innermost.number_value = 1
    return value


def with_input(value: Value) -> bytes:
    """A StartExecutionRequest as bytes; the classes themselves refuse to hold what is too deep."""
    as_first_field = BytesValue(value=value.SerializeToString()).SerializeToString()
    tag = StartExecutionRequest.INPUT_FIELD_NUMBER << 3 | 2
    return bytes([tag]) + as_first_field[1:]


async def accepted(request: Any, context: Any) -> StringValue:
    return StringValue(value=type(request).__name__)


async def serving(serve: Serve, kind: type[Message]) -> Served:
    return await serve(error_mapping, request=kind, UnaryUnary=accepted)


@pytest.mark.parametrize(
    ("request_", "expected"),
    [
        (StartExecutionRequest(template_name="a\0b"), ("template_name", "NUL")),
        (StartExecutionRequest(labels={"k": "\0"}), ("labels#/k", "NUL")),
        (StartExecutionRequest(labels={"~/": "\0"}), ("labels#/~0~1", "NUL")),
        (ListExecutionsRequest(labels=["a=b", "\0"]), ("labels#/1", "NUL")),
        (
            BatchExecutionsRequest(filter=BatchExecutionsRequest.Filter(namespace="\0")),
            ("filter#/namespace", "NUL"),
        ),
        (
            StartExecutionRequest(wait=Duration(seconds=1, nanos=-1)),
            ("wait", "OUT_OF_RANGE"),
        ),
        (StartExecutionRequest(wait=Duration(seconds=2**62)), ("wait", "OUT_OF_RANGE")),
        (
            ListExecutionsRequest(created_after=Timestamp(seconds=2**60)),
            ("created_after", "OUT_OF_RANGE"),
        ),
    ],
)
async def test_what_no_request_may_hold_is_refused_where_it_stands(
    serve: Serve, request_: Message, expected: tuple[str, str]
) -> None:
    served = await serving(serve, type(request_))
    status = await status_of(served.unary_unary(request_))
    assert code_of(status) is grpc.StatusCode.INVALID_ARGUMENT
    assert error_info(status).reason == "INVALID_ARGUMENT"
    assert violations(status) == [expected]


@pytest.mark.parametrize(
    "request_",
    [
        StartExecutionRequest(),
        StartExecutionRequest(input=nested(32)),
        StartExecutionRequest(input=Value(number_value=-1.5e300), template_name="ü\n"),
        StartExecutionRequest(wait=Duration(seconds=-1, nanos=-1)),
        ListExecutionsRequest(
            created_after=Timestamp(seconds=-62135596800), status=[Execution.RUNNING]
        ),
    ],
)
async def test_what_may_be_odd_but_is_sound_passes(serve: Serve, request_: Message) -> None:
    served = await serving(serve, type(request_))
    assert (await served.unary_unary(request_)).value == type(request_).__name__


async def test_every_fault_is_named(serve: Serve) -> None:
    served = await serving(serve, StartExecutionRequest)
    request = StartExecutionRequest(template_name="\0", business_key="\0")
    status = await status_of(served.unary_unary(request))
    assert violations(status) == [("template_name", "NUL"), ("business_key", "NUL")]


@pytest.mark.parametrize(
    "raw",
    [
        b"\xff\xff",
        with_input(nested(34)),
        with_input(nested(90, lists=True)),
        b"\x1a\x03\xed\xa0\x80",  # a lone surrogate in template_name
    ],
)
async def test_what_cannot_be_decoded_is_the_callers_fault(serve: Serve, raw: bytes) -> None:
    served = await serving(serve, StartExecutionRequest)
    status = await status_of(served.channel.unary_unary(f"/{SERVICE}/UnaryUnary")(raw))
    assert code_of(status) is grpc.StatusCode.INVALID_ARGUMENT
    assert violations(status) == [("", "UNDECODABLE")]
    for leak in ("upb", "protobuf", "class", "Error parsing"):
        assert leak not in status.message


async def test_each_message_of_a_stream_is_checked(serve: Serve) -> None:
    async def count(requests: Any, context: Any) -> StringValue:
        return StringValue(value=str(len([request async for request in requests])))

    served = await serve(error_mapping, StreamUnary=count)
    call = served.channel.stream_unary(
        f"/{SERVICE}/StreamUnary",
        request_serializer=StringValue.SerializeToString,
        response_deserializer=StringValue.FromString,
    )
    assert (await call(iter([StringValue(), StringValue()]))).value == "2"
    status = await status_of(call(iter([StringValue(), StringValue(value="\0")])))
    assert violations(status) == [("value", "NUL")]
