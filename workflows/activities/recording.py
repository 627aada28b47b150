"""Writes what a run says of itself to the database."""

from collections.abc import Callable
from typing import Protocol

from temporalio import activity

from biz.errors import DatabaseUnavailable
from biz.executions.execution import (
    ExecutionEnd,
    ExecutionProgress,
    ExecutionRecorder,
    ExecutionStatus,
)
from biz.executions.history_batch import HistoryBatch


class EndWatcher(Protocol):
    """Who wants to know of the ends of runs."""

    async def run_ended(self, execution_id: str) -> None:
        """Told after the end was written, once or more often."""
        ...


class RecordingActivities:
    """Every method may be repeated; Temporal does so until it succeeds.

    `events` is the text of a HistoryBatch.
    """

    def __init__(
        self,
        *,
        recorder: ExecutionRecorder,
        watcher: EndWatcher | None = None,
        on_fault: Callable[[], None] | None = None,
    ) -> None:
        """`on_fault` is called after each fault was written."""
        self._recorder = recorder
        self._watcher = watcher
        self._on_fault = on_fault

    @activity.defn
    async def record_progress(
        self, execution_id: str, progress: ExecutionProgress, events: str = ""
    ) -> None:
        """Fails while the database is down, unless it is only for show."""
        try:
            await self._recorder.record_progress(
                execution_id, progress, HistoryBatch.from_text(events)
            )
        except DatabaseUnavailable:
            if events:
                raise

    @activity.defn
    async def record_events(self, execution_id: str, events: str) -> None:
        """Fails while the database is down."""
        await self._recorder.record_events(execution_id, HistoryBatch.from_text(events))

    @activity.defn
    async def record_end(self, execution_id: str, end: ExecutionEnd, events: str = "") -> None:
        """Fails while the database is down."""
        await self._recorder.record_end(execution_id, end, HistoryBatch.from_text(events))
        if self._on_fault is not None and end.status is ExecutionStatus.FAULTED:
            self._on_fault()
        if self._watcher is not None:
            await self._watcher.run_ended(execution_id)
