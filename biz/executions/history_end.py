"""The end of histories of runs that couldn't tell it: they were ended from outside."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Protocol

import structlog

from biz.dsl.lifecycle import LifecycleEvent, LifecycleType
from biz.engine import Engine
from biz.errors import EngineUnavailable
from biz.executions.execution import Execution, ExecutionStatus
from biz.executions.history_batch import NO_HISTORY, HistoryBatch

_BATCH = 100

_MOST_FAILURES = 3
"""After so many of them nobody is asked for more: each may take seconds."""

_PATIENCE = timedelta(hours=1)
"""Who doesn't say for so long what a run had told won't say it any more."""

_ENDS = {
    ExecutionStatus.CANCELLED: LifecycleType.WORKFLOW_CANCELLED,
    ExecutionStatus.TERMINATED: LifecycleType.WORKFLOW_CANCELLED,
    ExecutionStatus.FAULTED: LifecycleType.WORKFLOW_FAULTED,
    ExecutionStatus.COMPLETED: LifecycleType.WORKFLOW_COMPLETED,
}
_TASK_ENDS = frozenset(
    {
        LifecycleType.TASK_CANCELLED,
        LifecycleType.TASK_FAULTED,
        LifecycleType.TASK_COMPLETED,
    }
)

_log = structlog.get_logger(__name__)


class HistoryEndRepo(Protocol):
    """Where histories are kept. Every method is one unit of work."""

    async def list_open(self, *, after_id: str, limit: int) -> Sequence[Execution]:
        """Executions that have ended, and whose history hasn't, in the order of their ids.

        Those that the engine has yet to end are left out.
        """
        ...

    async def close(self, execution: Execution, events: HistoryBatch, checkpoint: str) -> None:
        """Adds events that may be missing, then what `closing_events` gives for the history.

        `checkpoint` is kept, where it isn't empty.
        """
        ...


class HistoryEnds:
    """Writes the ends of histories."""

    def __init__(
        self, *, repo: HistoryEndRepo, engine: Engine, clock: Callable[[], datetime]
    ) -> None:
        self._repo = repo
        self._engine = engine
        self._clock = clock

    async def write(self) -> None:
        """Ends all histories of which the engine says how they went on."""
        after, failures = "", 0
        while found := await self._repo.list_open(after_id=after, limit=_BATCH):
            for execution in found:
                if not await self._write(execution):
                    failures += 1
                if failures == _MOST_FAILURES:
                    return
            after = found[-1].id

    async def _write(self, execution: Execution) -> bool:
        """False where it is put off."""
        events, checkpoint = NO_HISTORY, ""
        try:
            checkpoint = await self._engine.checkpoint(execution.id)
            events = await self._engine.unwritten_history(execution.id)
        except EngineUnavailable:
            if self._clock() - (execution.ended_at or execution.created_at) < _PATIENCE:
                _log.warning("the end of a history is put off", execution_id=execution.id)
                return False
        await self._repo.close(execution, events, checkpoint)
        return True


def closing_events(
    execution: Execution, history: Iterable[LifecycleEvent]
) -> Sequence[LifecycleEvent]:
    """What a history, given in order, lacks to its end: its live tasks are cancelled.

    Nothing where the end has been told.
    """
    live: dict[str, LifecycleEvent] = {}
    sequence = 0
    for event in history:
        sequence = event.sequence
        if event.type in _ENDS.values():
            return []
        if event.type is LifecycleType.TASK_STARTED:
            live[event.task] = event
        elif event.type in _TASK_ENDS:
            live.pop(event.task, None)
    at = execution.ended_at or execution.created_at
    cancelled = [
        LifecycleEvent(
            sequence=sequence + place,
            type=LifecycleType.TASK_CANCELLED,
            time=at,
            task=started.task,
            attempt=started.attempt,
            started_at=started.time,
        )
        for place, started in enumerate(reversed(live.values()), start=1)
    ]
    end = LifecycleEvent(
        sequence=sequence + len(cancelled) + 1,
        type=_ENDS[execution.status],
        time=at,
        error=execution.error,
        started_at=execution.started_at,
    )
    return [*cancelled, end]
