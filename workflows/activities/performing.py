"""What all activities that make a call have in common."""

from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, TypeVar

import structlog
from temporalio.exceptions import ApplicationError, ApplicationErrorCategory

from biz.dsl.calls.call import Call
from biz.dsl.errors import TaskFault, WorkflowError
from biz.errors import DatabaseUnavailable
from biz.execution import ExecutionProgress, ExecutionRecorder
from workflows.activities.heartbeats import heartbeats

_log = structlog.get_logger(__name__)

_Call = TypeVar("_Call", bound=Call)


@dataclass(frozen=True, slots=True, kw_only=True)
class CallContext:
    """Whose call it is, and where the run stands with it."""

    execution_id: str
    namespace: str
    progress: ExecutionProgress


class Performer:
    """Makes calls on behalf of executions.

    A call may be repeated when its worker is lost; its idempotency key is the same then.
    """

    def __init__(self, *, recorder: ExecutionRecorder) -> None:
        self._recorder = recorder

    async def perform(
        self, call: _Call, context: CallContext, send: Callable[[_Call], Awaitable[Any]]
    ) -> Any:
        """What `send` gives for the call; raises an ApplicationError with its problem details.

        `send` raises TaskFault, which is final.
        """
        async with heartbeats():
            with suppress(DatabaseUnavailable):  # progress is for show: no call waits for it
                await self._recorder.record_progress(context.execution_id, context.progress)
            try:
                call.require_valid()
                return await send(call)
            except TaskFault as fault:
                raise _final(fault.error) from None
            except Exception:
                _log.exception("a call broke", execution_id=context.execution_id)
                error = WorkflowError.standard("runtime", "the engine broke on this call")
                raise _final(error) from None


def _final(error: WorkflowError) -> ApplicationError:
    return ApplicationError(
        error.detail or error.title,
        error.to_json(),
        type=error.type,
        non_retryable=True,
        category=ApplicationErrorCategory.BENIGN,
    )
