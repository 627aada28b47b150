"""What an operation can do to each of its executions."""

from collections.abc import Mapping
from contextlib import suppress

from biz.errors import ExecutionNotFound
from biz.executions.control import ExecutionControl
from biz.executions.retry import RetryRequest, RetryUsecase
from biz.operations.operation import BatchAction
from biz.operations.runner import BatchStep, BatchVerb
from biz.retention.removal import RemovalUsecase


def batch_verbs(
    *, control: ExecutionControl, retries: RetryUsecase, removal: RemovalUsecase
) -> Mapping[BatchAction, BatchVerb]:
    """The verb of each action."""

    async def suspend(step: BatchStep) -> None:
        await control.suspend(step.execution_id, reason=step.reason)

    async def resume(step: BatchStep) -> None:
        await control.resume(step.execution_id, reason=step.reason)

    async def cancel(step: BatchStep) -> None:
        await control.cancel(step.execution_id, reason=step.reason)

    async def terminate(step: BatchStep) -> None:
        await control.terminate(step.execution_id, reason=step.reason)

    async def retry(step: BatchStep) -> None:
        await retries.retry(RetryRequest(id=step.execution_id, request_id=step.request_id))

    async def delete(step: BatchStep) -> None:
        with suppress(ExecutionNotFound):  # it was deleted before
            await removal.delete(step.execution_id)

    return {
        BatchAction.SUSPEND: suspend,
        BatchAction.RESUME: resume,
        BatchAction.CANCEL: cancel,
        BatchAction.TERMINATE: terminate,
        BatchAction.RETRY: retry,
        BatchAction.DELETE: delete,
    }
