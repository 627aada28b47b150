"""Makes known what a crash, or an engine that was away, left stored only; removes what is old."""

from collections.abc import Callable
from datetime import datetime, timedelta

from biz.events.event import EventRepo, EventUsecase
from biz.repetition import attempt, repeat

_GRACE = timedelta(seconds=5)
"""Whoever stored an event gets this long to make it known."""

_BATCH = 100
_PURGED_AT_ONCE = 500


class EventSweeper:
    """Runs beside the server; any number of them may run at once."""

    def __init__(
        self,
        *,
        repo: EventRepo,
        events: EventUsecase,
        clock: Callable[[], datetime],
        interval: timedelta,
        retention: timedelta,
    ) -> None:
        """`interval` is the time between two sweeps, `retention` how long an event is kept."""
        self._repo = repo
        self._events = events
        self._clock = clock
        self._interval = interval
        self._retention = retention

    async def run(self) -> None:
        """Sweeps again and again, until cancelled."""
        await repeat(self._sweep, what="sweeping events", pause=self._interval)

    async def _sweep(self) -> None:
        for step in (self.deliver, self.purge, self._repo.forget_ended):
            await attempt(step, what="sweeping events")

    async def deliver(self) -> None:
        """Wakes the executions that listen for events which may not have been made known."""
        before = self._clock() - _GRACE
        while found := await self._repo.list_undelivered(accepted_before=before, limit=_BATCH):
            for event in found:
                await self._events.deliver_again(event)

    async def purge(self) -> None:
        """Removes events that are kept long enough, some at a time."""
        before = self._clock() - self._retention
        while await self._repo.purge(accepted_before=before, limit=_PURGED_AT_ONCE):
            continue
