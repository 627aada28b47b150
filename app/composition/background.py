"""What a server does besides answering: it reconciles, sweeps, relays and starts."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import datetime, timedelta

import httpx
from dependency_injector import containers, providers

from app.composition.calls import Calls
from app.composition.foundation import Foundation
from app.composition.kinds import Part, hours, run, seconds
from app.composition.storage import Storage
from app.composition.temporal import Temporal
from app.composition.usecases import Usecases
from biz.events.starts import EventStarts
from biz.events.sweeper import EventSweeper
from biz.executions.history_end import HistoryEnds
from biz.executions.reconciler import Reconciler
from biz.history.relay import HistoryRelay, RelayRepo
from biz.lease import Lease
from biz.retention.sweeper import RetentionPolicy, RetentionSweeper
from biz.schedules.reconciler import ScheduleReconciler
from data.http_sink import HttpLifecycleSink

_RELAY_INTERVAL = timedelta(seconds=1)
_settings = Foundation.settings.provided


async def run_history_relay(
    *,
    url: str,
    repo: RelayRepo,
    client: httpx.AsyncClient,
    lease: Lease,
    clock: Callable[[], datetime],
) -> AsyncIterator[Sequence[asyncio.Task[None]]]:
    """The task in which it runs, where there is a sink."""
    if not url:
        yield ()
        return
    relay = HistoryRelay(
        repo=repo,
        sink=HttpLifecycleSink(client=client, url=url),
        lease=lease,
        clock=clock,
        interval=_RELAY_INTERVAL,
    )
    task = asyncio.create_task(relay.run(), name="the history relay")
    try:
        yield (task,)
    finally:
        task.cancel()
        await asyncio.wait([task])


class Background(containers.DeclarativeContainer):
    """What a server does besides answering: it reconciles, sweeps, relays and starts."""

    reconciler = Part(
        run,
        name="the reconciler",
        runner=providers.Singleton(
            Reconciler,
            repo=Storage.execution_repo,
            engine=Temporal.engine,
            runs=Usecases.execution_runs,
            control=Usecases.execution_control,
            history_ends=providers.Singleton(
                HistoryEnds,
                repo=Storage.history_end_repo,
                engine=Temporal.engine,
                clock=Foundation.clock,
            ),
            clock=Foundation.clock,
            interval=seconds(_settings.reconcile_seconds),
            sweep_interval=seconds(_settings.reconcile_sweep_seconds),
            pending_grace=seconds(_settings.reconcile_pending_seconds),
        ),
    )
    schedule_reconciler = Part(
        run,
        name="the reconciler of schedules",
        runner=providers.Singleton(
            ScheduleReconciler,
            repo=Storage.schedule_repo,
            scheduling=Usecases.scheduling,
            timetable=Temporal.timetable,
            clock=Foundation.clock,
            interval=seconds(_settings.reconcile_seconds),
            sweep_interval=seconds(_settings.reconcile_sweep_seconds),
        ),
    )
    event_starts = Part(
        run,
        name="the starts by events",
        runner=providers.Singleton(
            EventStarts,
            repo=Storage.event_schedule_repo,
            templates=Storage.template_repo,
            runs=Usecases.execution_runs,
            evaluator=Calls.expression_pool,
            news=Usecases.event_news,
            clock=Foundation.clock,
        ),
    )
    event_sweeper = Part(
        run,
        name="the event sweeper",
        runner=providers.Singleton(
            EventSweeper,
            repo=Storage.event_repo,
            events=Usecases.events,
            clock=Foundation.clock,
            interval=seconds(_settings.reconcile_seconds),
            retention=hours(_settings.event_retention_hours),
        ),
    )
    retention_sweeper = Part(
        run,
        name="the retention sweeper",
        runner=providers.Singleton(
            RetentionSweeper,
            repo=Storage.removal_repo,
            lease=providers.Singleton(
                Lease, repo=Storage.lease_repo, name="retention", clock=Foundation.clock
            ),
            clock=Foundation.clock,
            interval=seconds(_settings.retention_sweep_seconds),
            executions=providers.Factory(
                RetentionPolicy,
                age=hours(_settings.execution_retention_hours),
                count=_settings.execution_retention_count,
            ),
            histories=providers.Factory(
                RetentionPolicy,
                age=hours(_settings.history_retention_hours),
                count=_settings.history_retention_count,
            ),
        ),
    )
    operation_runner = Part(
        run, name="the runner of operations", runner=Usecases.operations_at_work
    )
    history_relay = Part(
        run_history_relay,
        url=_settings.history_sink_url,
        repo=Storage.relay_repo,
        client=Calls.http_client,
        lease=providers.Singleton(
            Lease, repo=Storage.lease_repo, name="history-relay", clock=Foundation.clock
        ),
        clock=Foundation.clock,
    )
