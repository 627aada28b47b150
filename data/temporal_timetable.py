"""`biz.schedules.timetable` over Temporal: its Schedules, and workflows that start with a delay."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from temporalio.client import (
    Client,
    Schedule,
    ScheduleActionStartWorkflow,
    ScheduleAlreadyRunningError,
    ScheduleCalendarSpec,
    ScheduleIntervalSpec,
    ScheduleOverlapPolicy,
    SchedulePolicy,
    ScheduleRange,
    ScheduleSpec,
    ScheduleState,
    ScheduleUpdate,
    ScheduleUpdateInput,
)
from temporalio.common import WorkflowIDReusePolicy
from temporalio.exceptions import WorkflowAlreadyStartedError
from temporalio.service import RPCError, RPCStatusCode

from biz.dsl.cron import calendars
from biz.dsl.schedule import Overlap
from biz.dsl.time_zones import time_zone
from biz.errors import EngineUnavailable
from biz.schedules import schedule as biz
from biz.schedules.timetable import START_WORKFLOW, ScheduledStart

_RPC_TIMEOUT = timedelta(seconds=5)
_CATCH_UP = timedelta(days=1)
"""What was due within this time while Temporal was down is made up for."""
_YEARS_AHEAD = 2
_LONGEST_NOTE = 200
_OVERLAPS = {
    Overlap.ALLOW: ScheduleOverlapPolicy.ALLOW_ALL,
    Overlap.SKIP: ScheduleOverlapPolicy.SKIP,
    Overlap.BUFFER_ONE: ScheduleOverlapPolicy.BUFFER_ONE,
    Overlap.BUFFER_ALL: ScheduleOverlapPolicy.BUFFER_ALL,
    Overlap.CANCEL_OTHER: ScheduleOverlapPolicy.CANCEL_OTHER,
    Overlap.TERMINATE_OTHER: ScheduleOverlapPolicy.TERMINATE_OTHER,
}


class TemporalTimetable:
    """Each timed schedule has a Temporal Schedule, which starts a workflow when it is due.

    Their names begin with the task queue: those of another service aren't touched.
    """

    def __init__(self, *, client: Client, task_queue: str, clock: Callable[[], datetime]) -> None:
        self._client = client
        self._task_queue = task_queue
        self._prefix = f"{task_queue}/"
        self._clock = clock

    async def put(self, schedule: biz.Schedule) -> None:
        """See Timetable."""
        wanted = await asyncio.to_thread(self._wanted, schedule)
        handle = self._client.get_schedule_handle(self._prefix + schedule.id)
        try:
            present = (await handle.describe(rpc_timeout=_RPC_TIMEOUT)).schedule
            if not await self._is_same(present, wanted):

                def change(found: ScheduleUpdateInput) -> ScheduleUpdate:
                    return ScheduleUpdate(wanted)

                await handle.update(change, rpc_timeout=_RPC_TIMEOUT)
        except RPCError as error:
            if error.status is not RPCStatusCode.NOT_FOUND:
                raise _unavailable() from error
            await self._create(handle.id, wanted)

    async def remove(self, id: str) -> None:
        """See Timetable."""
        try:
            await self._client.get_schedule_handle(self._prefix + id).delete(
                rpc_timeout=_RPC_TIMEOUT
            )
        except RPCError as error:
            if error.status is not RPCStatusCode.NOT_FOUND:
                raise _unavailable() from error

    async def ids(self) -> AsyncIterator[str]:
        """See Timetable. Temporal's list lags behind by a second or two."""
        try:
            async for listed in await self._client.list_schedules(rpc_timeout=_RPC_TIMEOUT):
                if listed.id.startswith(self._prefix):
                    yield listed.id.removeprefix(self._prefix)
        except RPCError as error:
            raise _unavailable() from error

    async def start(self, name: str, start: ScheduledStart, delay: timedelta) -> None:
        """See Timetable."""
        with suppress(WorkflowAlreadyStartedError):
            try:
                await self._client.start_workflow(
                    START_WORKFLOW,
                    start,
                    id=name,
                    task_queue=self._task_queue,
                    id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE,
                    start_delay=delay or None,
                    rpc_timeout=_RPC_TIMEOUT,
                )
            except RPCError as error:
                raise _unavailable() from error

    async def _create(self, id: str, wanted: Schedule) -> None:
        """Another process that made it at the same time made the same."""
        try:
            await self._client.create_schedule(id, wanted, rpc_timeout=_RPC_TIMEOUT)
        except ScheduleAlreadyRunningError:
            return
        except RPCError as error:
            raise _unavailable() from error

    def _wanted(self, schedule: biz.Schedule) -> Schedule:
        start = ScheduledStart(schedule_id=schedule.id, clock=schedule.clock, waits=True)
        return Schedule(
            action=ScheduleActionStartWorkflow(
                START_WORKFLOW,
                start,
                id=f"start-{schedule.id}",
                task_queue=self._task_queue,
            ),
            spec=_spec(schedule, self._clock().year),
            policy=SchedulePolicy(
                overlap=_OVERLAPS[schedule.wanted.overlap], catchup_window=_CATCH_UP
            ),
            state=ScheduleState(
                paused=schedule.is_paused,
                note=f"{schedule.namespace}/{schedule.template_name}"[:_LONGEST_NOTE],
            ),
        )

    async def _is_same(self, present: Schedule, wanted: Schedule) -> bool:
        """Whether Temporal has what is wanted, but for what it says by itself."""
        action, other = present.action, wanted.action
        assert isinstance(other, ScheduleActionStartWorkflow)
        if not isinstance(action, ScheduleActionStartWorkflow):
            return False
        return (
            (action.workflow, action.id, action.task_queue)
            == (other.workflow, other.id, other.task_queue)
            and await self._argument(action.args) == other.args[0]
            and present.spec == wanted.spec
            and present.policy == wanted.policy
            and replace(present.state, note=None) == replace(wanted.state, note=None)
        )

    async def _argument(self, payloads: Sequence[Any]) -> ScheduledStart | None:
        try:
            (found,) = await self._client.data_converter.decode(payloads, [ScheduledStart])
        except Exception:
            return None  # whatever else it is, it isn't what was put there
        return found if isinstance(found, ScheduledStart) else None


def _spec(schedule: biz.Schedule, year: int) -> ScheduleSpec:
    if schedule.kind is biz.ScheduleKind.EVERY:
        interval = schedule.wanted.interval
        offset = timedelta(seconds=schedule.anchor.timestamp()) % interval
        return ScheduleSpec(intervals=[ScheduleIntervalSpec(every=interval, offset=offset)])
    years = range(year, year + _YEARS_AHEAD)
    zone = time_zone(schedule.wanted.time_zone)
    return ScheduleSpec(
        calendars=[
            ScheduleCalendarSpec(
                second=tuple(_ranges([0])),
                minute=tuple(_ranges(calendar.minutes)),
                hour=tuple(_ranges(calendar.hours)),
                day_of_month=tuple(_ranges(calendar.days)),
                month=tuple(_ranges([calendar.month])),
                year=tuple(_ranges([calendar.year])),
                day_of_week=tuple(_ranges(range(7))),
            )
            for calendar in calendars(schedule.wanted.expression, zone, years)
        ],
    )


def _ranges(numbers: Sequence[int]) -> Iterator[ScheduleRange]:
    """Numbers in order as the ranges that they form."""
    first = last = numbers[0]
    for number in numbers[1:]:
        if number != last + 1:
            yield ScheduleRange(start=first, end=last, step=1)
            first = number
        last = number
    yield ScheduleRange(start=first, end=last, step=1)


def _unavailable() -> EngineUnavailable:
    return EngineUnavailable("Temporal doesn't answer; try again in a moment")
