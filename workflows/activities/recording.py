"""Writes what a run says of itself to the database."""

from contextlib import suppress

from temporalio import activity

from biz.errors import DatabaseUnavailable
from biz.execution import ExecutionEnd, ExecutionProgress, ExecutionRecorder


class RecordingActivities:
    """Every method may be repeated; Temporal does so until it succeeds."""

    def __init__(self, *, recorder: ExecutionRecorder) -> None:
        self._recorder = recorder

    @activity.defn
    async def record_progress(self, execution_id: str, progress: ExecutionProgress) -> None:
        """Left out while the database is down: progress is for show, and no run waits for it."""
        with suppress(DatabaseUnavailable):
            await self._recorder.record_progress(execution_id, progress)

    @activity.defn
    async def record_end(self, execution_id: str, end: ExecutionEnd) -> None:
        """Fails while the database is down."""
        await self._recorder.record_end(execution_id, end)
