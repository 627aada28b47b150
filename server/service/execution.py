"""ExecutionService: decode, call one use case, encode."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing

from google.api.httpbody_pb2 import HttpBody
from google.longrunning.operations_pb2 import Operation

from api.execution.v1 import execution_pb2, execution_pb2_grpc
from biz.events.event import EventUsecase
from biz.executions.control import ExecutionControl
from biz.executions.execution import ExecutionUsecase
from biz.executions.retry import RetryUsecase
from biz.history.history import HistoryUsecase
from biz.history.live import LiveHistory
from biz.logs.log import ExecutionLogUsecase
from biz.operations.operation import OperationUsecase
from biz.retention.removal import RemovalUsecase
from biz.statistics import StatisticsUsecase
from server.service.convert.execution import (
    check_execution_view,
    cloud_event_from_proto,
    execution_to_proto,
    retry_request_from_proto,
    start_request_from_proto,
    wait_from_proto,
)
from server.service.convert.execution_query import execution_query_from_proto
from server.service.convert.history import lifecycle_event_to_proto, watch_record_to_proto
from server.service.convert.log import log_query_from_proto, log_to_proto
from server.service.convert.operation import batch_request_from_proto, operation_to_proto
from server.service.convert.paging import page_request_from_proto
from server.service.convert.statistics import (
    interval_from_proto,
    statistics_to_proto,
    stats_query_from_proto,
)

_CHUNK_BYTES = 256 * 1024


class ExecutionService(execution_pb2_grpc.ExecutionServiceServicer):
    """Executions."""

    def __init__(
        self,
        *,
        executions: ExecutionUsecase,
        control: ExecutionControl,
        retries: RetryUsecase,
        history: HistoryUsecase,
        logs: ExecutionLogUsecase,
        events: EventUsecase,
        removal: RemovalUsecase,
        operations: OperationUsecase,
        live: LiveHistory,
        statistics: StatisticsUsecase,
        runs_url: str = "",
    ) -> None:
        """`runs_url` is where Temporal's web interface shows runs, each below its id, such as
        `http://localhost:8088/namespaces/default/workflows`; empty for nowhere.
        """
        self._executions = executions
        self._control = control
        self._retries = retries
        self._history = history
        self._logs = logs
        self._events = events
        self._removal = removal
        self._operations = operations
        self._live = live
        self._statistics = statistics
        self._runs_url = runs_url

    async def StartExecution(
        self, request: execution_pb2.StartExecutionRequest, context: object
    ) -> execution_pb2.StartExecutionResponse:
        # In a thread, since a large input takes a while.
        start = await asyncio.to_thread(start_request_from_proto, request)
        execution = await self._executions.start(start)
        return execution_pb2.StartExecutionResponse(
            execution=execution_to_proto(execution, runs_url=self._runs_url)
        )

    async def RetryExecution(
        self, request: execution_pb2.RetryExecutionRequest, context: object
    ) -> execution_pb2.RetryExecutionResponse:
        retry = await asyncio.to_thread(retry_request_from_proto, request)
        execution = await self._retries.retry(retry)
        return execution_pb2.RetryExecutionResponse(
            execution=execution_to_proto(execution, runs_url=self._runs_url)
        )

    async def GetExecution(
        self, request: execution_pb2.GetExecutionRequest, context: object
    ) -> execution_pb2.GetExecutionResponse:
        check_execution_view(request.view)
        execution = await self._executions.get(request.id, wait=wait_from_proto(request.wait))
        return execution_pb2.GetExecutionResponse(
            execution=execution_to_proto(execution, view=request.view, runs_url=self._runs_url)
        )

    async def ListExecutions(
        self, request: execution_pb2.ListExecutionsRequest, context: object
    ) -> execution_pb2.ListExecutionsResponse:
        page = await self._executions.list(
            page_request_from_proto(request),
            query=execution_query_from_proto(request),
            labels=list(request.labels),
        )
        view = request.view or execution_pb2.Execution.BASIC
        return execution_pb2.ListExecutionsResponse(
            executions=[
                execution_to_proto(execution, view=view, runs_url=self._runs_url)
                for execution in page.items
            ],
            next_page_token=page.next_token,
            total_size=page.total,
        )

    async def SuspendExecution(
        self, request: execution_pb2.SuspendExecutionRequest, context: object
    ) -> execution_pb2.SuspendExecutionResponse:
        execution = await self._control.suspend(request.id, reason=request.reason)
        return execution_pb2.SuspendExecutionResponse(
            execution=execution_to_proto(execution, runs_url=self._runs_url)
        )

    async def ResumeExecution(
        self, request: execution_pb2.ResumeExecutionRequest, context: object
    ) -> execution_pb2.ResumeExecutionResponse:
        execution = await self._control.resume(request.id, reason=request.reason)
        return execution_pb2.ResumeExecutionResponse(
            execution=execution_to_proto(execution, runs_url=self._runs_url)
        )

    async def CancelExecution(
        self, request: execution_pb2.CancelExecutionRequest, context: object
    ) -> execution_pb2.CancelExecutionResponse:
        execution = await self._control.cancel(request.id, reason=request.reason)
        return execution_pb2.CancelExecutionResponse(
            execution=execution_to_proto(execution, runs_url=self._runs_url)
        )

    async def TerminateExecution(
        self, request: execution_pb2.TerminateExecutionRequest, context: object
    ) -> execution_pb2.TerminateExecutionResponse:
        execution = await self._control.terminate(request.id, reason=request.reason)
        return execution_pb2.TerminateExecutionResponse(
            execution=execution_to_proto(execution, runs_url=self._runs_url)
        )

    async def ListExecutionEvents(
        self, request: execution_pb2.ListExecutionEventsRequest, context: object
    ) -> execution_pb2.ListExecutionEventsResponse:
        page = await self._history.list(
            page_request_from_proto(request),
            execution_id=request.id,
            after_sequence=request.after_sequence,
        )
        return execution_pb2.ListExecutionEventsResponse(
            events=[lifecycle_event_to_proto(event) for event in page.items],
            next_page_token=page.next_token,
            total_size=page.total,
        )

    async def GetPayload(
        self, request: execution_pb2.GetPayloadRequest, context: object
    ) -> AsyncIterator[HttpBody]:
        text = await self._history.get_payload(request.id, request.digest)
        content = text.encode()
        for start in range(0, len(content), _CHUNK_BYTES):
            yield HttpBody(
                content_type="application/json", data=content[start : start + _CHUNK_BYTES]
            )

    async def ListExecutionLogs(
        self, request: execution_pb2.ListExecutionLogsRequest, context: object
    ) -> execution_pb2.ListExecutionLogsResponse:
        page = await self._logs.list(
            page_request_from_proto(request), query=log_query_from_proto(request)
        )
        return execution_pb2.ListExecutionLogsResponse(
            logs=[log_to_proto(line) for line in page.items],
            next_page_token=page.next_token,
            total_size=page.total,
        )

    async def WatchExecution(
        self, request: execution_pb2.WatchExecutionRequest, context: object
    ) -> AsyncIterator[execution_pb2.WatchExecutionResponse]:
        records = self._live.watch(request.id, after_sequence=request.after_sequence)
        async with aclosing(records):
            async for record in records:
                yield watch_record_to_proto(record)

    async def SignalExecution(
        self, request: execution_pb2.SignalExecutionRequest, context: object
    ) -> execution_pb2.SignalExecutionResponse:
        event = await asyncio.to_thread(cloud_event_from_proto, request)
        await self._events.signal(request.id, event)
        return execution_pb2.SignalExecutionResponse()

    async def PublishEvent(
        self, request: execution_pb2.PublishEventRequest, context: object
    ) -> execution_pb2.PublishEventResponse:
        event = await asyncio.to_thread(cloud_event_from_proto, request)
        await self._events.publish(event, namespace=request.namespace)
        return execution_pb2.PublishEventResponse()

    async def DeleteExecution(
        self, request: execution_pb2.DeleteExecutionRequest, context: object
    ) -> execution_pb2.DeleteExecutionResponse:
        await self._removal.delete(request.id)
        return execution_pb2.DeleteExecutionResponse()

    async def GetExecutionStats(
        self, request: execution_pb2.GetExecutionStatsRequest, context: object
    ) -> execution_pb2.GetExecutionStatsResponse:
        statistics = await self._statistics.get(
            stats_query_from_proto(request), interval=interval_from_proto(request)
        )
        return statistics_to_proto(statistics)

    async def BatchExecutions(
        self, request: execution_pb2.BatchExecutionsRequest, context: object
    ) -> Operation:
        return operation_to_proto(await self._operations.start(batch_request_from_proto(request)))

    async def GetOperation(
        self, request: execution_pb2.GetOperationRequest, context: object
    ) -> Operation:
        return operation_to_proto(await self._operations.get(request.id))

    async def ListOperations(
        self, request: execution_pb2.ListOperationsRequest, context: object
    ) -> execution_pb2.ListOperationsResponse:
        page = await self._operations.list(
            page_request_from_proto(request), namespace=request.namespace
        )
        return execution_pb2.ListOperationsResponse(
            operations=[operation_to_proto(operation) for operation in page.items],
            next_page_token=page.next_token,
            total_size=page.total,
        )

    async def CancelOperation(
        self, request: execution_pb2.CancelOperationRequest, context: object
    ) -> Operation:
        return operation_to_proto(await self._operations.cancel(request.id))
