"""`biz.engine` over the Temporal client."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

from temporalio.api.failure.v1 import Failure
from temporalio.client import (
    Client,
    Interceptor,
    WorkflowExecutionDescription,
    WorkflowExecutionStatus,
    WorkflowFailureError,
    WorkflowHandle,
    WorkflowQueryFailedError,
)
from temporalio.common import WorkflowIDReusePolicy
from temporalio.converter import DataConverter, DefaultFailureConverter, PayloadConverter
from temporalio.exceptions import ApplicationError, WorkflowAlreadyStartedError
from temporalio.service import RPCError, RPCStatusCode

from biz.dsl.errors import WorkflowError
from biz.engine import (
    CHECKPOINT_QUERY,
    ORDER_SIGNAL,
    REVISION,
    UNWRITTEN_QUERY,
    WAKE_SIGNAL,
    WORKFLOW_TYPE,
    RunOrder,
    RunRefused,
    RunRequest,
    RunState,
)
from biz.errors import EngineUnavailable
from biz.executions.execution import Execution, ExecutionEnd, ExecutionStatus
from biz.executions.history_batch import HistoryBatch

_SUMMARY_LENGTH = 100  # Temporal takes at most 400 bytes to show beside a run
_RPC_TIMEOUT = timedelta(seconds=5)
_QUERY_TIMEOUT = timedelta(seconds=15)
_ENDED_FROM_OUTSIDE = (
    f'WorkflowType = "{WORKFLOW_TYPE}" AND CloseTime > "{{since}}" '
    'AND ExecutionStatus IN ("Terminated", "TimedOut", "Canceled", "Failed")'
)


class _WithoutTraces(DefaultFailureConverter):
    """Keeps the files of a worker out of Temporal's history; its log has them."""

    def to_failure(
        self, exception: BaseException, payload_converter: PayloadConverter, failure: Failure
    ) -> None:
        super().to_failure(exception, payload_converter, failure)
        failure.stack_trace = ""


async def connect(
    *, address: str, namespace: str, interceptors: Sequence[Interceptor] = ()
) -> Client:
    """A client that comes back by itself when it is cut off. Raises EngineUnavailable."""
    try:
        return await Client.connect(
            address,
            namespace=namespace,
            interceptors=interceptors,
            data_converter=DataConverter(failure_converter_class=_WithoutTraces),
        )
    except RuntimeError:
        raise EngineUnavailable(f"Temporal doesn't answer at {address}") from None


class TemporalEngine:
    """Runs are Temporal workflows, each under its execution's id."""

    def __init__(self, *, client: Client, task_queue: str, version: str) -> None:
        """`version` is this service's, which its runs are told."""
        self._client = client
        self._task_queue = task_queue
        self._version = version

    async def start(self, execution: Execution, order: RunOrder | None = None) -> None:
        """See Engine. An id starts once, even after its run has ended."""
        signal: dict[str, Any] = {"start_signal": ORDER_SIGNAL, "start_signal_args": [order]}
        request = RunRequest(
            revision=REVISION,
            execution_id=execution.id,
            definition=execution.definition,
            input=execution.input,
            engine_version=self._version,
            namespace=execution.namespace,
            takes_up=bool(execution.retry_of),
        )
        name = f"{execution.namespace}/{execution.template_name} {execution.template_version}"
        with suppress(WorkflowAlreadyStartedError):
            try:
                await self._client.start_workflow(
                    WORKFLOW_TYPE,
                    request,
                    id=execution.id,
                    task_queue=self._task_queue,
                    id_reuse_policy=WorkflowIDReusePolicy.REJECT_DUPLICATE,
                    static_summary=name[:_SUMMARY_LENGTH],
                    rpc_timeout=_RPC_TIMEOUT,
                    **(signal if order else {}),
                )
            except RPCError as error:
                if error.status is RPCStatusCode.INVALID_ARGUMENT:
                    raise RunRefused(f"Temporal refuses the run: {error.message}") from error
                raise _unavailable() from error

    async def wake(self, id: str) -> bool:
        """See Engine."""
        run = self._client.get_workflow_handle(id)
        return await _reaches(run.signal(WAKE_SIGNAL, rpc_timeout=_RPC_TIMEOUT))

    async def order(self, id: str, order: RunOrder) -> bool:
        """See Engine."""
        run = self._client.get_workflow_handle(id)
        return await _reaches(run.signal(ORDER_SIGNAL, order, rpc_timeout=_RPC_TIMEOUT))

    async def cancel(self, id: str) -> bool:
        """See Engine."""
        run = self._client.get_workflow_handle(id)
        return await _reaches(run.cancel(rpc_timeout=_RPC_TIMEOUT))

    async def terminate(self, id: str, reason: str) -> bool:
        """See Engine."""
        run = self._client.get_workflow_handle(id)
        return await _reaches(run.terminate(reason=reason, rpc_timeout=_RPC_TIMEOUT))

    async def unwritten_history(self, id: str) -> HistoryBatch:
        """See Engine."""
        return HistoryBatch.from_text(await self._ask(id, UNWRITTEN_QUERY))

    async def checkpoint(self, id: str) -> str:
        """See Engine."""
        return await self._ask(id, CHECKPOINT_QUERY)

    async def _ask(self, id: str, query: str) -> str:
        """What a run says, empty where nothing can; a worker replays it for that."""
        run = self._client.get_workflow_handle(id)
        try:
            said: str = await run.query(query, result_type=str, rpc_timeout=_QUERY_TIMEOUT)
        except WorkflowQueryFailedError:
            return ""
        except RPCError as error:
            if error.status is RPCStatusCode.NOT_FOUND or not await _has_begun(run):
                return ""
            raise _unavailable() from error
        return said

    async def wait(self, id: str, timeout: timedelta) -> None:
        """See Engine. Holds one long poll at Temporal."""
        handle = self._client.get_workflow_handle(id)
        try:
            async with asyncio.timeout(timeout.total_seconds()):
                await handle.result()
        except (TimeoutError, WorkflowFailureError):
            return
        except RPCError as error:
            if error.status is not RPCStatusCode.NOT_FOUND:
                raise _unavailable() from error

    async def state(self, id: str) -> RunState | None:
        """See Engine."""
        handle = self._client.get_workflow_handle(id)
        try:
            description = await handle.describe(rpc_timeout=_RPC_TIMEOUT)
            if description.status is WorkflowExecutionStatus.RUNNING:
                return RunState(end=None)
            return RunState(end=await _end(handle, description))
        except RPCError as error:
            if error.status is RPCStatusCode.NOT_FOUND:
                return None
            raise _unavailable() from error

    async def ended_from_outside(self, since: datetime) -> AsyncIterator[str]:
        """See Engine. Temporal's list lags behind by a second or two."""
        query = _ENDED_FROM_OUTSIDE.format(since=since.astimezone(UTC).isoformat())
        try:
            async for found in self._client.list_workflows(query, rpc_timeout=_RPC_TIMEOUT):
                yield found.id
        except RPCError as error:
            raise _unavailable() from error


async def _reaches(request: Awaitable[None]) -> bool:
    """Whether there is a run under way that a request was for."""
    try:
        await request
    except RPCError as error:
        if error.status is RPCStatusCode.NOT_FOUND:
            return False
        raise _unavailable() from error
    return True


async def _has_begun(run: WorkflowHandle[Any, Any]) -> bool:
    """Whether Temporal knows of anything that a run did: before that it can't be queried."""
    try:
        async for event in run.fetch_history_events(rpc_timeout=_RPC_TIMEOUT):
            if event.HasField("workflow_task_completed_event_attributes"):
                return True
    except RPCError as error:
        raise _unavailable() from error
    return False


async def _end(
    handle: WorkflowHandle[Any, Any], description: WorkflowExecutionDescription
) -> ExecutionEnd:
    """How a closed run ended."""
    status, output, error = ExecutionStatus.COMPLETED, None, None
    try:
        output = await handle.result(rpc_timeout=_RPC_TIMEOUT)
    except WorkflowFailureError as failure:
        status, error = _failure(description.status, failure.cause)
    return ExecutionEnd(
        status=status,
        output=output,
        error=error,
        ended_at=description.close_time or datetime.now(UTC),
    )


def _failure(
    status: WorkflowExecutionStatus | None, cause: BaseException
) -> tuple[ExecutionStatus, WorkflowError | None]:
    match status:
        case WorkflowExecutionStatus.TERMINATED:
            detail = f"the run was terminated: {cause}"
            return ExecutionStatus.TERMINATED, WorkflowError.standard("runtime", detail)
        case WorkflowExecutionStatus.CANCELED:
            return ExecutionStatus.CANCELLED, None
        case WorkflowExecutionStatus.TIMED_OUT:
            detail = "the run took longer than Temporal allows it"
            return ExecutionStatus.FAULTED, WorkflowError.standard("timeout", detail)
    if isinstance(cause, ApplicationError) and cause.details:
        return ExecutionStatus.FAULTED, WorkflowError.from_json(cause.details[0])
    return ExecutionStatus.FAULTED, WorkflowError.standard("runtime", "the run failed at Temporal")


def _unavailable() -> EngineUnavailable:
    return EngineUnavailable("Temporal doesn't answer; try again in a moment")
