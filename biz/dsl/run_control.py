"""What is asked of a run from outside: to be held, to go on, to be cancelled."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

from biz.dsl.errors import WorkflowError


class RunControl:
    """Whether a run is held. While it is, nothing new starts, and its clocks stand still.

    What is in flight goes on, and stops at the next gate. Whoever passes a gate of a run that isn't
    held gives way to nobody, so that a run which is never held does the same with and without it.
    """

    def __init__(self) -> None:
        self._open = asyncio.Event()
        self._open.set()
        self._is_stopped = False
        self._suspended_at: datetime | None = None
        self._lost = timedelta()
        self._watchers: list[Callable[[], None]] = []
        self.cancellation: WorkflowError | None = None
        """Why the run is being cancelled, where somebody said so."""

    @property
    def is_suspended(self) -> bool:
        """True from a suspension to the next resumption."""
        return self._suspended_at is not None

    @contextmanager
    def watched(self, changed: Callable[[], None]) -> Iterator[None]:
        """In the block the function is called after each suspension and resumption.

        It is called at the beginning too, where the run is suspended already.
        """
        if self.is_suspended:
            changed()
        self._watchers.append(changed)
        try:
            yield
        finally:
            self._watchers.remove(changed)

    def suspend(self, now: datetime) -> None:
        """Closes all gates; nothing where they are closed."""
        if self.is_suspended:
            return
        self._suspended_at = now
        self._open.clear()
        self._changed()

    def resume(self, now: datetime) -> None:
        """Opens the gates that a suspension closed; nothing where none has."""
        if self._suspended_at is None:
            return
        self._lost = self.lost(now)
        self._suspended_at = None
        if not self._is_stopped:
            self._open.set()
        self._changed()

    def stop(self, cancellation: WorkflowError | None = None) -> None:
        """Closes all gates for good: the run is about to be cancelled."""
        self._is_stopped = True
        self.cancellation = cancellation
        self._open.clear()

    def lost(self, now: datetime) -> timedelta:
        """The time up to `now` in which the run was suspended."""
        if self._suspended_at is None:
            return self._lost
        return self._lost + max(now - self._suspended_at, timedelta())

    async def passed(self) -> None:
        """The gate: returns when the run isn't held."""
        while not self._open.is_set():
            await self._open.wait()

    def _changed(self) -> None:
        for changed in tuple(self._watchers):
            changed()
