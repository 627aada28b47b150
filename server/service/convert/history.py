"""What happened in an execution, looked up and watched."""

from typing import Any

from google.protobuf.struct_pb2 import Value

from api.execution.v1 import execution_pb2
from biz.dsl.lifecycle import ABSENT, LifecycleEvent
from biz.history.history import PayloadReference
from biz.history.steps import HistoryEnd
from server.service.convert.error import error_to_proto
from server.service.convert.time import span_to_proto, time_to_proto
from server.service.convert.values import text_to_proto, value_to_proto


def lifecycle_event_to_proto(event: LifecycleEvent) -> execution_pb2.ExecutionEvent:
    """The message; at the end of a task or run it has the duration."""
    return execution_pb2.ExecutionEvent(
        sequence=event.sequence,
        time=time_to_proto(event.time),
        type=event.type.value,
        task=text_to_proto(event.task),
        input=_event_value(event.input),
        output=_event_value(event.output),
        error=error_to_proto(event.error) if event.error else None,
        attempt=event.attempt,
        duration=span_to_proto(event.started_at, event.time),
        iterations=event.iterations,
    )


def watch_record_to_proto(
    record: LifecycleEvent | HistoryEnd,
) -> execution_pb2.WatchExecutionResponse:
    """The message: of an event, or of the end."""
    if isinstance(record, LifecycleEvent):
        return execution_pb2.WatchExecutionResponse(event=lifecycle_event_to_proto(record))
    return execution_pb2.WatchExecutionResponse(
        end=execution_pb2.WatchExecutionResponse.End(
            status=execution_pb2.Execution.Status.Value(record.status.name),
            last_sequence=record.last_sequence,
        )
    )


def _event_value(value: Any) -> Value | None:
    if value is ABSENT:
        return None
    if isinstance(value, PayloadReference):
        return value_to_proto({"payload": value.digest, "length": value.length})
    return value_to_proto(value)
