"""The Temporal workflow that starts what a schedule has due."""

import asyncio
from datetime import timedelta

from temporalio import workflow
from temporalio.common import RetryPolicy, SearchAttributeKey, WorkflowIDReusePolicy
from temporalio.exceptions import ChildWorkflowError, WorkflowAlreadyStartedError
from temporalio.workflow import ChildWorkflowCancellationType, ParentClosePolicy

with workflow.unsafe.imports_passed_through():
    from biz.engine import REVISION, WORKFLOW_TYPE, RunRequest
    from biz.executions.execution import ExecutionProgress, ExecutionStatus
    from biz.schedules.timetable import START_WORKFLOW, ScheduledStart
    from workflows.activities.recording import RecordingActivities
    from workflows.activities.scheduled_starts import DueRun, ScheduledStartActivities

_DUE_AT = SearchAttributeKey.for_datetime("TemporalScheduledStartTime")
_TIMEOUT = timedelta(seconds=60)
_RETRIES = RetryPolicy(
    initial_interval=timedelta(seconds=1), maximum_interval=timedelta(seconds=10)
)
_SUMMARY_LENGTH = 100
"""Temporal takes at most 400 bytes to show beside a run."""


@workflow.defn(name=START_WORKFLOW)
class ScheduledStartWorkflow:
    """Starts executions; it ends at once, unless the schedule must know when they have ended."""

    @workflow.run
    async def run(self, start: ScheduledStart) -> None:
        """Makes each start once, however often it is repeated."""
        for key in start.keys or [self._due_at()]:
            run = await workflow.execute_activity_method(
                ScheduledStartActivities.start_due,
                args=[start, key],
                start_to_close_timeout=_TIMEOUT,
                retry_policy=_RETRIES,
            )
            if run is not None:
                await self._run(run)

    def _due_at(self) -> str:
        """The time that Temporal holds it to be due at."""
        due_at = workflow.info().typed_search_attributes.get(_DUE_AT) or workflow.now()
        return due_at.isoformat()

    async def _run(self, run: DueRun) -> None:
        """Returns when the execution has ended; its cancellation is this one's."""
        request = RunRequest(
            revision=REVISION,
            execution_id=run.due.id,
            definition=run.due.definition,
            input=run.due.input,
            engine_version=run.engine_version,
            namespace=run.due.namespace,
        )
        try:
            child = await workflow.start_child_workflow(
                WORKFLOW_TYPE,
                request,
                id=run.due.id,
                id_reuse_policy=WorkflowIDReusePolicy.REJECT_DUPLICATE,
                parent_close_policy=ParentClosePolicy.TERMINATE,
                cancellation_type=ChildWorkflowCancellationType.WAIT_CANCELLATION_COMPLETED,
                static_summary=run.due.title[:_SUMMARY_LENGTH],
            )
        except WorkflowAlreadyStartedError:
            return
        await workflow.execute_activity_method(
            RecordingActivities.record_progress,
            args=[run.due.id, _started(), ""],
            start_to_close_timeout=_TIMEOUT,
            retry_policy=_RETRIES,
        )
        try:
            await child
        except ChildWorkflowError as error:
            task = asyncio.current_task()
            if task is not None and task.cancelling():
                raise asyncio.CancelledError from error


def _started() -> ExecutionProgress:
    return ExecutionProgress(
        sequence=0, status=ExecutionStatus.RUNNING, current_tasks=(), at=workflow.now()
    )
