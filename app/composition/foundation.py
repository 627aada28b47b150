"""What all of it stands on: settings, the clock, metrics, tracing."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from importlib.metadata import version

from dependency_injector import containers, providers
from opentelemetry.sdk.trace import TracerProvider
from prometheus_client import CollectorRegistry

from app.composition.kinds import Base
from app.settings import Settings


async def open_tracing(*, endpoint: str) -> AsyncIterator[TracerProvider | None]:
    """What makes spans and sends them by OTLP to `endpoint`; None where it is empty."""
    if not endpoint:
        yield None
        return
    # Few processes need the exporter, and it takes long to load.
    from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.resources import SERVICE_NAME, Resource
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    provider = TracerProvider(resource=Resource.create({SERVICE_NAME: "workflow-engine"}))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(endpoint=endpoint)))
    try:
        yield provider
    finally:
        await asyncio.to_thread(provider.shutdown)


def _now() -> datetime:
    return datetime.now(UTC)


class Foundation(containers.DeclarativeContainer):
    """What all of it stands on: settings, the clock, metrics, tracing."""

    settings = providers.Dependency(instance_of=Settings)
    clock = providers.Object(_now)
    metrics_registry = providers.Singleton(CollectorRegistry)
    tracing = Base(open_tracing, endpoint=settings.provided.otel_exporter_otlp_endpoint)
    engine_version = providers.Callable(version, "workflow-engine")
