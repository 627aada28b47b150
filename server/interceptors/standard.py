"""The order in which an RPC passes the interceptors."""

from datetime import timedelta

from opentelemetry.trace import TracerProvider
from prometheus_client import CollectorRegistry

from server.interceptors.access_log import access_log
from server.interceptors.chain import Chain
from server.interceptors.deadline import deadlines
from server.interceptors.errors import error_mapping
from server.interceptors.metrics import rpc_metrics
from server.interceptors.request_id import request_ids
from server.interceptors.tracing import server_spans
from server.interceptors.validation import validation


def standard_chain(
    *,
    registry: CollectorRegistry,
    default_deadline: timedelta,
    tracer_provider: TracerProvider | None = None,
) -> Chain:
    """All interceptors, outermost first; without a `tracer_provider` there are no spans.

    What reports on a call stands outside the mapping of errors, and sees every outcome; what may
    refuse it stands inside.
    """
    return Chain(
        request_ids,
        *([server_spans(tracer_provider)] if tracer_provider else []),
        access_log,
        rpc_metrics(registry),
        error_mapping,
        deadlines(default_deadline),
        validation,
    )
