"""Makes schedules of templates, keeps the timetable, and starts what is due.

The database has the last word: the timetable may be behind, or say something twice. So a start that
is due is made only if the schedule stands to it, and each has an execution of a fixed id.
"""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import isodate
import structlog

from biz.dsl.model import Workflow
from biz.dsl.schedule import Overlap
from biz.dsl.validator import InvalidWorkflow, load_workflow
from biz.errors import (
    EngineUnavailable,
    ExecutionNotFound,
    InvalidArgument,
    ScheduleNotFound,
    TemplateInactive,
    TemplateNotFound,
)
from biz.executions.execution import Execution, ExecutionRepo, ExecutionStatus, Runs, new_execution
from biz.idempotency import RequestKey
from biz.schedules.schedule import (
    Schedule,
    ScheduleKind,
    ScheduleRepo,
    TemplateChanged,
    WantedSchedule,
    start_id,
)
from biz.schedules.timetable import DueExecution, ScheduledStart, Timetable
from biz.templates.alias import TemplateAliasRepo, newest_version
from biz.templates.template import Template, TemplateRepo, TemplateStatus, require_active

SCHEDULE_LABEL = "schedule"
"""The label of executions that a schedule has started; its value is the schedule's id."""

FIRST_KEY = "first"
"""Names the first start of a schedule of AFTER; the others are named by the execution before."""

_TRIES_TO_APPLY = 5

_log = structlog.get_logger(__name__)


class Scheduling:
    """What templates, runs and the timetable tell of, and what is to be done then."""

    def __init__(
        self,
        *,
        repo: ScheduleRepo,
        templates: TemplateRepo,
        versions: TemplateAliasRepo,
        executions: ExecutionRepo,
        runs: Runs,
        timetable: Timetable,
        clock: Callable[[], datetime],
    ) -> None:
        self._repo = repo
        self._templates = templates
        self._versions = versions
        self._executions = executions
        self._runs = runs
        self._timetable = timetable
        self._clock = clock

    async def template_changed(self, namespace: str, name: str) -> None:
        """Brings the schedules of a name to what its templates say now."""
        change = await self._repo.find_change(namespace, name)
        if change is not None:
            await self.settle(change)

    async def settle(self, change: TemplateChanged) -> None:
        """Brings the schedules of a changed name to what its templates say now."""
        wanted = await self._wanted(change.namespace, change.name)
        settled = await self._repo.settle(change, wanted, now=self._clock())
        for schedule in settled.changed:
            await self.apply(schedule)
        with suppress(EngineUnavailable):  # the reconciler removes what is left
            for id in settled.removed:
                await self._timetable.remove(id)

    async def apply(self, schedule: Schedule) -> Schedule:
        """Brings a stored schedule to the timetable; the reconciler does where that is away."""
        with suppress(EngineUnavailable):
            await self.put(schedule)
        return schedule

    async def put(self, schedule: Schedule) -> None:
        """Brings a stored schedule to the timetable. Raises EngineUnavailable."""
        for _ in range(_TRIES_TO_APPLY):
            if schedule.is_timed:
                await self._timetable.put(schedule)
            elif schedule.kind is ScheduleKind.AFTER:
                await self.follow(schedule)
            if await self._repo.mark_applied(schedule.id, schedule.revision):
                return
            try:
                schedule = await self._repo.get(schedule.id)
            except ScheduleNotFound:
                await self._timetable.remove(schedule.id)
                return

    async def run_ended(self, execution_id: str) -> None:
        """Has the next run follow one that has ended, where its schedule wants it."""
        schedule = await self._repo.find_followed(execution_id)
        if schedule is not None:
            with suppress(EngineUnavailable):  # the reconciler does it then
                await self.follow(schedule)

    async def follow(self, schedule: Schedule) -> None:
        """Has the next run of AFTER due, if none is under way. Raises EngineUnavailable."""
        if schedule.is_paused:
            return
        now = self._clock()
        due_at = now
        if schedule.last_execution_id:
            with suppress(ExecutionNotFound):
                last = await self._executions.get(schedule.last_execution_id)
                if last.ended_at is None:
                    return
                due_at = max(now, last.ended_at + schedule.wanted.interval)
        key = schedule.last_execution_id or FIRST_KEY
        start = ScheduledStart(schedule_id=schedule.id, keys=[key])
        await self._timetable.start(f"after-{schedule.id}-{key}", start, due_at - now)
        await self._repo.set_due(schedule, due_at)

    async def start_due(self, start: ScheduledStart, key: str) -> DueExecution | None:
        """Makes the execution of a start that is due, if the schedule stands to it.

        It is started as well, unless it is given back to be run.
        """
        try:
            schedule = await self._current(start.schedule_id)
        except ScheduleNotFound:
            return None
        if not start.is_asked and not _stands_to(schedule, start, key):
            return None
        try:
            execution = await self._store(
                schedule, id=start_id(schedule.id, key), input=schedule.wanted.input
            )
        except (TemplateNotFound, TemplateInactive, InvalidArgument) as error:
            _log.warning(
                "a scheduled start is left out", schedule_id=schedule.id, reason=error.message
            )
            return None
        if execution.status is not ExecutionStatus.PENDING:
            return None
        if start.waits and schedule.wanted.overlap is not Overlap.ALLOW:
            return DueExecution(
                id=execution.id,
                namespace=execution.namespace,
                definition=execution.definition,
                input=execution.input,
                title=f"{execution.namespace}/{execution.template_name} "
                f"{execution.template_version}",
            )
        await self._runs.start(execution)
        return None

    async def trigger(
        self, schedule: Schedule, input: Any, request: RequestKey | None
    ) -> Execution:
        """Starts an execution though nothing is due.

        Raises InvalidArgument, ScheduleNotFound, TemplateInactive, RequestIdReused.
        """
        known = await self._executions.find_by_request(request) if request else None
        if known is None:
            schedule = await self._current(schedule.id)
            own = [] if schedule.kind is ScheduleKind.EVENT else schedule.wanted.input
            chosen = own if input is None else input
            known = await self._store(schedule, str(uuid.uuid4()), chosen, request)
        if known.status is not ExecutionStatus.PENDING:
            return known
        return await self._runs.start(known)

    async def backfill(self, schedule: Schedule, name: str, keys: Sequence[str]) -> None:
        """Has starts of the past made now. Raises EngineUnavailable."""
        start = ScheduledStart(schedule_id=schedule.id, keys=keys, is_asked=True)
        await self._timetable.start(name, start, timedelta())

    async def _current(self, id: str) -> Schedule:
        """The schedule as its templates have it now. Raises ScheduleNotFound."""
        schedule = await self._repo.get(id)
        change = await self._repo.find_change(schedule.namespace, schedule.template_name)
        if change is None:
            return schedule
        await self.settle(change)
        return await self._repo.get(id)

    async def _store(
        self, schedule: Schedule, id: str, input: Any, request: RequestKey | None = None
    ) -> Execution:
        """The execution, stored once.

        Raises TemplateNotFound, TemplateInactive, InvalidArgument, RequestIdReused.
        """
        now = self._clock()
        template = require_active(await self._templates.get(schedule.wanted.template_id))
        execution = await new_execution(
            template, id=id, input=input, now=now, labels={SCHEDULE_LABEL: schedule.id}
        )
        stored = await self._executions.create(execution, request)
        await self._repo.record_start(schedule.id, stored.id, now)
        return stored

    async def _wanted(self, namespace: str, name: str) -> Sequence[WantedSchedule]:
        """What the newest active version asks for; without one, the newest of all."""
        versions = await self._versions.versions(namespace, name)
        newest = newest_version(versions) or newest_version(
            [replace(version, status=TemplateStatus.ACTIVE) for version in versions]
        )
        if newest is None:
            return ()
        try:
            template = await self._templates.get(newest.id)
            workflow = await asyncio.to_thread(load_workflow, template.config)
        except TemplateNotFound:
            return ()
        except InvalidWorkflow as error:
            _log.warning("a template isn't valid any more", template_id=newest.id, error=str(error))
            return ()
        return list(_wishes(template, workflow))


def _stands_to(schedule: Schedule, start: ScheduledStart, key: str) -> bool:
    if schedule.is_paused:
        return False
    if schedule.kind is ScheduleKind.AFTER:
        return key == (schedule.last_execution_id or FIRST_KEY)
    return start.clock == schedule.clock


def _wishes(template: Template, workflow: Workflow) -> Iterator[WantedSchedule]:
    schedule = workflow.schedule
    if schedule is None:
        return
    written = workflow.definition["schedule"]
    common = WantedSchedule(
        kind=ScheduleKind.EVENT,
        template_id=template.id,
        template_version=template.version,
        is_active=template.status is TemplateStatus.ACTIVE,
    )
    timed = replace(common, overlap=schedule.overlap, input=schedule.input)
    if schedule.every is not None:
        text = _written(written["every"], schedule.every)
        yield replace(timed, kind=ScheduleKind.EVERY, interval=schedule.every, expression=text)
    if schedule.cron is not None:
        yield replace(
            timed,
            kind=ScheduleKind.CRON,
            expression=schedule.cron,
            time_zone=schedule.time_zone,
        )
    if schedule.after is not None:
        yield replace(
            common,
            kind=ScheduleKind.AFTER,
            interval=schedule.after,
            expression=_written(written["after"], schedule.after),
            input=schedule.input,
        )
    if schedule.on is not None:
        events = [written["on"], schedule.read]
        yield replace(common, filters=json.dumps(events, sort_keys=True))


def _written(value: Any, duration: timedelta) -> str:
    """A duration as the definition has it, an object of units in ISO 8601."""
    return value if isinstance(value, str) else str(isodate.duration_isoformat(duration))
