"""The log of an execution."""

from api.execution.v1 import execution_pb2
from biz.errors import Violation
from biz.logs.log import ExecutionLog, LogLevel, LogQuery
from server.service.convert.refusal import check_enum, refuse
from server.service.convert.time import time_to_proto
from server.service.convert.values import text_to_proto, value_to_proto


def log_query_from_proto(request: execution_pb2.ListExecutionLogsRequest) -> LogQuery:
    """The filter. Raises InvalidArgument."""
    faults: list[Violation] = []
    levels = execution_pb2.ExecutionLog.Level
    check_enum(levels.DESCRIPTOR, request.level, "level", faults)
    refuse(faults)
    level = LogLevel[levels.Name(request.level)] if request.level else LogLevel.DEBUG
    return LogQuery(execution_id=request.id, level=level, task=request.task)


def log_to_proto(line: ExecutionLog) -> execution_pb2.ExecutionLog:
    """The message."""
    return execution_pb2.ExecutionLog(
        time=time_to_proto(line.time),
        level=execution_pb2.ExecutionLog.Level.Value(line.level.name),
        task=text_to_proto(line.task),
        message=text_to_proto(line.message),
        fields=value_to_proto(dict(line.fields)).struct_value,
        trace_id=line.trace_id,
    )
