"""An engine that runs nothing."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import datetime, timedelta

from biz.engine import RunOrder, RunRefused, RunState
from biz.errors import EngineUnavailable
from biz.executions.execution import Execution, ExecutionEnd
from biz.executions.history_batch import NO_HISTORY, HistoryBatch


class FakeEngine:
    """`biz.engine.Engine`: keeps what it was asked to run, and ends a run when its test says so.

    While `available` is False it answers nothing; while `refuses` is True it takes no run. `orders`
    are those that the runs got, `cancelled` and `terminated` their ids, `unwritten` what they had
    told and not written.
    """

    def __init__(self) -> None:
        self.available = True
        self.refuses = False
        self.started: list[Execution] = []
        self.woken: list[str] = []
        self.orders: list[tuple[str, RunOrder]] = []
        self.cancelled: list[str] = []
        self.terminated: list[str] = []
        self.unwritten: dict[str, HistoryBatch] = {}
        self.checkpoints: dict[str, str] = {}
        self._ends: dict[str, ExecutionEnd] = {}
        self._ended: defaultdict[str, asyncio.Event] = defaultdict(asyncio.Event)

    async def end(self, id: str, end: ExecutionEnd) -> None:
        """Ends a run, which doesn't write its end."""
        self._ends[id] = end
        self._ended[id].set()

    async def start(self, execution: Execution, order: RunOrder | None = None) -> None:
        self._require_available()
        if self.refuses:
            raise RunRefused("it is too large")
        if all(known.id != execution.id for known in self.started):
            self.started.append(execution)
        if order:
            await self.order(execution.id, order)

    async def order(self, id: str, order: RunOrder) -> bool:
        self._require_available()
        if self._is_under_way(id):
            self.orders.append((id, order))
        return self._is_under_way(id)

    async def cancel(self, id: str) -> bool:
        self._require_available()
        if self._is_under_way(id):
            self.cancelled.append(id)
        return self._is_under_way(id)

    async def terminate(self, id: str, reason: str) -> bool:
        self._require_available()
        if self._is_under_way(id):
            self.terminated.append(id)
        return self._is_under_way(id)

    async def unwritten_history(self, id: str) -> HistoryBatch:
        self._require_available()
        return self.unwritten.get(id, NO_HISTORY)

    async def checkpoint(self, id: str) -> str:
        self._require_available()
        return self.checkpoints.get(id, "")

    async def wake(self, id: str) -> bool:
        self._require_available()
        self.woken.append(id)
        return id not in self._ends

    async def wait(self, id: str, timeout: timedelta) -> None:
        self._require_available()
        with suppress(TimeoutError):
            await asyncio.wait_for(self._ended[id].wait(), timeout.total_seconds())

    async def state(self, id: str) -> RunState | None:
        self._require_available()
        if all(known.id != id for known in self.started):
            return None
        return RunState(end=self._ends.get(id))

    async def ended_from_outside(self, since: datetime) -> AsyncIterator[str]:
        self._require_available()
        for id, end in list(self._ends.items()):
            if end.ended_at > since:
                yield id

    def _is_under_way(self, id: str) -> bool:
        return id not in self._ends and any(known.id == id for known in self.started)

    def _require_available(self) -> None:
        if not self.available:
            raise EngineUnavailable("the engine doesn't answer")
