"""Writes what a run says of itself to the database."""

from temporalio import activity

from biz.errors import DatabaseUnavailable
from biz.execution import ExecutionEnd, ExecutionProgress, ExecutionRecorder
from biz.history_batch import HistoryBatch


class RecordingActivities:
    """Every method may be repeated; Temporal does so until it succeeds.

    `events` is the text of a HistoryBatch.
    """

    def __init__(self, *, recorder: ExecutionRecorder) -> None:
        self._recorder = recorder

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
