"""A timetable in memory."""

from collections.abc import AsyncIterator
from datetime import timedelta

from biz.errors import EngineUnavailable
from biz.schedules.schedule import Schedule
from biz.schedules.timetable import ScheduledStart


class FakeTimetable:
    """`biz.schedules.timetable.Timetable`: keeps what it is told; it answers while `available`."""

    def __init__(self) -> None:
        self.available = True
        self.entries: dict[str, Schedule] = {}
        self.starts: dict[str, tuple[ScheduledStart, timedelta]] = {}

    async def put(self, schedule: Schedule) -> None:
        self._require_available()
        self.entries[schedule.id] = schedule

    async def remove(self, id: str) -> None:
        self._require_available()
        self.entries.pop(id, None)

    async def ids(self) -> AsyncIterator[str]:
        self._require_available()
        for id in list(self.entries):
            yield id

    async def start(self, name: str, start: ScheduledStart, delay: timedelta) -> None:
        self._require_available()
        self.starts[name] = (start, delay)

    def _require_available(self) -> None:
        if not self.available:
            raise EngineUnavailable("the timetable doesn't answer")
