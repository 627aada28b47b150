from collections.abc import AsyncIterator
from typing import Any

import grpc
import pytest
from google.protobuf.wrappers_pb2 import StringValue

from server.interceptors.chain import Call, Handler, Method, Middleware
from server.interceptors.errors import error_mapping
from tests.fixtures.chain import SERVICE, Serve, echo
from tests.fixtures.statuses import code_of, error_info, status_of


def noting(name: str, notes: list[str]) -> Middleware:
    def middleware(proceed: Handler, method: Method) -> Handler:
        notes.append(f"{name} wraps {method.path}")

        async def handle(request: Any, call: Call) -> Any:
            notes.append(f"{name} before")
            reply = await proceed(request, call)
            notes.append(f"{name} after")
            return reply

        return handle

    return middleware


async def joined(requests: AsyncIterator[StringValue], context: Any) -> StringValue:
    return StringValue(value=" ".join([request.value async for request in requests]))


async def letters(request: StringValue, context: Any) -> AsyncIterator[StringValue]:
    for letter in request.value:
        yield StringValue(value=letter)


async def written_letters(request: StringValue, context: Any) -> None:
    for letter in request.value:
        await context.write(StringValue(value=letter))


async def echoes(requests: AsyncIterator[StringValue], context: Any) -> AsyncIterator[StringValue]:
    async for request in requests:
        yield request


async def test_middleware_runs_in_order_and_is_wrapped_once_for_a_method(serve: Serve) -> None:
    notes: list[str] = []
    served = await serve(noting("outer", notes), noting("inner", notes), UnaryUnary=echo)
    for _ in range(2):
        assert (await served.unary_unary()).value == "hello"
    path = f"/{SERVICE}/UnaryUnary"
    around = ["outer before", "inner before", "inner after", "outer after"]
    assert notes == [f"inner wraps {path}", f"outer wraps {path}", *around, *around]


@pytest.mark.parametrize("behavior", [letters, written_letters])
async def test_a_stream_of_replies_passes_the_chain(serve: Serve, behavior: Any) -> None:
    notes: list[str] = []
    served = await serve(noting("one", notes), UnaryStream=behavior)
    assert [reply.value async for reply in served.unary_stream()] == list("hello")
    assert notes[1:] == ["one before", "one after"]


async def test_the_servicers_context_is_grpcs_own_in_all_else(serve: Serve) -> None:
    async def peer(request: Any, context: Any) -> StringValue:
        return StringValue(value=context.peer())

    served = await serve(UnaryUnary=peer)
    assert (await served.unary_unary()).value.startswith("ipv4:127.0.0.1:")


async def test_streams_of_requests_pass_the_chain(serve: Serve) -> None:
    served = await serve(error_mapping, StreamUnary=joined, StreamStream=echoes)
    requests = [StringValue(value=text) for text in ("a", "b")]
    options = {
        "request_serializer": StringValue.SerializeToString,
        "response_deserializer": StringValue.FromString,
    }
    one = served.channel.stream_unary(f"/{SERVICE}/StreamUnary", **options)
    assert (await one(iter(requests))).value == "a b"
    many = served.channel.stream_stream(f"/{SERVICE}/StreamStream", **options)
    assert [reply.value async for reply in many(iter(requests))] == ["a", "b"]


async def test_a_generator_is_closed_when_its_caller_leaves(serve: Serve) -> None:
    closed: list[bool] = []

    async def endless(request: Any, context: Any) -> AsyncIterator[StringValue]:
        try:
            while True:
                yield request
        finally:
            closed.append(True)

    served = await serve(error_mapping, UnaryStream=endless)
    call = served.unary_stream()
    await call.read()
    call.cancel()
    while not closed:
        await served.unary_stream().read()


async def test_a_method_that_nobody_serves_is_unimplemented(serve: Serve) -> None:
    served = await serve(error_mapping, UnaryUnary=echo)
    for path in (f"/{SERVICE}/Unknown", "/none.v1.None/Unknown"):
        status = await status_of(served.channel.unary_unary(path)(b""))
        assert code_of(status) is grpc.StatusCode.UNIMPLEMENTED
        assert path in status.message
        assert error_info(status).reason == "UNIMPLEMENTED"


async def test_a_function_that_is_not_async_is_unimplemented(serve: Serve) -> None:
    def generated(request: Any, context: Any) -> Any:
        raise NotImplementedError  # as the generated servicers do

    served = await serve(error_mapping, UnaryUnary=generated)
    assert code_of(await status_of(served.unary_unary())) is grpc.StatusCode.UNIMPLEMENTED
