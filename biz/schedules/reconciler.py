"""Mends what a crash, an engine that was away, or a hand at it left of schedules."""

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta

from biz.repetition import repeat
from biz.schedules.schedule import ScheduleRepo
from biz.schedules.scheduling import Scheduling
from biz.schedules.timetable import Timetable

_BATCH = 100


class ScheduleReconciler:
    """Runs beside the server; any number of them may run at once."""

    def __init__(
        self,
        *,
        repo: ScheduleRepo,
        scheduling: Scheduling,
        timetable: Timetable,
        clock: Callable[[], datetime],
        interval: timedelta,
        sweep_interval: timedelta,
    ) -> None:
        """`interval` is the time between two looks, `sweep_interval` between two sweeps."""
        self._repo = repo
        self._scheduling = scheduling
        self._timetable = timetable
        self._clock = clock
        self._interval = interval
        self._sweep_interval = sweep_interval

    async def run(self) -> None:
        """Looks and sweeps again and again, until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(
                repeat(self.look, what="reconciliation of schedules", pause=self._interval)
            )
            tasks.create_task(
                repeat(
                    self.sweep,
                    what="reconciliation of schedules",
                    pause=self._sweep_interval,
                    pause_after_failure=self._interval,
                )
            )

    async def look(self) -> None:
        """Does what was begun: changed templates, changed schedules, and runs that follow one."""
        for change in await self._repo.list_changes(limit=_BATCH):
            await self._scheduling.settle(change)
        for schedule in await self._repo.list_unapplied(limit=_BATCH):
            await self._scheduling.put(schedule)
        for schedule in await self._repo.list_overdue(now=self._clock(), limit=_BATCH):
            await self._scheduling.follow(schedule)

    async def sweep(self) -> None:
        """Compares the timetable with what is stored: what is missing, foreign or different."""
        present = [id async for id in self._timetable.ids()]
        stored: set[str] = set()
        after = ""
        while schedules := await self._repo.list_timed(after_id=after, limit=_BATCH):
            for schedule in schedules:
                await self._scheduling.put(schedule)
                stored.add(schedule.id)
            after = schedules[-1].id
        for id in present:
            if id not in stored:
                await self._timetable.remove(id)
