"""The use cases."""

import asyncio

from dependency_injector import containers, providers

from app.composition.foundation import Foundation
from app.composition.kinds import hours, seconds
from app.composition.storage import Storage
from app.composition.temporal import Temporal
from biz.events.event import EventUsecase
from biz.executions.children import ChildExecutionUsecase
from biz.executions.control import ExecutionControl
from biz.executions.execution import ExecutionUsecase
from biz.executions.retry import RetryUsecase
from biz.executions.runs import ExecutionRuns
from biz.executions.succession import Succession
from biz.history.history import HistoryUsecase
from biz.history.live import LiveHistory
from biz.logs.log import ExecutionLogUsecase
from biz.operations.operation import OperationUsecase
from biz.operations.runner import OperationRunner
from biz.operations.verbs import batch_verbs
from biz.paging import PageTokens
from biz.pictures.picture import PictureUsecase
from biz.retention.removal import RemovalUsecase
from biz.schedules.schedule import ScheduleUsecase
from biz.schedules.scheduling import Scheduling
from biz.statistics import StatisticsUsecase
from biz.templates.alias import TemplateAliasUsecase
from biz.templates.template import TemplateUsecase
from biz.workflow import WorkflowUsecase

_settings = Foundation.settings.provided


class Usecases(containers.DeclarativeContainer):
    """The use cases."""

    page_tokens = providers.Singleton(PageTokens, signing_key=Storage.signing_key)
    execution_runs = providers.Singleton(
        ExecutionRuns, repo=Storage.execution_repo, engine=Temporal.engine, clock=Foundation.clock
    )
    scheduling = providers.Singleton(
        Scheduling,
        repo=Storage.schedule_repo,
        templates=Storage.template_repo,
        versions=Storage.template_alias_repo,
        executions=Storage.execution_repo,
        runs=execution_runs,
        timetable=Temporal.timetable,
        clock=Foundation.clock,
    )
    schedules = providers.Singleton(
        ScheduleUsecase,
        repo=Storage.schedule_repo,
        scheduling=scheduling,
        page_tokens=page_tokens,
        clock=Foundation.clock,
    )
    templates = providers.Singleton(
        TemplateUsecase,
        repo=Storage.template_repo,
        watcher=scheduling,
        page_tokens=page_tokens,
        clock=Foundation.clock,
    )
    template_aliases = providers.Singleton(
        TemplateAliasUsecase,
        repo=Storage.template_alias_repo,
        templates=Storage.template_repo,
        page_tokens=page_tokens,
        clock=Foundation.clock,
    )
    execution_control = providers.Singleton(
        ExecutionControl,
        repo=Storage.wish_repo,
        runs=execution_runs,
        engine=Temporal.engine,
        clock=Foundation.clock,
    )
    executions = providers.Singleton(
        ExecutionUsecase,
        repo=Storage.execution_repo,
        templates=templates,
        aliases=template_aliases,
        runs=execution_runs,
        page_tokens=page_tokens,
        clock=Foundation.clock,
    )
    succession = providers.Singleton(
        Succession, checkpoints=Storage.checkpoint_repo, engine=Temporal.engine
    )
    retries = providers.Singleton(
        RetryUsecase,
        repo=Storage.execution_repo,
        checkpoints=Storage.checkpoint_repo,
        succession=succession,
        aliases=template_aliases,
        runs=execution_runs,
        clock=Foundation.clock,
    )
    history = providers.Singleton(
        HistoryUsecase,
        repo=Storage.history_repo,
        executions=Storage.execution_repo,
        page_tokens=page_tokens,
    )
    logs = providers.Singleton(
        ExecutionLogUsecase,
        repo=Storage.log_repo,
        executions=Storage.execution_repo,
        page_tokens=page_tokens,
    )
    live = providers.Singleton(
        LiveHistory,
        repo=Storage.live_history_repo,
        changes=Storage.history_changes,
        clock=Foundation.clock,
        max_watchers=_settings.max_watchers,
    )
    event_news = providers.Singleton(asyncio.Event)
    events = providers.Singleton(
        EventUsecase,
        repo=Storage.event_repo,
        executions=Storage.execution_repo,
        engine=Temporal.engine,
        clock=Foundation.clock,
        news=event_news,
    )
    removal = providers.Singleton(RemovalUsecase, repo=Storage.removal_repo)
    verbs = providers.Singleton(
        batch_verbs, control=execution_control, retries=retries, removal=removal
    )
    operations_at_work = providers.Singleton(
        OperationRunner,
        repo=Storage.operation_repo,
        leases=Storage.lease_repo,
        verbs=verbs,
        clock=Foundation.clock,
        interval=seconds(_settings.reconcile_seconds),
        retention=hours(_settings.operation_retention_hours),
    )
    operations = providers.Singleton(
        OperationUsecase,
        repo=Storage.operation_repo,
        wake=operations_at_work.provided.wake,
        page_tokens=page_tokens,
        clock=Foundation.clock,
    )
    children = providers.Singleton(
        ChildExecutionUsecase,
        repo=Storage.execution_repo,
        aliases=template_aliases,
        succession=succession,
        clock=Foundation.clock,
    )
    workflows = providers.Singleton(WorkflowUsecase)
    pictures = providers.Singleton(
        PictureUsecase,
        templates=Storage.template_repo,
        aliases=template_aliases,
        executions=Storage.execution_repo,
        history=Storage.history_repo,
        checkpoints=Storage.checkpoint_repo,
    )
    statistics = providers.Singleton(
        StatisticsUsecase, repo=Storage.statistics_repo, clock=Foundation.clock
    )
