"""Temporal: the client, the engine and the timetable on it."""

import asyncio
from datetime import timedelta

import structlog
from dependency_injector import containers, providers
from opentelemetry.sdk.trace import TracerProvider
from temporalio.client import Client
from temporalio.contrib.opentelemetry import TracingInterceptor

from app.composition.foundation import Foundation
from app.composition.kinds import Base, seconds
from app.failure import Failure
from biz.errors import EngineUnavailable
from data.temporal import TemporalEngine, connect
from data.temporal_timetable import TemporalTimetable

_CONNECT_PAUSE_SECONDS = 1.0
_log = structlog.get_logger(__name__)
_settings = Foundation.settings.provided


async def temporal_answers(*, address: str, namespace: str, patience: timedelta) -> None:
    """Returns once Temporal answers; raises Failure where it doesn't within `patience`.

    Await it before a part that needs Temporal is opened. The container opens what a part stands on
    in tasks of its own, which a cancellation of the part doesn't reach.
    """
    waiting = False
    try:
        async with asyncio.timeout(patience.total_seconds()):
            while True:
                try:
                    await connect(address=address, namespace=namespace)
                    return
                except EngineUnavailable:
                    if not waiting:
                        _log.info("waiting for Temporal", address=address)
                    waiting = True
                    await asyncio.sleep(_CONNECT_PAUSE_SECONDS)
    except TimeoutError:
        raise _no_temporal(address) from None


async def connect_temporal(
    *, address: str, namespace: str, tracing: TracerProvider | None
) -> Client:
    """A client that has reached Temporal; raises Failure."""
    interceptors = [TracingInterceptor(tracing.get_tracer(__name__))] if tracing else []
    try:
        return await connect(address=address, namespace=namespace, interceptors=interceptors)
    except EngineUnavailable:
        raise _no_temporal(address) from None


def _no_temporal(address: str) -> Failure:
    return Failure(f"TEMPORAL_ADDRESS: no Temporal answers at {address}")


def _runs_url(ui_url: str, namespace: str) -> str:
    return f"{ui_url}/namespaces/{namespace}/workflows" if ui_url else ""


class Temporal(containers.DeclarativeContainer):
    """Temporal: the client, the engine and the timetable on it."""

    temporal_answers = providers.Coroutine(
        temporal_answers,
        address=_settings.temporal_address,
        namespace=_settings.temporal_namespace,
        patience=seconds(_settings.temporal_connect_seconds),
    )
    temporal_client = Base(
        connect_temporal,
        address=_settings.temporal_address,
        namespace=_settings.temporal_namespace,
        tracing=Foundation.tracing,
    )
    engine = providers.Singleton(
        TemporalEngine,
        client=temporal_client,
        task_queue=_settings.task_queue,
        version=Foundation.engine_version,
    )
    timetable = providers.Singleton(
        TemporalTimetable,
        client=temporal_client,
        task_queue=_settings.task_queue,
        clock=Foundation.clock,
    )
    runs_url = providers.Callable(
        _runs_url,
        _settings.temporal_ui_url,
        _settings.temporal_namespace,
    )
