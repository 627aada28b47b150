"""Runs a definition as a child workflow of the one that asks for it."""

import asyncio
from typing import Any

from temporalio import workflow
from temporalio.common import WorkflowIDReusePolicy
from temporalio.exceptions import (
    ApplicationError,
    CancelledError,
    ChildWorkflowError,
    TerminatedError,
    WorkflowAlreadyStartedError,
)
from temporalio.workflow import ChildWorkflowCancellationType, ParentClosePolicy

from biz.dsl.errors import TaskFault, WorkflowError
from biz.engine import WORKFLOW_TYPE, RunRequest

_SUMMARY_LENGTH = 100
"""Temporal takes at most 400 bytes to show beside a run."""


async def run_child(request: RunRequest, *, summary: str, awaited: bool) -> Any:
    """The child's output, null once it is started where it isn't awaited.

    Raises TaskFault, which is the child's where it faulted. A cancellation cancels an awaited
    child, and so does the end of this workflow.
    """
    try:
        child = await workflow.start_child_workflow(
            WORKFLOW_TYPE,
            request,
            id=request.execution_id,
            id_reuse_policy=WorkflowIDReusePolicy.REJECT_DUPLICATE,
            parent_close_policy=(
                ParentClosePolicy.REQUEST_CANCEL if awaited else ParentClosePolicy.ABANDON
            ),
            cancellation_type=ChildWorkflowCancellationType.WAIT_CANCELLATION_COMPLETED,
            static_summary=summary[:_SUMMARY_LENGTH],
        )
        return await child if awaited else None
    except WorkflowAlreadyStartedError:
        raise _fault("runtime", f"the workflow {summary} has been started already") from None
    except ChildWorkflowError as error:
        if _is_cancelled():
            raise asyncio.CancelledError from error
        raise _child_fault(error, summary) from error


def _is_cancelled() -> bool:
    """Whether it is this workflow that was cancelled, or the part of it that runs the child."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


def _child_fault(error: ChildWorkflowError, summary: str) -> TaskFault:
    cause = error.cause
    if isinstance(cause, ApplicationError) and cause.details:
        return TaskFault(WorkflowError.from_json(cause.details[0]))
    if isinstance(cause, CancelledError):
        return _fault("runtime", f"the workflow {summary} was cancelled")
    if isinstance(cause, TerminatedError):
        return _fault("runtime", f"the workflow {summary} was terminated")
    return _fault("timeout", f"the workflow {summary} took longer than Temporal allows it")


def _fault(kind: str, detail: str) -> TaskFault:
    return TaskFault(WorkflowError.standard(kind, detail))
