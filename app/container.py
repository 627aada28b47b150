"""The composition root: what everything is made of. No other module knows the container."""

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from importlib.metadata import version
from typing import Any, TypeVar

from dependency_injector import containers, providers
from prometheus_client import CollectorRegistry

from api.admin.v1.admin_pb2_grpc import add_AdminServiceServicer_to_server
from api.execution.v1.execution_pb2_grpc import add_ExecutionServiceServicer_to_server
from api.template.v1.template_pb2_grpc import add_TemplateServiceServicer_to_server
from api.workflow.v1.workflow_pb2_grpc import add_WorkflowServiceServicer_to_server
from app import resources
from app.execution_output import ProcessLog
from app.settings import Settings
from biz.batch_verbs import batch_verbs
from biz.child_execution import ChildExecutionUsecase
from biz.dry_run import DryRunUsecase
from biz.event import EventUsecase
from biz.event_starts import EventStarts
from biz.event_sweeper import EventSweeper
from biz.execution import ExecutionUsecase
from biz.execution_control import ExecutionControl
from biz.execution_log import ExecutionLogUsecase, ToldRecorder
from biz.execution_retry import RetryUsecase
from biz.execution_runs import ExecutionRuns
from biz.history import HistoryUsecase
from biz.history_end import HistoryEnds
from biz.lease import Lease
from biz.live import LiveHistory
from biz.operation import OperationUsecase
from biz.operation_runner import OperationRunner
from biz.paging import PageTokens
from biz.picture import PictureUsecase
from biz.reconciler import Reconciler
from biz.removal import RemovalUsecase
from biz.retention import RetentionPolicy, RetentionSweeper
from biz.schedule import ScheduleUsecase
from biz.schedule_reconciler import ScheduleReconciler
from biz.scheduling import Scheduling
from biz.statistics import StatisticsUsecase
from biz.template import TemplateUsecase
from biz.template_alias import TemplateAliasUsecase
from biz.workflow import WorkflowUsecase
from data.checkpoint import PeeweeCheckpointRepo
from data.event import PeeweeEventRepo
from data.execution import PeeweeExecutionRepo
from data.execution_control import PeeweeWishRepo
from data.execution_log import PeeweeExecutionLogRepo
from data.history import PeeweeHistoryRepo
from data.history_changes import DatabaseHistoryChanges
from data.history_end import PeeweeHistoryEndRepo
from data.history_relay import PeeweeRelayRepo
from data.lease import PeeweeLeaseRepo
from data.live import PeeweeLiveHistoryRepo
from data.migrator import Migrator
from data.operation import PeeweeOperationRepo
from data.removal import PeeweeRemovalRepo
from data.schedule import PeeweeScheduleRepo
from data.schedule_events import PeeweeEventScheduleRepo
from data.secrets import LocalSecrets
from data.signing_key import PeeweeSigningKey
from data.statistics import PeeweeStatisticsRepo
from data.template import PeeweeTemplateRepo
from data.template_alias import PeeweeTemplateAliasRepo
from data.temporal import TemporalEngine
from data.temporal_timetable import TemporalTimetable
from server.grpc_server import GrpcServer, Service
from server.interceptors.standard import standard_chain
from server.service.admin import AdminService
from server.service.execution import ExecutionService
from server.service.template import TemplateService
from server.service.workflow import WorkflowService
from workflows.activities.a2a.a2a_call import A2aActivities
from workflows.activities.asyncapi.asyncapi_call import PublishActivities, ReceiveActivities
from workflows.activities.asyncapi.asyncapi_http import HttpMessages
from workflows.activities.authentication.authenticator import Authenticator
from workflows.activities.authentication.token_request import TokenClient
from workflows.activities.authentication.tokens import TokenSource
from workflows.activities.call_completer import CallCompleter
from workflows.activities.checkpoints import CheckpointActivities
from workflows.activities.child_call import ChildActivities
from workflows.activities.documents import Documents
from workflows.activities.emission import EmissionActivities
from workflows.activities.expressions.evaluation import EvaluationActivities
from workflows.activities.fetch_call import FetchActivities
from workflows.activities.grpc_calls.grpc_call import GrpcActivities
from workflows.activities.http_calls.http_call import HttpActivities
from workflows.activities.http_calls.sender import HttpSender
from workflows.activities.listening import ListeningActivities
from workflows.activities.mcp.mcp_call import McpActivities
from workflows.activities.openapi.openapi_call import OpenApiActivities
from workflows.activities.performer import Performer
from workflows.activities.processes.container_engine import ContainerEngine
from workflows.activities.processes.container_process import ContainerActivities
from workflows.activities.processes.container_sweeper import ContainerSweeper
from workflows.activities.processes.policy import ProcessPolicy
from workflows.activities.processes.runner import ProcessLimits
from workflows.activities.processes.script_process import ScriptActivities
from workflows.activities.processes.shell_process import ShellActivities
from workflows.activities.recording import RecordingActivities
from workflows.activities.scheduled_starts import ScheduledStartActivities
from workflows.worker import build_worker


class Base(providers.Resource[Any]):
    """What others stand on: opened before them, closed after them."""


class Part(providers.Resource[Any]):
    """What takes work in: closed first."""


def _now() -> datetime:
    return datetime.now(UTC)


def _seconds(number: float) -> timedelta:
    return timedelta(seconds=number)


def _hours(number: int) -> timedelta:
    return timedelta(hours=number)


def _runs_url(ui_url: str, namespace: str) -> str:
    return f"{ui_url}/namespaces/{namespace}/workflows" if ui_url else ""


class Container(containers.DeclarativeContainer):
    """Made anew for each process, with its settings; tests override what they like.

    A part is opened by calling its provider, and with it all that it needs.
    """

    settings = providers.Dependency(instance_of=Settings)
    clock = providers.Object(_now)
    metrics_registry = providers.Singleton(CollectorRegistry)
    tracing = Base(resources.open_tracing, endpoint=settings.provided.otel_exporter_otlp_endpoint)

    database = Base(
        resources.open_database,
        url=settings.provided.database_url,
        pool_size=settings.provided.database_pool_size,
    )
    migrator = providers.Singleton(Migrator, database=database)
    checked_database = Base(resources.checked_database, database=database, migrator=migrator)
    template_repo = providers.Singleton(PeeweeTemplateRepo, database=checked_database)
    template_alias_repo = providers.Singleton(PeeweeTemplateAliasRepo, database=checked_database)
    execution_repo = providers.Singleton(
        PeeweeExecutionRepo,
        database=checked_database,
        clock=clock,
        has_history_sink=providers.Callable(bool, settings.provided.history_sink_url),
    )
    event_repo = providers.Singleton(PeeweeEventRepo, database=checked_database)
    checkpoint_repo = providers.Singleton(
        PeeweeCheckpointRepo, database=checked_database, clock=clock
    )
    lease_repo = providers.Singleton(PeeweeLeaseRepo, database=checked_database)
    signing_key = providers.Singleton(PeeweeSigningKey, database=checked_database)

    temporal_answers = providers.Coroutine(
        resources.temporal_answers,
        address=settings.provided.temporal_address,
        namespace=settings.provided.temporal_namespace,
        patience=providers.Callable(_seconds, settings.provided.temporal_connect_seconds),
    )
    temporal_client = Base(
        resources.connect_temporal,
        address=settings.provided.temporal_address,
        namespace=settings.provided.temporal_namespace,
        tracing=tracing,
    )
    engine_version = providers.Callable(version, "workflow-engine")
    engine = providers.Singleton(
        TemporalEngine,
        client=temporal_client,
        task_queue=settings.provided.task_queue,
        version=engine_version,
    )
    timetable = providers.Singleton(
        TemporalTimetable,
        client=temporal_client,
        task_queue=settings.provided.task_queue,
        clock=clock,
    )

    page_tokens = providers.Singleton(PageTokens, signing_key=signing_key)
    execution_runs = providers.Singleton(
        ExecutionRuns, repo=execution_repo, engine=engine, clock=clock
    )
    schedule_repo = providers.Singleton(PeeweeScheduleRepo, database=checked_database)
    scheduling = providers.Singleton(
        Scheduling,
        repo=schedule_repo,
        templates=template_repo,
        versions=template_alias_repo,
        executions=execution_repo,
        runs=execution_runs,
        timetable=timetable,
        clock=clock,
    )
    schedules = providers.Singleton(
        ScheduleUsecase,
        repo=schedule_repo,
        scheduling=scheduling,
        page_tokens=page_tokens,
        clock=clock,
    )
    templates = providers.Singleton(
        TemplateUsecase,
        repo=template_repo,
        watcher=scheduling,
        page_tokens=page_tokens,
        clock=clock,
    )
    template_aliases = providers.Singleton(
        TemplateAliasUsecase,
        repo=template_alias_repo,
        templates=template_repo,
        page_tokens=page_tokens,
        clock=clock,
    )
    execution_control = providers.Singleton(
        ExecutionControl,
        repo=providers.Singleton(PeeweeWishRepo, database=checked_database),
        runs=execution_runs,
        engine=engine,
        clock=clock,
    )
    executions = providers.Singleton(
        ExecutionUsecase,
        repo=execution_repo,
        templates=templates,
        aliases=template_aliases,
        runs=execution_runs,
        page_tokens=page_tokens,
        clock=clock,
    )
    history_repo = providers.Singleton(PeeweeHistoryRepo, database=checked_database)
    retries = providers.Singleton(
        RetryUsecase,
        repo=execution_repo,
        checkpoints=checkpoint_repo,
        aliases=template_aliases,
        runs=execution_runs,
        engine=engine,
        clock=clock,
    )
    history = providers.Singleton(
        HistoryUsecase,
        repo=history_repo,
        executions=execution_repo,
        page_tokens=page_tokens,
    )
    log_repo = providers.Singleton(PeeweeExecutionLogRepo, database=checked_database)
    logs = providers.Singleton(
        ExecutionLogUsecase, repo=log_repo, executions=execution_repo, page_tokens=page_tokens
    )
    live = providers.Singleton(
        LiveHistory,
        repo=providers.Singleton(PeeweeLiveHistoryRepo, database=checked_database),
        changes=providers.Singleton(DatabaseHistoryChanges, database=checked_database),
        clock=clock,
        max_watchers=settings.provided.max_watchers,
    )
    event_news = providers.Singleton(asyncio.Event)
    events = providers.Singleton(
        EventUsecase,
        repo=event_repo,
        executions=execution_repo,
        engine=engine,
        clock=clock,
        news=event_news,
    )
    removal_repo = providers.Singleton(PeeweeRemovalRepo, database=checked_database, clock=clock)
    removal = providers.Singleton(RemovalUsecase, repo=removal_repo)
    verbs = providers.Singleton(
        batch_verbs, control=execution_control, retries=retries, removal=removal
    )
    operation_repo = providers.Singleton(PeeweeOperationRepo, database=checked_database)
    operations_at_work = providers.Singleton(
        OperationRunner,
        repo=operation_repo,
        leases=lease_repo,
        verbs=verbs,
        clock=clock,
        interval=providers.Callable(_seconds, settings.provided.reconcile_seconds),
        retention=providers.Callable(_hours, settings.provided.operation_retention_hours),
    )
    operations = providers.Singleton(
        OperationUsecase,
        repo=operation_repo,
        wake=operations_at_work.provided.wake,
        page_tokens=page_tokens,
        clock=clock,
    )
    workflows = providers.Singleton(WorkflowUsecase)
    pictures = providers.Singleton(
        PictureUsecase,
        templates=template_repo,
        aliases=template_aliases,
        executions=execution_repo,
        history=history_repo,
    )

    template_service = providers.Singleton(
        TemplateService, templates=templates, aliases=template_aliases
    )
    runs_url = providers.Callable(
        _runs_url, settings.provided.temporal_ui_url, settings.provided.temporal_namespace
    )
    execution_service = providers.Singleton(
        ExecutionService,
        executions=executions,
        control=execution_control,
        retries=retries,
        history=history,
        logs=logs,
        events=events,
        removal=removal,
        operations=operations,
        live=live,
        statistics=providers.Singleton(
            StatisticsUsecase,
            repo=providers.Singleton(PeeweeStatisticsRepo, database=checked_database),
            clock=clock,
        ),
        runs_url=runs_url,
    )
    workflow_service = providers.Singleton(
        WorkflowService,
        workflows=workflows,
        pictures=pictures,
        dry_runs=providers.Singleton(
            DryRunUsecase,
            templates=templates,
            runner=Base(
                resources.open_dry_runs,
                cpu_seconds=settings.provided.dry_run_cpu_seconds,
                memory_mb=settings.provided.dry_run_memory_mb,
            ),
            clock=clock,
        ),
        schedules=schedules,
        runs_url=runs_url,
        clock=clock,
    )
    admin_service = providers.Singleton(AdminService)
    services = providers.List(
        providers.Factory(
            Service,
            name="api.template.v1.TemplateService",
            add=add_TemplateServiceServicer_to_server,
            servicer=template_service,
        ),
        providers.Factory(
            Service,
            name="api.execution.v1.ExecutionService",
            add=add_ExecutionServiceServicer_to_server,
            servicer=execution_service,
        ),
        providers.Factory(
            Service,
            name="api.workflow.v1.WorkflowService",
            add=add_WorkflowServiceServicer_to_server,
            servicer=workflow_service,
        ),
        providers.Factory(
            Service,
            name="api.admin.v1.AdminService",
            add=add_AdminServiceServicer_to_server,
            servicer=admin_service,
        ),
    )
    drain = providers.Callable(_seconds, settings.provided.drain_seconds)
    grpc_server = Part(
        resources.serve_grpc,
        server=providers.Singleton(
            GrpcServer,
            address=settings.provided.grpc_address,
            services=services,
            chain=providers.Singleton(
                standard_chain,
                registry=metrics_registry,
                default_deadline=providers.Callable(
                    _seconds, settings.provided.rpc_deadline_seconds
                ),
                tracer_provider=tracing,
            ),
        ),
        grace=drain,
        live=live,
    )
    metrics = Part(
        resources.serve_metrics,
        address=settings.provided.metrics_address,
        registry=metrics_registry,
        live=live,
    )
    event_sweeper = Part(
        resources.run_event_sweeper,
        sweeper=providers.Singleton(
            EventSweeper,
            repo=event_repo,
            events=events,
            clock=clock,
            interval=providers.Callable(_seconds, settings.provided.reconcile_seconds),
            retention=providers.Callable(_hours, settings.provided.event_retention_hours),
        ),
    )
    operation_runner = Part(resources.run_operations, runner=operations_at_work)
    retention_sweeper = Part(
        resources.run_retention_sweeper,
        sweeper=providers.Singleton(
            RetentionSweeper,
            repo=removal_repo,
            lease=providers.Singleton(Lease, repo=lease_repo, name="retention", clock=clock),
            clock=clock,
            interval=providers.Callable(_seconds, settings.provided.retention_sweep_seconds),
            executions=providers.Factory(
                RetentionPolicy,
                age=providers.Callable(_hours, settings.provided.execution_retention_hours),
                count=settings.provided.execution_retention_count,
            ),
            histories=providers.Factory(
                RetentionPolicy,
                age=providers.Callable(_hours, settings.provided.history_retention_hours),
                count=settings.provided.history_retention_count,
            ),
        ),
    )
    reconciler = Part(
        resources.run_reconciler,
        reconciler=providers.Singleton(
            Reconciler,
            repo=execution_repo,
            engine=engine,
            runs=execution_runs,
            control=execution_control,
            history_ends=providers.Singleton(
                HistoryEnds,
                repo=providers.Singleton(PeeweeHistoryEndRepo, database=checked_database),
                engine=engine,
                clock=clock,
            ),
            clock=clock,
            interval=providers.Callable(_seconds, settings.provided.reconcile_seconds),
            sweep_interval=providers.Callable(_seconds, settings.provided.reconcile_sweep_seconds),
            pending_grace=providers.Callable(_seconds, settings.provided.reconcile_pending_seconds),
        ),
    )
    schedule_reconciler = Part(
        resources.run_schedule_reconciler,
        reconciler=providers.Singleton(
            ScheduleReconciler,
            repo=schedule_repo,
            scheduling=scheduling,
            timetable=timetable,
            clock=clock,
            interval=providers.Callable(_seconds, settings.provided.reconcile_seconds),
            sweep_interval=providers.Callable(_seconds, settings.provided.reconcile_sweep_seconds),
        ),
    )

    http_client = Base(
        resources.open_http_client, timeout_seconds=settings.provided.call_timeout_seconds
    )
    expression_pool = Base(
        resources.open_expression_pool,
        cpu_seconds=settings.provided.expression_cpu_seconds,
        memory_mb=settings.provided.expression_memory_mb,
    )
    event_starts = Part(
        resources.run_event_starts,
        starts=providers.Singleton(
            EventStarts,
            repo=providers.Singleton(PeeweeEventScheduleRepo, database=checked_database),
            templates=template_repo,
            runs=execution_runs,
            evaluator=expression_pool,
            news=event_news,
            clock=clock,
        ),
    )
    history_relay = Part(
        resources.run_history_relay,
        url=settings.provided.history_sink_url,
        repo=providers.Singleton(PeeweeRelayRepo, database=checked_database),
        client=http_client,
        lease=providers.Singleton(Lease, repo=lease_repo, name="history-relay", clock=clock),
        clock=clock,
    )
    authenticator = providers.Singleton(
        Authenticator,
        tokens=providers.Singleton(
            TokenSource, client=providers.Singleton(TokenClient, client=http_client)
        ),
    )
    completer = providers.Singleton(
        CallCompleter,
        secrets=providers.Singleton(
            LocalSecrets,
            directory=settings.provided.secrets_directory,
            environment=providers.Object(os.environ),
            prefix=settings.provided.secrets_prefix,
        ),
        evaluator=expression_pool,
        authenticator=authenticator,
    )
    call_logs = Base(resources.open_call_logs, repo=log_repo, clock=clock)
    recorder = providers.Singleton(
        ToldRecorder, recorder=execution_repo, sink=providers.Singleton(ProcessLog)
    )
    performer = providers.Singleton(
        Performer, recorder=recorder, completer=completer, logs=call_logs, clock=clock
    )
    http_sender = providers.Singleton(
        HttpSender,
        client=http_client,
        authenticator=authenticator,
        max_response_bytes=settings.provided.call_max_response_bytes,
    )
    documents = providers.Singleton(Documents, sender=http_sender)
    process_policy = providers.Singleton(
        ProcessPolicy,
        kinds=settings.provided.processes,
        namespaces=settings.provided.process_namespaces,
    )
    process_limits = providers.Factory(
        ProcessLimits,
        seconds=settings.provided.process_seconds,
        cpu_seconds=settings.provided.process_cpu_seconds,
        memory_mb=settings.provided.process_memory_mb,
        output_bytes=settings.provided.process_max_output_bytes,
    )
    process_runner = Base(
        resources.open_process_runner,
        limits=process_limits,
        user=settings.provided.process_user,
        at_once=settings.provided.max_concurrent_processes,
    )
    event_sink = providers.Singleton(
        resources.make_event_sink, sender=http_sender, url=settings.provided.event_sink_url
    )
    container_engine = providers.Singleton(
        ContainerEngine,
        address=settings.provided.container_host,
        limits=process_limits,
        volumes=settings.provided.container_volumes,
    )
    container_sweeper = Part(
        resources.run_container_sweeper,
        sweeper=providers.Singleton(
            ContainerSweeper,
            engine=container_engine,
            interval=providers.Callable(_seconds, settings.provided.container_sweep_seconds),
        ),
        address=settings.provided.container_host,
    )
    children = providers.Singleton(
        ChildExecutionUsecase, repo=execution_repo, aliases=template_aliases, clock=clock
    )
    http_messages = providers.Singleton(
        HttpMessages, sender=http_sender, client=http_client, authenticator=authenticator
    )
    callers = providers.List(
        providers.Singleton(ChildActivities, performer=performer, children=children),
        providers.Singleton(HttpActivities, performer=performer, sender=http_sender),
        providers.Singleton(
            A2aActivities,
            performer=performer,
            client=http_client,
            authenticator=authenticator,
            documents=documents,
            max_response_bytes=settings.provided.call_max_response_bytes,
        ),
        providers.Singleton(
            PublishActivities, performer=performer, documents=documents, http=http_messages
        ),
        providers.Singleton(
            ReceiveActivities,
            performer=performer,
            documents=documents,
            http=http_messages,
            subscriptions=Base(resources.open_subscriptions),
        ),
        providers.Singleton(
            McpActivities,
            performer=performer,
            client=http_client,
            authenticator=authenticator,
            max_response_bytes=settings.provided.call_max_response_bytes,
            processes=process_policy,
        ),
        providers.Singleton(
            ContainerActivities,
            performer=performer,
            policy=process_policy,
            engine=container_engine,
        ),
        providers.Singleton(
            ShellActivities, performer=performer, policy=process_policy, runner=process_runner
        ),
        providers.Singleton(
            ScriptActivities,
            performer=performer,
            policy=process_policy,
            runner=process_runner,
            documents=documents,
        ),
        providers.Singleton(FetchActivities, performer=performer, documents=documents),
        providers.Singleton(
            GrpcActivities,
            performer=performer,
            authenticator=authenticator,
            documents=documents,
            timeout_seconds=settings.provided.call_timeout_seconds,
            max_response_bytes=settings.provided.call_max_response_bytes,
        ),
        providers.Singleton(
            OpenApiActivities,
            performer=performer,
            sender=http_sender,
            documents=documents,
        ),
        providers.Singleton(
            EmissionActivities, performer=performer, publisher=events, sink=event_sink
        ),
    )
    worker = Part(
        resources.run_worker,
        worker=providers.Singleton(
            build_worker,
            client=temporal_client,
            task_queue=settings.provided.task_queue,
            callers=callers,
            recording=providers.Singleton(
                RecordingActivities, recorder=recorder, watcher=scheduling
            ),
            scheduled_starts=providers.Singleton(
                ScheduledStartActivities, starter=scheduling, engine_version=engine_version
            ),
            checkpoints=providers.Singleton(CheckpointActivities, checkpoints=checkpoint_repo),
            evaluation=providers.Singleton(EvaluationActivities, evaluator=expression_pool),
            listening=providers.Singleton(ListeningActivities, source=event_repo),
            max_concurrent_calls=settings.provided.max_concurrent_calls,
            drain=drain,
        ),
    )


@asynccontextmanager
async def opened(settings: Settings) -> AsyncIterator[Container]:
    """A container; what of it was opened in the block is closed after it."""
    container = Container(settings=settings)
    try:
        yield container
    finally:
        # Within a kind the container knows the order; but it only sees what a resource is given
        # directly, and not the database behind a server's use cases.
        for kind in (Part, Base):
            closing = container.shutdown_resources(kind)
            if closing is not None:
                await closing


_Part = TypeVar("_Part")


async def open_part(part: Callable[[], Awaitable[_Part]]) -> _Part:
    """What a container's provider opens, in a process that a signal may cancel.

    The container can't leave off half way: a cancellation ends this wait, and what was begun is
    opened nevertheless, then closed with the container.
    """
    return await asyncio.shield(part())
