"""What is in memory of a history that is watched, for all its watchers."""

from __future__ import annotations

import asyncio
from bisect import bisect_right

from biz.dsl.lifecycle import ABSENT, LifecycleEvent
from biz.dsl.sizes import json_size
from biz.errors import DomainError
from biz.history.steps import HistoryEnd, Step

KEPT = 200
"""Events of an execution that are kept for its watchers."""

KEPT_BYTES = 2 * 1024 * 1024
"""What their inputs and outputs may take as JSON, the newest event aside."""


class Topic:
    """The newest events of one execution, from a place on that is set by the first watcher who has
    seen all before it.
    """

    def __init__(self, execution_id: str) -> None:
        self.execution_id = execution_id
        self.watchers = 0
        self.changed = asyncio.Event()
        """Set at the next change; after that there is another one."""

        self.reading = asyncio.Lock()
        self.timer: asyncio.TimerHandle | None = None
        self._events: list[LifecycleEvent] = []
        self._sizes: list[int] = []
        self._base: int | None = None
        self._end: HistoryEnd | None = None
        self._error: DomainError | None = None

    @property
    def last(self) -> int | None:
        """The sequence number up to which it has read, None before it has begun."""
        return self._events[-1].sequence if self._events else self._base

    @property
    def ended(self) -> bool:
        """Whether nothing more will come."""
        return self._end is not None

    def begin(self, at: int) -> bool:
        """Keeps what comes after `at`; False where it has begun already."""
        if self._base is not None:
            return False
        self._base = at
        return True

    def after(self, position: int) -> Step | None:
        """What is known after `position`; None where the database has to be asked.

        Raises what was wrong with the history.
        """
        if self._error is not None:
            raise self._error
        if self._base is None or position < self._base:
            return None
        start = bisect_right(self._events, position, key=lambda event: event.sequence)
        return Step(events=self._events[start:], end=self._end)

    def take(self, step: Step) -> None:
        """Adds what was read after `last`."""
        if not step.events and step.end is None:
            return
        self._events += step.events
        self._sizes += [_size(event) for event in step.events]
        self._forget()
        self._end = step.end
        self.wake()

    def _forget(self) -> None:
        """Lets the oldest events go that are too many, or too large."""
        count = max(0, len(self._events) - KEPT)
        left = sum(self._sizes[count:])
        while left > KEPT_BYTES and count < len(self._events) - 1:
            left -= self._sizes[count]
            count += 1
        if count:
            self._base = self._events[count - 1].sequence
            del self._events[:count], self._sizes[:count]

    def fail(self, error: DomainError) -> None:
        """Ends it for all its watchers."""
        self._error = error
        self.wake()

    def wake(self) -> None:
        """Has all watchers look again."""
        changed, self.changed = self.changed, asyncio.Event()
        changed.set()

    def stop_timer(self) -> None:
        """Calls off the look that was to come by itself."""
        if self.timer is not None:
            self.timer.cancel()
            self.timer = None


def _size(event: LifecycleEvent) -> int:
    return sum(json_size(value) for value in (event.input, event.output) if value is not ABSENT)
