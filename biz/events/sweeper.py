"""Makes known what a crash, or an engine that was away, left stored only; removes what is old."""

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta

import structlog

from biz.errors import Unavailable
from biz.events.event import EventRepo, EventUsecase

_GRACE = timedelta(seconds=5)
"""Whoever stored an event gets this long to make it known."""

_BATCH = 100
_PURGED_AT_ONCE = 500

_log = structlog.get_logger(__name__)


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
        while True:
            for step in (self.deliver, self.purge, self._repo.forget_ended):
                try:
                    await step()
                except Unavailable as error:
                    _log.warning("sweeping events is put off", reason=error.reason)
                except Exception:
                    # Whatever it was, the other steps and later sweeps still have their work.
                    _log.exception("sweeping events failed")
            await asyncio.sleep(self._interval.total_seconds())

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
