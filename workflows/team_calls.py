"""Calls of activities and workflows that other workers do, on Temporal."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from dataclasses import replace
from typing import Any, NoReturn

from temporalio import workflow
from temporalio.common import RawValue, RetryPolicy
from temporalio.exceptions import (
    ActivityError,
    ApplicationError,
    CancelledError,
    ChildWorkflowError,
    FailureError,
    TerminatedError,
    WorkflowAlreadyStartedError,
)
from temporalio.exceptions import TimeoutError as TimedOut
from temporalio.workflow import ChildWorkflowCancellationType, ParentClosePolicy

from biz.dsl.calls.temporal_call import ActivityCall, TemporalCall, TemporalRetries, WorkflowCall
from biz.dsl.errors import TaskFault, WorkflowError
from biz.dsl.json_values import parse_json
from biz.dsl.sizes import MAX_JSON_BYTES, json_size

_LONGEST_TITLE = 200
_JSON = (b"json/plain", b"json/protobuf")
_NULL = b"binary/null"


async def call_team(call: TemporalCall) -> Any:
    """The result of the call, a JSON value; raises TaskFault."""
    call.require_valid()
    _require_foreign(call)
    what = f"the {'activity' if isinstance(call, ActivityCall) else 'workflow'} {call.name}"
    size = json_size(call.arguments)
    if size > MAX_JSON_BYTES:
        raise _fault("runtime", f"the arguments of {what} have more than {MAX_JSON_BYTES} bytes")
    try:
        return _json(await _begin(call), what)
    except (ActivityError, ChildWorkflowError) as error:
        _raise(error, what)
    except WorkflowAlreadyStartedError as error:
        detail = f"{what} can't start: one with the id {error.workflow_id} is running"
        raise _fault("runtime", detail) from None


def _begin(call: TemporalCall) -> Awaitable[RawValue | None]:
    timeouts = call.timeouts
    if isinstance(call, WorkflowCall):
        return workflow.execute_child_workflow(
            call.name,
            args=call.arguments,
            id=call.id,
            task_queue=call.task_queue,
            result_type=RawValue,
            execution_timeout=timeouts.get("execution"),
            run_timeout=timeouts.get("run"),
            task_timeout=timeouts.get("task"),
            retry_policy=_retry_policy(call.retries) if call.retries else None,
            # One that doesn't answer keeps no run from ending, and still learns of it.
            cancellation_type=ChildWorkflowCancellationType.TRY_CANCEL,
            parent_close_policy=ParentClosePolicy.REQUEST_CANCEL,
        )
    return workflow.execute_activity(
        call.name,
        args=call.arguments,
        task_queue=call.task_queue,
        result_type=RawValue,
        schedule_to_close_timeout=timeouts.get("scheduleToClose"),
        schedule_to_start_timeout=timeouts.get("scheduleToStart"),
        start_to_close_timeout=timeouts.get("startToClose"),
        heartbeat_timeout=timeouts.get("heartbeat"),
        retry_policy=_retry_policy(call.retries or TemporalRetries(maximum_attempts=1)),
    )


def _require_foreign(call: TemporalCall) -> None:
    """What this engine's own workers do isn't for definitions."""
    if call.task_queue == workflow.info().task_queue:
        detail = f'the task queue "{call.task_queue}" is this engine\'s own'
        raise _fault("authorization", detail)


def _retry_policy(retries: TemporalRetries) -> RetryPolicy:
    policy = RetryPolicy(
        maximum_attempts=int(retries.maximum_attempts or 0),
        maximum_interval=retries.maximum_interval,
        non_retryable_error_types=retries.non_retryable_error_types,
    )
    if retries.initial_interval is not None:
        policy.initial_interval = retries.initial_interval
    if retries.backoff_coefficient is not None:
        policy.backoff_coefficient = float(retries.backoff_coefficient)
    return policy


def _json(result: RawValue | None, what: str) -> Any:
    """The value of a result; None is that of what gives none."""
    encoding = result.payload.metadata.get("encoding", b"") if result else _NULL
    if result is None or encoding == _NULL:
        return None
    try:
        if encoding not in _JSON:
            raise ValueError
        return parse_json(result.payload.data)
    except ValueError:
        raise _fault("runtime", f"{what} gave something else than JSON") from None


def _raise(error: FailureError, what: str) -> NoReturn:
    """What a failure is to the workflow: its innermost cause tells."""
    cause: BaseException | None = error
    while isinstance(cause, ActivityError | ChildWorkflowError):
        cause = cause.cause
    match cause:
        case CancelledError() if _is_cancelled():
            raise asyncio.CancelledError from error
        case ApplicationError():
            failure = WorkflowError.standard("runtime", cause.message or f"{what} failed")
            title = (cause.type or failure.title)[:_LONGEST_TITLE]
            raise TaskFault(replace(failure, title=title)) from None
        case TimedOut():
            kind = cause.type.name.replace("_", " ").lower() if cause.type else ""
            raise _fault("timeout", f"{what} took too long ({kind})") from None
        case CancelledError():
            raise _fault("runtime", f"{what} was cancelled") from None
        case TerminatedError():
            raise _fault("runtime", f"{what} was terminated") from None
    raise _fault("runtime", f"{what} failed: {cause}") from None


def _is_cancelled() -> bool:
    """Whether it is this run that gives up, or a part of it."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


def _fault(kind: str, detail: str) -> TaskFault:
    return TaskFault(WorkflowError.standard(kind, detail))
