"""Runs definitions as child workflows of the one that asks for them."""

import asyncio
from contextlib import AbstractContextManager, suppress
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
from temporalio.workflow import (
    ChildWorkflowCancellationType,
    ChildWorkflowHandle,
    ParentClosePolicy,
)

from biz.dsl.errors import TaskFault, WorkflowError
from biz.dsl.run_control import RunControl
from biz.engine import ORDER_SIGNAL, WORKFLOW_TYPE, RunOrder, RunRequest, Verb

_SUMMARY_LENGTH = 100
"""Temporal takes at most 400 bytes to show beside a run."""


class ChildRuns:
    """The child workflows of one run. Those that it awaits are held with it."""

    def __init__(self, control: RunControl) -> None:
        self._control = control
        self._awaited: dict[str, ChildWorkflowHandle[Any, Any]] = {}
        self._changes = 0
        self._telling: list[asyncio.Task[None]] = []

    def followed(self) -> AbstractContextManager[None]:
        """In the block the children are told when the run is suspended and resumed."""
        return self._control.watched(self._follow)

    async def run(self, request: RunRequest, *, summary: str, awaited: bool) -> Any:
        """The child's output, null once it is started where it isn't awaited.

        Raises TaskFault, which is the child's where it faulted. A cancellation cancels an awaited
        child; the end of this workflow from outside ends it.
        """
        await self._control.passed()
        try:
            child = await workflow.start_child_workflow(
                WORKFLOW_TYPE,
                request,
                id=request.execution_id,
                id_reuse_policy=WorkflowIDReusePolicy.REJECT_DUPLICATE,
                parent_close_policy=(
                    ParentClosePolicy.TERMINATE if awaited else ParentClosePolicy.ABANDON
                ),
                cancellation_type=ChildWorkflowCancellationType.WAIT_CANCELLATION_COMPLETED,
                static_summary=summary[:_SUMMARY_LENGTH],
            )
            return await self._end_of(child) if awaited else None
        except WorkflowAlreadyStartedError:
            raise _fault("runtime", f"the workflow {summary} has been started already") from None
        except ChildWorkflowError as error:
            if _is_cancelled():
                raise asyncio.CancelledError from error
            raise _child_fault(error, summary) from error

    async def _end_of(self, child: ChildWorkflowHandle[Any, Any]) -> Any:
        self._awaited[child.id] = child
        if self._control.is_suspended:
            self._tell(child)
        try:
            return await child
        finally:
            del self._awaited[child.id]

    def _follow(self) -> None:
        self._changes += 1
        for child in self._awaited.values():
            self._tell(child)

    def _tell(self, child: ChildWorkflowHandle[Any, Any]) -> None:
        verb = Verb.SUSPEND if self._control.is_suspended else Verb.RESUME
        order = RunOrder(sequence=self._changes, verb=verb, from_parent=True)
        self._telling = [task for task in self._telling if not task.done()]
        self._telling.append(asyncio.create_task(_give(child, order)))


async def _give(child: ChildWorkflowHandle[Any, Any], order: RunOrder) -> None:
    with suppress(ApplicationError):  # it has ended
        await child.signal(ORDER_SIGNAL, order)


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
