"""What a process opens at its start and closes at its end, a generator each."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import datetime, timedelta

import httpx
import structlog
from opentelemetry.sdk.trace import TracerProvider
from prometheus_client import CollectorRegistry, start_http_server
from temporalio.client import Client
from temporalio.contrib.opentelemetry import TracingInterceptor
from temporalio.worker import Worker

from app import execution_output
from app.execution_output import ProcessLog
from app.failure import Failure
from biz.errors import EngineUnavailable, Unavailable
from biz.event_starts import EventStarts
from biz.event_sweeper import EventSweeper
from biz.execution_log import LogRepo
from biz.history_relay import HistoryRelay, RelayRepo
from biz.lease import Lease
from biz.live import LiveHistory
from biz.log_writer import LogWriter
from biz.operation_runner import OperationRunner
from biz.reconciler import Reconciler
from biz.retention import RetentionSweeper
from biz.schedule_reconciler import ScheduleReconciler
from data.database import Database
from data.http_sink import HttpLifecycleSink
from data.migrator import Migrator, SchemaMismatch
from data.temporal import connect
from server.grpc_server import GrpcServer, ListenError
from server.live_metrics import live_metrics
from workflows.activities.asyncapi.subscriptions import Subscriptions
from workflows.activities.call_log_handler import CallLogHandler
from workflows.activities.event_sink import EventSink
from workflows.activities.expressions.expression_pool import ExpressionPool
from workflows.activities.http_calls.sender import HttpSender, new_http_client
from workflows.activities.processes.container_sweeper import ContainerSweeper
from workflows.activities.processes.runner import ProcessLimits, ProcessRunner, user_problem
from workflows.dry_run_pool import DryRunPool

_CONNECT_PAUSE_SECONDS = 1.0
_RELAY_INTERVAL = timedelta(seconds=1)
_LOG_FLUSH = timedelta(seconds=5)
_log = structlog.get_logger(__name__)


async def open_database(*, url: str, pool_size: int) -> AsyncIterator[Database]:
    """The database, whatever its schema."""
    database = Database(url=url, pool_size=pool_size)
    await database.open()
    try:
        yield database
    finally:
        await database.close()


async def checked_database(*, database: Database, migrator: Migrator) -> Database:
    """The database, whose schema is this version's; raises Failure."""
    try:
        await migrator.require_current()
    except SchemaMismatch as error:
        raise Failure(str(error)) from error
    except Unavailable as error:
        raise Failure(f"DATABASE_URL: {error.message}") from error
    return database


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


async def open_http_client(*, timeout_seconds: float) -> AsyncIterator[httpx.AsyncClient]:
    """What workflows call services with."""
    async with new_http_client(timeout_seconds=timeout_seconds) as client:
        yield client


async def open_call_logs(
    *, repo: LogRepo, clock: Callable[[], datetime]
) -> AsyncIterator[ProcessLog]:
    """What takes the log lines of calls; what is still to be stored at the end gets a moment."""
    writer = LogWriter(repo=repo, clock=clock)
    running = asyncio.create_task(writer.run(), name="the writer of logs")
    handler = CallLogHandler(silent=[execution_output.__name__])
    logging.getLogger().addHandler(handler)
    try:
        yield ProcessLog(then=writer)
    finally:
        logging.getLogger().removeHandler(handler)
        await writer.close(running, within=_LOG_FLUSH)


def make_event_sink(*, sender: HttpSender, url: str) -> EventSink | None:
    """Where emitted events go besides; None where no address is set."""
    return EventSink(sender=sender, url=url) if url else None


async def open_expression_pool(
    *, cpu_seconds: int, memory_mb: int
) -> AsyncIterator[ExpressionPool]:
    """What evaluates expressions that may not end by themselves."""
    pool = ExpressionPool(cpu_seconds=cpu_seconds, memory_mb=memory_mb)
    try:
        yield pool
    finally:
        await pool.close()


async def open_dry_runs(*, cpu_seconds: int, memory_mb: int) -> AsyncIterator[DryRunPool]:
    """What does dry runs."""
    pool = DryRunPool(cpu_seconds=cpu_seconds, memory_mb=memory_mb)
    try:
        yield pool
    finally:
        pool.close()


async def open_subscriptions() -> AsyncIterator[Subscriptions]:
    """What keeps subscriptions between the activities that take messages from them."""
    subscriptions = Subscriptions()
    try:
        yield subscriptions
    finally:
        await subscriptions.close()


async def open_process_runner(
    *, limits: ProcessLimits, user: str, at_once: int
) -> AsyncIterator[ProcessRunner]:
    """What runs programs for definitions; those that still run end with it."""
    if problem := user_problem(user):
        raise Failure(f"PROCESS_USER: {problem}")
    runner = ProcessRunner(limits=limits, user=user, at_once=at_once)
    sweeping = asyncio.create_task(runner.sweep(), name="the sweep of processes' folders")
    try:
        yield runner
    finally:
        sweeping.cancel()
        await asyncio.wait([sweeping])
        await runner.close()


async def run_container_sweeper(*, sweeper: ContainerSweeper, address: str) -> AsyncIterator[None]:
    """Runs it where there is a container engine."""
    if not address:
        yield
        return
    task = asyncio.create_task(sweeper.run(), name="the sweeper of containers")
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait([task])


async def serve_grpc(
    *, server: GrpcServer, grace: timedelta, live: LiveHistory
) -> AsyncIterator[GrpcServer]:
    """The server, listening; calls in flight get `grace` to end, but for those who only watch."""
    try:
        await server.start()
    except ListenError as error:
        raise Failure(f"GRPC_ADDRESS: {error}") from error
    try:
        yield server
    finally:
        await live.close()
        await server.stop(grace)


async def serve_metrics(
    *, address: str, registry: CollectorRegistry, live: LiveHistory
) -> AsyncIterator[None]:
    """Serves Prometheus what is in `registry`, on a thread of its own."""
    live_metrics(registry, live)
    host, _, port = address.rpartition(":")
    try:
        server, thread = start_http_server(int(port), host, registry)
    except OSError as error:
        raise Failure(f"METRICS_ADDRESS: can't listen on {address}: {error.strerror}") from error
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


async def run_event_sweeper(*, sweeper: EventSweeper) -> AsyncIterator[asyncio.Task[None]]:
    """The task in which it runs."""
    task = asyncio.create_task(sweeper.run(), name="the event sweeper")
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.wait([task])


async def run_retention_sweeper(*, sweeper: RetentionSweeper) -> AsyncIterator[asyncio.Task[None]]:
    """The task in which it runs."""
    task = asyncio.create_task(sweeper.run(), name="the retention sweeper")
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.wait([task])


async def run_operations(*, runner: OperationRunner) -> AsyncIterator[asyncio.Task[None]]:
    """The task in which it runs."""
    task = asyncio.create_task(runner.run(), name="the runner of operations")
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.wait([task])


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


async def run_reconciler(*, reconciler: Reconciler) -> AsyncIterator[asyncio.Task[None]]:
    """The task in which it runs."""
    task = asyncio.create_task(reconciler.run(), name="the reconciler")
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.wait([task])


async def run_event_starts(*, starts: EventStarts) -> AsyncIterator[asyncio.Task[None]]:
    """The task in which it runs."""
    task = asyncio.create_task(starts.run(), name="the starts by events")
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.wait([task])


async def run_schedule_reconciler(
    *, reconciler: ScheduleReconciler
) -> AsyncIterator[asyncio.Task[None]]:
    """The task in which it runs."""
    task = asyncio.create_task(reconciler.run(), name="the reconciler of schedules")
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.wait([task])


async def run_worker(*, worker: Worker) -> AsyncIterator[asyncio.Task[None]]:
    """The task in which it runs; at the end it takes no more work, and drains."""
    task = asyncio.create_task(worker.run(), name="the worker")
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.wait([task])
