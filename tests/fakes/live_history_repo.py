"""Histories that grow, in memory."""

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from biz.dsl.lifecycle import LifecycleEvent
from biz.errors import DatabaseUnavailable, ExecutionNotFound
from biz.executions.execution import ExecutionStatus
from biz.history.steps import Growth


class FakeLiveHistoryRepo:
    """`biz.history.live.LiveHistoryRepo`; `reads` counts them, `page` is how many events one gives.

    While `down` it doesn't answer.
    """

    def __init__(self, *, page: int = 100) -> None:
        self.page = page
        self.down = False
        self.reads: Counter[str] = Counter()
        self._events: dict[str, dict[int, LifecycleEvent]] = {}
        self._ends: dict[str, tuple[ExecutionStatus, datetime]] = {}

    def add(self, execution_id: str, *events: LifecycleEvent) -> None:
        """Makes the execution known, with these events besides."""
        known = self._events.setdefault(execution_id, {})
        known.update({event.sequence: event for event in events})

    def end(self, execution_id: str, status: ExecutionStatus, at: datetime) -> None:
        """Ends the execution."""
        self._ends[execution_id] = (status, at)

    def delete(self, execution_id: str) -> None:
        """Forgets it."""
        del self._events[execution_id]

    async def read_after(self, execution_id: str, sequence: int) -> Growth:
        self._require_up()
        self.reads[execution_id] += 1
        await asyncio.sleep(0)
        if execution_id not in self._events:
            raise ExecutionNotFound(execution_id)
        history = self._events[execution_id]
        found = sorted(number for number in history if number > sequence)
        last = max(history, default=0)
        status, ended_at = self._ends.get(execution_id, (ExecutionStatus.RUNNING, None))
        return Growth(
            events=[history[number] for number in found[: self.page]],
            more=len(found) > self.page,
            last_sequence=last,
            last_type=history[last].type if history else None,
            status=status,
            ended_at=ended_at,
        )

    async def grown(self, positions: Mapping[str, int]) -> Sequence[str]:
        self._require_up()
        return [
            id
            for id, position in positions.items()
            if id not in self._events
            or id in self._ends
            or max(self._events[id], default=0) > position
        ]

    def _require_up(self) -> None:
        if self.down:
            raise DatabaseUnavailable("down")


class FakeHistoryChanges:
    """`biz.history.live.HistoryChanges`: tells what the test tells it; `followers` listen."""

    def __init__(self) -> None:
        self.followers: list[Callable[[str | None], None]] = []

    async def follow(self, tell: Callable[[str | None], None]) -> None:
        self.followers.append(tell)
        tell(None)
        try:
            await asyncio.Event().wait()
        finally:
            self.followers.remove(tell)

    def tell(self, execution_id: str | None) -> None:
        """Tells all who listen."""
        for follower in self.followers:
            follower(execution_id)
