"""An execution and its run at the engine: how one is started, and how it is known to have ended."""

from collections.abc import Callable
from datetime import datetime, timedelta

from biz.dsl.errors import WorkflowError
from biz.engine import Engine, RunOrder, RunRefused
from biz.errors import EngineUnavailable, ExecutionNotFound
from biz.executions.execution import (
    Execution,
    ExecutionEnd,
    ExecutionProgress,
    ExecutionRepo,
    ExecutionStatus,
)


class ExecutionRuns:
    """`biz.executions.execution.Runs`: brings together what the database and the engine know."""

    def __init__(
        self, *, repo: ExecutionRepo, engine: Engine, clock: Callable[[], datetime]
    ) -> None:
        self._repo = repo
        self._engine = engine
        self._clock = clock

    async def start(self, execution: Execution) -> Execution:
        """Asks the engine to run a stored execution; PENDING still where it doesn't answer.

        Safe to repeat: the run carries the execution's id, and the engine starts an id once.
        """
        try:
            return await self.start_with(execution, None)
        except EngineUnavailable:
            return execution

    async def start_with(self, execution: Execution, order: RunOrder | None) -> Execution:
        """Has the engine run a stored execution, which gets an order before it does anything.

        Raises EngineUnavailable.
        """
        now = self._clock()
        try:
            await self._engine.start(execution, order)
        except RunRefused as refused:
            error = WorkflowError.standard("configuration", str(refused))
            end = ExecutionEnd(
                status=ExecutionStatus.FAULTED, output=None, error=error, ended_at=now
            )
            await self._repo.record_end_from_outside(execution.id, end)
            return await self._repo.get(execution.id)
        started = ExecutionProgress(
            sequence=0, status=ExecutionStatus.RUNNING, current_tasks=(), at=now
        )
        await self._repo.record_progress(execution.id, started)
        return await self._repo.get(execution.id)

    async def wait(self, id: str, timeout: timedelta) -> Execution:
        """The execution at its end, or after `timeout`, or where the engine doesn't answer.

        Raises ExecutionNotFound.
        """
        try:
            await self._engine.wait(id, timeout)
            return await self.settle(id)
        except EngineUnavailable:
            return await self._repo.get(id)

    async def settle(self, id: str) -> Execution:
        """The execution; ended first, where its run has ended without writing so itself.

        A run that the engine has no record of is left as it is: the engine may be the wrong one.
        Only a child that was never started ends with its parent.

        Raises ExecutionNotFound, EngineUnavailable.
        """
        execution = await self._repo.get(id)
        is_pending = execution.status is ExecutionStatus.PENDING
        if execution.status.is_end or (is_pending and not execution.parent_id):
            return execution
        state = await self._engine.state(id)
        end = state.end if state is not None else await self._end_of_orphan(execution)
        if end is None:
            return execution
        await self._repo.record_end_from_outside(id, end)
        return await self._repo.get(id)

    async def _end_of_orphan(self, execution: Execution) -> ExecutionEnd | None:
        """How a child ends that its parent has stored, but not started before it ended itself."""
        if execution.status is not ExecutionStatus.PENDING:
            return None
        try:
            parent = await self._repo.get(execution.parent_id)
        except ExecutionNotFound:
            ended_at = execution.created_at
        else:
            if parent.ended_at is None:
                return None
            ended_at = max(parent.ended_at, execution.created_at)
        return ExecutionEnd(
            status=ExecutionStatus.CANCELLED, output=None, error=None, ended_at=ended_at
        )
