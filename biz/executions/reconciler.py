"""Mends what a crash, or a hand at the engine, left different in the database and the engine.

An execution is stored before the engine is asked to run it, so a crash between the two leaves it
PENDING: it is asked again. A run can be terminated at the engine, or time out there: its end is
written, and that of its history. What is asked of an execution may not have reached the engine: it
is sent again. What no such look finds, a sweep over all live executions does.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from datetime import datetime, timedelta

from biz.engine import Engine
from biz.errors import ExecutionNotFound
from biz.executions.control import ExecutionControl
from biz.executions.execution import ExecutionRepo, ExecutionStatus
from biz.executions.history_end import HistoryEnds
from biz.executions.runs import ExecutionRuns
from biz.repetition import repeat

_BATCH = 100
_LOOK_BACK = timedelta(minutes=1)
"""How far a look reaches behind the one before: the engine's list lags a little."""


class Reconciler:
    """Runs beside the server; any number of them may run at once."""

    def __init__(
        self,
        *,
        repo: ExecutionRepo,
        engine: Engine,
        runs: ExecutionRuns,
        control: ExecutionControl,
        history_ends: HistoryEnds,
        clock: Callable[[], datetime],
        interval: timedelta,
        sweep_interval: timedelta,
        pending_grace: timedelta,
    ) -> None:
        """`interval` is the time between two looks, `sweep_interval` between two sweeps.

        `pending_grace` is how long an execution may be PENDING before its start is repeated.
        """
        self._repo = repo
        self._engine = engine
        self._runs = runs
        self._control = control
        self._history_ends = history_ends
        self._clock = clock
        self._interval = interval
        self._sweep_interval = sweep_interval
        self._pending_grace = pending_grace
        self._looked_at: datetime | None = None

    async def run(self) -> None:
        """Looks and sweeps again and again, until cancelled.

        Each goes by itself: a sweep over many executions takes long, and holds up no look.
        """
        async with asyncio.TaskGroup() as tasks:
            for step in (self._look, self._control.send_unsent, self._history_ends.write):
                tasks.create_task(repeat(step, what="reconciliation", pause=self._interval))
            tasks.create_task(
                repeat(
                    self.sweep,
                    what="reconciliation",
                    pause=self._sweep_interval,
                    pause_after_failure=self._interval,
                )
            )

    async def start_pending(self) -> None:
        """Starts what was stored, and perhaps never asked for; stops where the engine is away."""
        before = self._clock() - self._pending_grace
        for execution in await self._repo.list_pending(created_before=before, limit=_BATCH):
            started = await self._runs.start(execution)
            if started.status is ExecutionStatus.PENDING:
                return

    async def end_ended(self, *, since: datetime) -> None:
        """Ends what ended at the engine, after `since`, other than by completing."""
        async for id in self._engine.ended_from_outside(since):
            await self._settle(id)

    async def sweep(self) -> None:
        """Compares every live execution with the engine."""
        async for id in self._live():
            await self._settle(id)

    async def _look(self) -> None:
        now = self._clock()
        await self.start_pending()
        await self.end_ended(since=(self._looked_at or now) - _LOOK_BACK)
        self._looked_at = now

    async def _settle(self, id: str) -> None:
        with suppress(ExecutionNotFound):
            await self._runs.settle(id)

    async def _live(self) -> AsyncIterator[str]:
        after = ""
        while ids := await self._repo.list_live(after_id=after, limit=_BATCH):
            for id in ids:
                yield id
            after = ids[-1]
