"""Writes what a run says of itself to the database."""

from collections.abc import Sequence

from temporalio import activity

from biz.dsl.lifecycle import LifecycleEvent
from biz.errors import DatabaseUnavailable
from biz.execution import ExecutionEnd, ExecutionProgress, ExecutionRecorder


class RecordingActivities:
    """Every method may be repeated; Temporal does so until it succeeds."""

    def __init__(self, *, recorder: ExecutionRecorder) -> None:
        self._recorder = recorder

    @activity.defn
    async def record_progress(
        self,
        execution_id: str,
        progress: ExecutionProgress,
        events: Sequence[LifecycleEvent] = (),
    ) -> None:
        """Fails while the database is down, unless it is only for show."""
        try:
            await self._recorder.record_progress(execution_id, progress, events)
        except DatabaseUnavailable:
            if events:
                raise

    @activity.defn
    async def record_events(self, execution_id: str, events: Sequence[LifecycleEvent]) -> None:
        """Fails while the database is down."""
        await self._recorder.record_events(execution_id, events)

    @activity.defn
    async def record_end(
        self, execution_id: str, end: ExecutionEnd, events: Sequence[LifecycleEvent] = ()
    ) -> None:
        """Fails while the database is down."""
        await self._recorder.record_end(execution_id, end, events)
