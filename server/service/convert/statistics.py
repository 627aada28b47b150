"""Statistics of executions."""

from datetime import timedelta

from api.execution.v1 import execution_pb2
from biz.executions.execution import ExecutionQuery
from biz.statistics import Durations, Statistics, TaskStatistics
from server.service.convert.time import (
    optional_time_from_proto,
    time_to_proto,
)
from server.service.convert.values import text_to_proto


def stats_query_from_proto(request: execution_pb2.GetExecutionStatsRequest) -> ExecutionQuery:
    """Which executions are meant."""
    return ExecutionQuery(
        namespace=request.namespace,
        template_id=request.template_id,
        template_name=request.template_name,
        created_after=optional_time_from_proto(request, "created_after"),
        created_before=optional_time_from_proto(request, "created_before"),
    )


def interval_from_proto(request: execution_pb2.GetExecutionStatsRequest) -> timedelta | None:
    """The length of the intervals, to the microsecond; None where none are asked for."""
    return request.interval.ToTimedelta() if request.HasField("interval") else None


def statistics_to_proto(statistics: Statistics) -> execution_pb2.GetExecutionStatsResponse:
    """The message."""
    response = execution_pb2.GetExecutionStatsResponse
    return response(
        total=statistics.total,
        by_status=[
            response.StatusCount(
                status=execution_pb2.Execution.Status.Value(status.name), count=count
            )
            for status, count in statistics.by_status.items()
        ],
        success_rate=statistics.success_rate,
        duration=_durations(statistics.durations) if statistics.durations else None,
        intervals=[
            response.Interval(
                start=time_to_proto(interval.start),
                started=interval.started,
                completed=interval.completed,
                faulted=interval.faulted,
            )
            for interval in statistics.intervals
        ],
        slowest_tasks=map(_task_stats, statistics.slowest_tasks),
        failing_tasks=map(_task_stats, statistics.failing_tasks),
        task_executions=statistics.task_executions,
    )


def _task_stats(task: TaskStatistics) -> execution_pb2.GetExecutionStatsResponse.TaskStats:
    return execution_pb2.GetExecutionStatsResponse.TaskStats(
        template_id=task.template_id,
        task=text_to_proto(task.task),
        count=task.count,
        faulted=task.faulted,
        duration=_durations(task.durations),
    )


def _durations(durations: Durations) -> execution_pb2.GetExecutionStatsResponse.DurationStats:
    message = execution_pb2.GetExecutionStatsResponse.DurationStats()
    message.p50.FromTimedelta(durations.p50)
    message.p95.FromTimedelta(durations.p95)
    message.p99.FromTimedelta(durations.p99)
    message.max.FromTimedelta(durations.max)
    return message
