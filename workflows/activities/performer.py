"""What all activities that make a call have in common."""

import asyncio
import traceback
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, TypeVar

import structlog
from temporalio.exceptions import ApplicationError, ApplicationErrorCategory

from biz.dsl.calls.call import Call
from biz.dsl.errors import TaskFault, WorkflowError
from biz.errors import DatabaseUnavailable
from biz.executions.execution import ExecutionProgress, ExecutionRecorder
from biz.executions.history_batch import HistoryBatch
from biz.logs.log import LogSink
from workflows.activities.call_completer import CallCompleter
from workflows.activities.call_log import CallLog, logged_call
from workflows.activities.expressions.expression_pool import ProcessLost
from workflows.activities.heartbeats import heartbeats
from workflows.activities.redaction import Secrecy, secrecy

_log = structlog.get_logger(__name__)

_PATIENCE_SECONDS = 1.0

_Call = TypeVar("_Call", bound=Call)


@dataclass(frozen=True, slots=True, kw_only=True)
class CallContext:
    """Whose call it is, where the run stands with it, and what of its history isn't written yet.

    `events` is the text of a HistoryBatch.
    """

    execution_id: str
    namespace: str
    progress: ExecutionProgress
    events: str = ""


class Performer:
    """Makes calls on behalf of executions.

    A call may be repeated when its worker is lost; its idempotency key is the same then.
    """

    def __init__(
        self,
        *,
        recorder: ExecutionRecorder,
        completer: CallCompleter,
        logs: LogSink,
        clock: Callable[[], datetime],
    ) -> None:
        self._recorder = recorder
        self._completer = completer
        self._logs = logs
        self._clock = clock

    async def perform(
        self, call: _Call, context: CallContext, send: Callable[[_Call], Awaitable[Any]]
    ) -> Any:
        """What `send` gives for the call; raises an ApplicationError with its problem details.

        `send` raises TaskFault, which is final. No secret of the call stands in an error.
        """
        async with heartbeats():
            await self._record(context)
            with secrecy() as secrets, self._logged(context, secrets):
                try:
                    call = await self._completer.complete(call, context.namespace)
                    call.check()
                    return await send(call)
                except TaskFault as fault:
                    detail = secrets.redact(fault.error.detail)
                    raise _final(replace(fault.error, detail=detail)) from None
                except ProcessLost:
                    raise
                except Exception:
                    trace = secrets.redact(traceback.format_exc())
                    _log.error("a call broke", execution_id=context.execution_id, trace=trace)
                    error = WorkflowError.standard("runtime", "the engine broke on this call")
                    raise _final(error) from None

    @contextmanager
    def _logged(self, context: CallContext, secrets: Secrecy) -> Iterator[None]:
        """What is logged in the block is of this call, and says so."""
        execution_id, task = context.execution_id, context.progress.current_tasks[-1]
        log = CallLog(
            sink=self._logs,
            clock=self._clock,
            execution_id=execution_id,
            task=task,
            secrets=secrets,
        )
        bound = structlog.contextvars.bound_contextvars(execution_id=execution_id, task=task)
        with logged_call(log), bound:
            yield

    async def _record(self, context: CallContext) -> None:
        """Writes what the context holds; a database that is down delays a call with history."""
        events = HistoryBatch.from_text(context.events)
        while True:
            try:
                return await self._recorder.record_progress(
                    context.execution_id, context.progress, events
                )
            except DatabaseUnavailable:
                if not events:  # progress is for show
                    return None
                await asyncio.sleep(_PATIENCE_SECONDS)


def _final(error: WorkflowError) -> ApplicationError:
    return ApplicationError(
        error.detail or error.title,
        error.to_json(),
        type=error.type,
        non_retryable=True,
        category=ApplicationErrorCategory.BENIGN,
    )
