"""Writes what a run says of itself to the database."""

from temporalio import activity

from biz.execution import ExecutionEnd, ExecutionProgress, ExecutionRecorder


class RecordingActivities:
    """Every method may be repeated; Temporal does so until the database takes it."""

    def __init__(self, *, recorder: ExecutionRecorder) -> None:
        self._recorder = recorder

    @activity.defn
    async def record_progress(self, execution_id: str, progress: ExecutionProgress) -> None:
        """See ExecutionRecorder."""
        await self._recorder.record_progress(execution_id, progress)

    @activity.defn
    async def record_end(self, execution_id: str, end: ExecutionEnd) -> None:
        """See ExecutionRecorder."""
        await self._recorder.record_end(execution_id, end)
