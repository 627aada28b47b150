"""What an operation can do to each of its executions."""

from collections.abc import Mapping
from contextlib import suppress

from biz.errors import ExecutionNotFound
from biz.execution_control import ExecutionControl
from biz.operation import BatchAction
from biz.operation_runner import BatchStep, BatchVerb
from biz.removal import RemovalUsecase


def batch_verbs(
    *, control: ExecutionControl, removal: RemovalUsecase
) -> Mapping[BatchAction, BatchVerb]:
    """The verbs; an action that has none isn't offered."""

    async def suspend(step: BatchStep) -> None:
        await control.suspend(step.execution_id, reason=step.reason)

    async def resume(step: BatchStep) -> None:
        await control.resume(step.execution_id, reason=step.reason)

    async def cancel(step: BatchStep) -> None:
        await control.cancel(step.execution_id, reason=step.reason)

    async def terminate(step: BatchStep) -> None:
        await control.terminate(step.execution_id, reason=step.reason)

    async def delete(step: BatchStep) -> None:
        with suppress(ExecutionNotFound):  # it was deleted before
            await removal.delete(step.execution_id)

    return {
        BatchAction.SUSPEND: suspend,
        BatchAction.RESUME: resume,
        BatchAction.CANCEL: cancel,
        BatchAction.TERMINATE: terminate,
        BatchAction.DELETE: delete,
    }
