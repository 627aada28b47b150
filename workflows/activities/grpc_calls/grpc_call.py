"""Calls gRPC services (DSL reference, "gRPC Call")."""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Sequence
from typing import Any

import grpc
from google.protobuf.message import Message
from temporalio import activity

from biz.dsl.calls.grpc_call import GrpcCall
from biz.dsl.errors import TaskFault, WorkflowError
from biz.dsl.sizes import MAX_JSON_BYTES, json_size
from workflows.activities.authentication.authenticator import Authenticator
from workflows.activities.call_log import logged_request
from workflows.activities.documents import Documents
from workflows.activities.grpc_calls.descriptors import Descriptors, Method
from workflows.activities.grpc_calls.proto_compiler import ProtoCompiler
from workflows.activities.grpc_calls.reflection import reflect
from workflows.activities.performer import CallContext, Performer

_LONGEST_STREAM_SECONDS = 300
_MOST_MESSAGES = 10_000
_LARGEST_OUTPUT = 2 * MAX_JSON_BYTES
_KEPT_SECONDS = 60.0
_KEPT = 100

_STATUSES = {
    grpc.StatusCode.UNAUTHENTICATED: ("authentication", 401),
    grpc.StatusCode.PERMISSION_DENIED: ("authorization", 403),
    grpc.StatusCode.DEADLINE_EXCEEDED: ("timeout", 408),
    grpc.StatusCode.CANCELLED: ("communication", 499),
    grpc.StatusCode.INVALID_ARGUMENT: ("communication", 400),
    grpc.StatusCode.NOT_FOUND: ("communication", 404),
    grpc.StatusCode.ALREADY_EXISTS: ("communication", 409),
    grpc.StatusCode.RESOURCE_EXHAUSTED: ("communication", 429),
    grpc.StatusCode.FAILED_PRECONDITION: ("communication", 400),
    grpc.StatusCode.ABORTED: ("communication", 409),
    grpc.StatusCode.OUT_OF_RANGE: ("communication", 400),
    grpc.StatusCode.UNIMPLEMENTED: ("communication", 501),
    grpc.StatusCode.UNAVAILABLE: ("communication", 503),
}
"""The kind of error and its status by what a service answers; else communication and 500."""


class GrpcActivities:
    """Makes the calls of `call: grpc` tasks."""

    def __init__(
        self,
        *,
        performer: Performer,
        authenticator: Authenticator,
        documents: Documents,
        timeout_seconds: float,
        max_response_bytes: int,
    ) -> None:
        self._performer = performer
        self._authenticator = authenticator
        self._documents = documents
        self._timeout_seconds = timeout_seconds
        self._max_response_bytes = max_response_bytes
        self._compiler = ProtoCompiler()
        self._reflected: OrderedDict[tuple[str, bool, str], tuple[float, Descriptors]] = (
            OrderedDict()
        )

    @activity.defn(name=GrpcCall.KIND)
    async def call(self, call: GrpcCall, context: CallContext) -> Any:
        """The call's output."""

        async def send(call: GrpcCall) -> Any:
            with logged_request(_name(call)):
                return await self._send(call)

        return await self._performer.perform(call, context, send)

    async def _send(self, call: GrpcCall) -> Any:
        """The answer as a JSON value, an array of those of a stream; raises TaskFault."""
        metadata = await self._metadata(call)
        async with self._channel(call) as channel:
            try:
                async with asyncio.timeout(_LONGEST_STREAM_SECONDS):
                    descriptors = await self._descriptors(call, channel, metadata)
                    method = descriptors.method(call.service, call.method)
                    requests = [method.message(value) for value in _values(method, call.arguments)]
                    return _output(call, await self._exchange(channel, method, requests, metadata))
            except grpc.aio.AioRpcError as error:
                kind, status = _STATUSES.get(error.code(), ("communication", 500))
                said = f"{error.code().name}: {error.details() or 'no more than that'}"
                raise _fault(kind, f"{_name(call)} answered {said}", status=status) from None
            except TimeoutError:
                raise _fault("timeout", f"{_name(call)} didn't answer in time") from None

    async def _metadata(self, call: GrpcCall) -> grpc.aio.Metadata:
        metadata = grpc.aio.Metadata(("idempotency-key", call.idempotency_key))
        if call.authentication is not None:
            found = await self._authenticator.authorization(call.authentication)
            value = f"{found.scheme} {found.parameter}"
            if not value.isascii() or not value.isprintable():
                raise _fault("authentication", "the credentials have letters that gRPC can't send")
            metadata.add("authorization", value)
        return metadata

    def _channel(self, call: GrpcCall) -> grpc.aio.Channel:
        options = [
            ("grpc.max_receive_message_length", self._max_response_bytes),
            ("grpc.enable_http_proxy", 0),
            ("grpc.service_config_disable_resolution", 1),
            ("grpc.primary_user_agent", "workflow-engine"),
        ]
        target = f"{call.host}:{call.port}"
        if call.tls:
            return grpc.aio.secure_channel(target, grpc.ssl_channel_credentials(), options)
        return grpc.aio.insecure_channel(target, options)

    async def _descriptors(
        self, call: GrpcCall, channel: grpc.aio.Channel, metadata: grpc.aio.Metadata
    ) -> Descriptors:
        if not call.is_reflected:
            return await self._compiler.descriptors(await self._documents.fetch(call.proto))
        key = (f"{call.host}:{call.port}", call.tls, call.service)
        if (kept := self._reflected.get(key)) and time.monotonic() < kept[0]:
            return kept[1]
        descriptors = Descriptors(await reflect(channel, call.service, metadata))
        self._reflected[key] = (time.monotonic() + _KEPT_SECONDS, descriptors)
        self._reflected.move_to_end(key)
        if len(self._reflected) > _KEPT:
            self._reflected.popitem(last=False)
        return descriptors

    async def _exchange(
        self,
        channel: grpc.aio.Channel,
        method: Method,
        requests: Sequence[Message],
        metadata: grpc.aio.Metadata,
    ) -> Any:
        """The value of the answer, or those of a stream."""
        types: dict[str, Any] = {
            "request_serializer": method.request.SerializeToString,
            "response_deserializer": method.response.FromString,
        }
        timeout = self._timeout_seconds
        if not method.gives_stream:
            if method.takes_stream:
                sending = channel.stream_unary(method.path, **types)
                answer = await sending(iter(requests), timeout=timeout, metadata=metadata)
            else:
                asking = channel.unary_unary(method.path, **types)
                answer = await asking(requests[0], timeout=timeout, metadata=metadata)
            return method.value(answer)
        if method.takes_stream:
            both = channel.stream_stream(method.path, **types)
            return await self._all(method, both(iter(requests), metadata=metadata))
        answers = channel.unary_stream(method.path, **types)
        return await self._all(method, answers(requests[0], metadata=metadata))

    async def _all(self, method: Method, answers: Any) -> Sequence[Any]:
        """The values of a stream, as far as it may be long."""
        values: list[Any] = []
        size = 0
        try:
            while True:
                async with asyncio.timeout(self._timeout_seconds):
                    answer = await answers.read()
                if answer is grpc.aio.EOF:
                    return values
                values.append(method.value(answer))
                size += answer.ByteSize()
                if len(values) > _MOST_MESSAGES or size > self._max_response_bytes:
                    limit = f"{_MOST_MESSAGES} messages or {self._max_response_bytes} bytes"
                    detail = f"{method.path[1:]} answered more than {limit}"
                    raise _fault("communication", detail)
        finally:
            answers.cancel()


def _values(method: Method, arguments: Any) -> Sequence[Any]:
    """The requests: what `messages` has for a method that takes a stream, else the arguments."""
    if method.takes_stream and arguments.keys() == {"messages"}:
        messages = arguments["messages"]
        if isinstance(messages, list):
            return messages
    return [arguments]


def _output(call: GrpcCall, output: Any) -> Any:
    if json_size(output) > _LARGEST_OUTPUT:
        raise _fault("communication", f"{_name(call)} answered more than {_LARGEST_OUTPUT} bytes")
    return output


def _name(call: GrpcCall) -> str:
    return f"{call.service}/{call.method} at {call.host}:{call.port}"


def _fault(kind: str, detail: str, *, status: int | None = None) -> TaskFault:
    return TaskFault(WorkflowError.standard(kind, detail, status=status))
