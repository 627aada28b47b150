"""A span for each RPC, in the trace of its caller."""

from typing import Any

import grpc
import structlog
from opentelemetry import propagate
from opentelemetry.trace import SpanKind, Status, StatusCode, TracerProvider, format_trace_id

from server.interceptors.chain import Call, Handler, Method, Middleware

# What the semantic conventions count as a fault of the server's side.
_FAULTS = frozenset(
    {
        grpc.StatusCode.UNKNOWN,
        grpc.StatusCode.DEADLINE_EXCEEDED,
        grpc.StatusCode.UNIMPLEMENTED,
        grpc.StatusCode.INTERNAL,
        grpc.StatusCode.UNAVAILABLE,
        grpc.StatusCode.DATA_LOSS,
    }
)


def server_spans(provider: TracerProvider) -> Middleware:
    """Records a server span by OpenTelemetry's conventions for RPC.

    The caller's trace context comes in the metadata (W3C: traceparent, tracestate). Log lines of
    the call carry its `trace_id`.
    """
    tracer = provider.get_tracer(__name__)

    def middleware(proceed: Handler, method: Method) -> Handler:
        name = f"{method.service}/{method.name}" if method.known else "unknown"
        attributes = {"rpc.system.name": "grpc", "rpc.method": name}

        async def handle(request: Any, call: Call) -> Any:
            with tracer.start_as_current_span(
                name,
                context=propagate.extract(call.metadata),
                kind=SpanKind.SERVER,
                attributes=attributes,
                record_exception=False,
                set_status_on_exception=False,
            ) as span:
                trace_id = format_trace_id(span.get_span_context().trace_id)
                structlog.contextvars.bind_contextvars(trace_id=trace_id)
                try:
                    return await proceed(request, call)
                finally:
                    code = call.outcome.name
                    span.set_attribute("rpc.response.status_code", code)
                    if call.outcome in _FAULTS:
                        span.set_attribute("error.type", code)
                        span.set_status(Status(StatusCode.ERROR))

        return handle

    return middleware
