"""The chain that every RPC passes: Kratos's middleware for grpc.aio.

A handler is a coroutine from a request to a reply; a middleware makes a new handler of the next
one. That happens once for each method, so what a middleware can know of a method beforehand costs
a call nothing. One form serves all four kinds of RPC: of a stream of requests the handler gets an
iterator, and a stream of replies is written to the call, with nothing left to return.

On the outside the chain deals in bytes: decoding and encoding happen within it, where a failure is
answered like any other.
"""

import inspect
from collections.abc import Awaitable, Callable, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from functools import reduce
from typing import Any, NoReturn

import grpc
import grpc.aio

# The metadata of a call as grpc.aio wants it.
Metadata = tuple[tuple[str, str | bytes], ...]


class CallAborted(Exception):
    """Ends a call with this status, which the chain sends once all middleware have seen it.

    A servicer's `context.abort` raises it too.
    """

    def __init__(
        self, code: grpc.StatusCode, details: str = "", trailing_metadata: Metadata = ()
    ) -> None:
        super().__init__(details)
        self.code = code
        self.details = details
        self.trailing_metadata = trailing_metadata


@dataclass(frozen=True, slots=True, kw_only=True)
class Method:
    """What is known of a method before it is called.

    `path` is `/package.Service/Method`. A method that nobody serves has `known` False, and neither
    `decode` nor `encode` does anything.
    """

    path: str
    known: bool
    request_streaming: bool
    response_streaming: bool
    decode: Callable[[bytes], Any]
    encode: Callable[[Any], bytes]

    @property
    def service(self) -> str:
        """The full name of the service."""
        return self.path.rpartition("/")[0].removeprefix("/")

    @property
    def name(self) -> str:
        """The name of the method within its service."""
        return self.path.rpartition("/")[2]


class Call:
    """One RPC under way; a servicer gets it as its context.

    It is the grpc.aio.ServicerContext, except that aborting leaves the sending of the status to the
    chain, and that `write` encodes. `outcome` is the status code once the call has ended.
    """

    __slots__ = ("_metadata", "context", "method", "outcome", "request_id")

    def __init__(self, context: Any, method: Method) -> None:
        self.context = context
        self.method = method
        self.request_id = ""
        self.outcome = grpc.StatusCode.OK
        self._metadata: Mapping[str, str | bytes] | None = None

    def __getattr__(self, name: str) -> Any:
        return getattr(self.context, name)

    @property
    def metadata(self) -> Mapping[str, str | bytes]:
        """What the caller sent beside the request; of a key sent twice, the last."""
        if self._metadata is None:
            self._metadata = dict(self.context.invocation_metadata())
        return self._metadata

    async def write(self, reply: Any) -> None:
        """Sends one message of a stream of replies."""
        await self.context.write(self.method.encode(reply))

    async def abort(
        self, code: grpc.StatusCode, details: str = "", trailing_metadata: Metadata = ()
    ) -> NoReturn:
        """Raises CallAborted."""
        raise CallAborted(code, details, tuple(trailing_metadata))

    async def abort_with_status(self, status: grpc.Status) -> NoReturn:
        """Raises CallAborted."""
        raise CallAborted(status.code, status.details, tuple(status.trailing_metadata or ()))


Handler = Callable[[Any, Call], Awaitable[Any]]
Middleware = Callable[[Handler, Method], Handler]


class Chain(grpc.aio.ServerInterceptor):
    """Wraps the handler of each method in middleware, the first one outermost.

    The innermost must turn the bytes of a request into a message. Methods are resolved once, so a
    server has one chain and no other interceptor.
    """

    def __init__(self, *middleware: Middleware) -> None:
        self._middleware = middleware
        self._handlers: dict[str, Any] = {}

    async def intercept_service(self, continuation: Any, handler_call_details: Any) -> Any:
        """The wrapped handler; one that answers UNIMPLEMENTED for a method that nobody serves."""
        path = handler_call_details.method
        handler = self._handlers.get(path)
        if handler is None:
            served = await continuation(handler_call_details)
            if served is None:
                return self._wrap(_unknown(path), _unimplemented)
            handler = self._wrap(_known(path, served), _behavior(served))
            self._handlers[path] = handler
        return handler

    def _wrap(self, method: Method, behavior: Callable[[Any, Any], Any]) -> Any:
        handle: Handler = reduce(
            lambda inner, middleware: middleware(inner, method),
            reversed(self._middleware),
            _endpoint(method, behavior),
        )

        async def serve(request: Any, context: Any) -> Any:
            try:
                return await handle(request, Call(context, method))
            except CallAborted as aborted:
                code, details, trailers = aborted.code, aborted.details, aborted.trailing_metadata
            # gRPC keeps the exception of an abort in a cycle: what it leads to stays in memory for
            # a while. So it is raised outside the block above, and this frame drops the request.
            del request
            return await context.abort(code, details, (*context.trailing_metadata(), *trailers))

        return _MAKERS[method.request_streaming, method.response_streaming](serve)


_MAKERS: Mapping[tuple[bool, bool], Callable[[Any], Any]] = {
    (False, False): grpc.unary_unary_rpc_method_handler,
    (False, True): grpc.unary_stream_rpc_method_handler,
    (True, False): grpc.stream_unary_rpc_method_handler,
    (True, True): grpc.stream_stream_rpc_method_handler,
}


def _known(path: str, served: Any) -> Method:
    return Method(
        path=path,
        known=True,
        request_streaming=served.request_streaming,
        response_streaming=served.response_streaming,
        decode=served.request_deserializer,
        encode=served.response_serializer,
    )


def _unknown(path: str) -> Method:
    # As a stream of streams it can be refused before anything of the request is read.
    return Method(
        path=path,
        known=False,
        request_streaming=True,
        response_streaming=True,
        decode=bytes,
        encode=bytes,
    )


def _behavior(served: Any) -> Callable[[Any, Any], Any]:
    """The servicer's own function."""
    behavior: Callable[[Any, Any], Any] = (
        served.unary_unary or served.unary_stream or served.stream_unary or served.stream_stream
    )
    if inspect.iscoroutinefunction(behavior) or inspect.isasyncgenfunction(behavior):
        return behavior
    # All servicers are async: a plain function is the generated one that nobody has overridden.
    return _unimplemented


async def _unimplemented(request: Any, call: Call) -> None:
    raise CallAborted(
        grpc.StatusCode.UNIMPLEMENTED, f"{call.method.path} is not implemented by this server"
    )


def _endpoint(method: Method, behavior: Callable[[Any, Any], Any]) -> Handler:
    """The innermost handler: calls the servicer."""
    if inspect.isasyncgenfunction(behavior):

        async def generate(request: Any, call: Call) -> None:
            async with aclosing(behavior(request, call)) as replies:
                async for reply in replies:
                    await call.write(reply)

        return generate
    if method.response_streaming:
        return behavior

    async def answer(request: Any, call: Call) -> bytes:
        return method.encode(await behavior(request, call))

    return answer
