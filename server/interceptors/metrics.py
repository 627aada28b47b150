"""Rate, errors and duration of RPCs, under the names that dashboards for gRPC expect."""

import time
from functools import cache
from typing import Any

import grpc
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from server.interceptors.chain import Call, Handler, Method, Middleware

_LABELS = ("grpc_type", "grpc_service", "grpc_method")
# Seconds; the last ones are for calls that wait for the end of an execution.
_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 90)


def rpc_metrics(registry: CollectorRegistry) -> Middleware:
    """Counts calls in `registry`, which must not hold these metrics yet.

    All methods that nobody serves count as one, so that callers can't invent label values.
    """
    started = Counter(
        "grpc_server_started_total", "RPCs that have begun.", _LABELS, registry=registry
    )
    handled = Counter(
        "grpc_server_handled_total",
        "RPCs that have ended, by status code.",
        (*_LABELS, "grpc_code"),
        registry=registry,
    )
    seconds = Histogram(
        "grpc_server_handling_seconds",
        "How long RPCs took.",
        _LABELS,
        registry=registry,
        buckets=_BUCKETS,
    )
    in_flight = Gauge("grpc_server_in_flight", "RPCs under way.", _LABELS, registry=registry)

    def middleware(proceed: Handler, method: Method) -> Handler:
        labels = _labels(method)
        method_started = started.labels(*labels)
        method_seconds = seconds.labels(*labels)
        method_in_flight = in_flight.labels(*labels)

        @cache
        def method_handled(code: grpc.StatusCode) -> Counter:
            return handled.labels(*labels, code.name)

        async def handle(request: Any, call: Call) -> Any:
            method_started.inc()
            method_in_flight.inc()
            began = time.perf_counter()
            try:
                return await proceed(request, call)
            finally:
                method_seconds.observe(time.perf_counter() - began)
                method_in_flight.dec()
                method_handled(call.outcome).inc()

        return handle

    return middleware


def _labels(method: Method) -> tuple[str, str, str]:
    if not method.known:
        return "unknown", "unknown", "unknown"
    requests = "stream" if method.request_streaming else "unary"
    replies = "stream" if method.response_streaming else "unary"
    kind = {
        "unary_unary": "unary",
        "unary_stream": "server_stream",
        "stream_unary": "client_stream",
        "stream_stream": "bidi_stream",
    }[f"{requests}_{replies}"]
    return kind, method.service, method.name
