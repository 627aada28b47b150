from typing import Any

import structlog
from google.protobuf.wrappers_pb2 import StringValue
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode

from biz.errors import EngineUnavailable, ExecutionNotFound
from server.interceptors.errors import error_mapping
from server.interceptors.tracing import server_spans
from tests.fixtures.chain import SERVICE, Serve
from tests.fixtures.statuses import status_of

TRACE_ID = "0af7651916cd43dd8448eb211c80319c"
PARENT_ID = "b7ad6b7169203331"


class Spans:
    """A tracer provider, and the spans that it has recorded."""

    def __init__(self) -> None:
        self._exporter = InMemorySpanExporter()
        self.provider = TracerProvider()
        self.provider.add_span_processor(SimpleSpanProcessor(self._exporter))

    def only(self) -> ReadableSpan:
        (span,) = self._exporter.get_finished_spans()
        return span


async def trace_in_log(request: Any, context: Any) -> StringValue:
    return StringValue(value=structlog.contextvars.get_contextvars()["trace_id"])


async def test_a_call_is_a_span_in_its_callers_trace(serve: Serve) -> None:
    spans = Spans()
    served = await serve(server_spans(spans.provider), error_mapping, UnaryUnary=trace_in_log)
    traceparent = f"00-{TRACE_ID}-{PARENT_ID}-01"
    reply = await served.unary_unary(metadata=(("traceparent", traceparent),))
    assert reply.value == TRACE_ID
    span = spans.only()
    assert span.name == f"{SERVICE}/UnaryUnary"
    assert span.kind is SpanKind.SERVER
    assert f"{span.context.trace_id:032x}" == TRACE_ID
    assert span.parent is not None
    assert f"{span.parent.span_id:016x}" == PARENT_ID
    assert dict(span.attributes or {}) == {
        "rpc.system.name": "grpc",
        "rpc.method": f"{SERVICE}/UnaryUnary",
        "rpc.response.status_code": "OK",
    }
    assert span.status.status_code is StatusCode.UNSET


async def test_a_call_without_a_trace_begins_one(serve: Serve) -> None:
    spans = Spans()
    served = await serve(server_spans(spans.provider), error_mapping, UnaryUnary=trace_in_log)
    reply = await served.unary_unary()
    span = spans.only()
    assert span.parent is None
    assert f"{span.context.trace_id:032x}" == reply.value


async def test_only_faults_of_the_service_are_errors_of_its_span(serve: Serve) -> None:
    for error, expected in (
        (EngineUnavailable("no answer"), StatusCode.ERROR),
        (ExecutionNotFound("e-1"), StatusCode.UNSET),
    ):
        spans = Spans()

        async def failing(request: Any, context: Any, error: Exception = error) -> None:
            raise error

        served = await serve(server_spans(spans.provider), error_mapping, UnaryUnary=failing)
        await status_of(served.unary_unary())
        assert spans.only().status.status_code is expected
