"""Between messages and entities: one pure function a direction.

What a request can't mean becomes an InvalidArgument that names every such field at once.
"""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

from google.protobuf.descriptor import EnumDescriptor
from google.protobuf.duration_pb2 import Duration
from google.protobuf.struct_pb2 import Struct, Value
from google.protobuf.timestamp_pb2 import Timestamp

from api.execution.v1 import execution_pb2
from api.template.v1 import template_pb2
from api.workflow.v1 import workflow_pb2
from biz.dry_run import DryRunRequest
from biz.dsl.dry_run import DryRun, Ending
from biz.dsl.errors import WorkflowError
from biz.dsl.lifecycle import ABSENT, LifecycleEvent
from biz.dsl.memory_runtime import Answer
from biz.dsl.reading.diagnostics import Diagnostic
from biz.errors import InvalidArgument, Violation
from biz.execution import (
    BusinessKeyPolicy,
    Execution,
    ExecutionQuery,
    ExecutionStatus,
    StartRequest,
)
from biz.execution_log import ExecutionLog, LogLevel, LogQuery
from biz.execution_retry import RetryRequest
from biz.history import PayloadReference
from biz.history_steps import HistoryEnd
from biz.paging import PageRequest
from biz.picture import PictureFormat
from biz.schedule import Schedule, ScheduleKind
from biz.statistics import Durations, Statistics, TaskStatistics
from biz.template import Template, TemplateChange, TemplateQuery, TemplateStatus
from biz.template_alias import TemplateAlias
from server.service.values import text_to_proto, value_from_proto, value_to_proto


class ListRequest(Protocol):
    """What all requests for a page have in common."""

    page_size: int
    page_token: str
    order_by: str
    show_total: bool


def page_request_from_proto(request: ListRequest) -> PageRequest:
    """The page that is asked for."""
    return PageRequest(
        size=request.page_size,
        token=request.page_token,
        order_by=request.order_by,
        show_total=request.show_total,
    )


def template_to_proto(template: Template) -> template_pb2.Template:
    """The message; its config is empty where the entity's is."""
    return template_pb2.Template(
        id=template.id,
        name=template.name,
        description=template.description,
        version=template.version,
        config=template.config,
        status=template.status.value,
        created_at=_timestamp(template.created_at),
        updated_at=_timestamp(template.updated_at),
        etag=template.etag,
        namespace=template.namespace,
        digest=template.digest,
        labels=template.labels,
    )


def template_change_from_proto(request: template_pb2.UpdateTemplateRequest) -> TemplateChange:
    """What the request sets. Raises InvalidArgument."""
    faults: list[Violation] = []
    change = TemplateChange(
        name=request.name if request.HasField("name") else None,
        version=request.version if request.HasField("version") else None,
        description=request.description if request.HasField("description") else None,
        config=request.config if request.HasField("config") else None,
        status=_template_status(request.status, faults) if request.HasField("status") else None,
        labels=_labels(request.labels, faults) if request.HasField("labels") else None,
    )
    _refuse(faults)
    return change


def template_query_from_proto(request: template_pb2.ListTemplatesRequest) -> TemplateQuery:
    """The filter, without its labels, which are read by the use case. Raises InvalidArgument."""
    faults: list[Violation] = []
    _check_enum(template_pb2.Template.View.DESCRIPTOR, request.view, "view", faults)
    query = TemplateQuery(
        namespace=request.namespace,
        name=request.name,
        name_prefix=request.name_prefix,
        status=_template_status(request.status, faults) if request.status else None,
        full=request.view == template_pb2.Template.FULL,
    )
    _refuse(faults)
    return query


def template_alias_to_proto(alias: TemplateAlias) -> template_pb2.TemplateAlias:
    """The message."""
    return template_pb2.TemplateAlias(
        namespace=alias.namespace,
        name=alias.name,
        alias=alias.alias,
        version=alias.version,
        template_id=alias.template_id,
        updated_at=_timestamp(alias.updated_at),
    )


def start_request_from_proto(request: execution_pb2.StartExecutionRequest) -> StartRequest:
    """What is to be run. Raises InvalidArgument."""
    faults: list[Violation] = []
    start = StartRequest(
        template_id=request.template_id,
        namespace=request.namespace,
        template_name=request.template_name,
        version=request.version,
        alias=request.alias,
        input=(
            value_from_proto(request.input, field="input", faults=faults)
            if request.HasField("input")
            else None
        ),
        labels=dict(request.labels),
        business_key=request.business_key,
        business_key_policy=_business_key_policy(request.business_key_policy, faults),
        request_id=request.request_id,
        wait=wait_from_proto(request.wait),
    )
    _refuse(faults)
    return start


def retry_request_from_proto(request: execution_pb2.RetryExecutionRequest) -> RetryRequest:
    """What is to be taken up, and where. Raises InvalidArgument."""
    faults: list[Violation] = []
    retry = RetryRequest(
        id=request.id,
        from_task=request.from_task,
        input=(
            value_from_proto(request.input, field="input", faults=faults)
            if request.HasField("input")
            else ABSENT
        ),
        latest_template=request.latest_template,
        request_id=request.request_id,
    )
    _refuse(faults)
    return retry


def cloud_event_from_proto(
    request: execution_pb2.SignalExecutionRequest | execution_pb2.PublishEventRequest,
) -> Any:
    """The JSON value that is to be a CloudEvent, null where there is none.

    Raises InvalidArgument.
    """
    if not request.HasField("event"):
        return None
    faults: list[Violation] = []
    event = value_from_proto(request.event, field="event", faults=faults)
    _refuse(faults)
    return event


def execution_query_from_proto(request: execution_pb2.ListExecutionsRequest) -> ExecutionQuery:
    """The filter, without its labels, which are read by the use case. Raises InvalidArgument."""
    faults: list[Violation] = []
    _check_enum(execution_pb2.Execution.View.DESCRIPTOR, request.view, "view", faults)
    query = replace(
        _execution_query(request, faults, field="status"),
        business_key=request.business_key,
        full=request.view == execution_pb2.Execution.FULL,
    )
    _refuse(faults)
    return query


def stats_query_from_proto(request: execution_pb2.GetExecutionStatsRequest) -> ExecutionQuery:
    """Which executions are meant."""
    return ExecutionQuery(
        namespace=request.namespace,
        template_id=request.template_id,
        template_name=request.template_name,
        created_after=(
            _datetime(request.created_after) if request.HasField("created_after") else None
        ),
        created_before=(
            _datetime(request.created_before) if request.HasField("created_before") else None
        ),
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
                start=_timestamp(interval.start),
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


def execution_filter_from_proto(
    filter: execution_pb2.BatchExecutionsRequest.Filter, faults: list[Violation]
) -> ExecutionQuery:
    """Likewise of a batch; adds its faults."""
    return _execution_query(filter, faults, field="filter", pointer="/status")


def _execution_query(
    filter: execution_pb2.ListExecutionsRequest | execution_pb2.BatchExecutionsRequest.Filter,
    faults: list[Violation],
    *,
    field: str,
    pointer: str = "",
) -> ExecutionQuery:
    """What lists and batches filter by alike; `field` and `pointer` are where the status is."""
    statuses: list[Violation] = []
    query = ExecutionQuery(
        namespace=filter.namespace,
        template_id=filter.template_id,
        template_name=filter.template_name,
        statuses=[
            status
            for index, number in enumerate(filter.status)
            if (status := _execution_status(number, index, statuses))
        ],
        parent_id=filter.parent_id,
        created_after=(
            _datetime(filter.created_after) if filter.HasField("created_after") else None
        ),
        created_before=(
            _datetime(filter.created_before) if filter.HasField("created_before") else None
        ),
    )
    faults += [replace(f, field=field, pointer=f"{pointer}{f.pointer}") for f in statuses]
    return query


def check_execution_view(view: execution_pb2.Execution.View.ValueType) -> None:
    """Raises InvalidArgument where it is no view that this server knows."""
    faults: list[Violation] = []
    _check_enum(execution_pb2.Execution.View.DESCRIPTOR, view, "view", faults)
    _refuse(faults)


def picture_format_from_proto(
    format: workflow_pb2.RenderWorkflowRequest.Format.ValueType,
) -> PictureFormat:
    """SVG unless another one is asked for. Raises InvalidArgument."""
    faults: list[Violation] = []
    formats = workflow_pb2.RenderWorkflowRequest.Format
    _check_enum(formats.DESCRIPTOR, format, "format", faults)
    _refuse(faults)
    is_mermaid = format == workflow_pb2.RenderWorkflowRequest.MERMAID
    return PictureFormat.MERMAID if is_mermaid else PictureFormat.SVG


def wait_from_proto(wait: Duration) -> timedelta:
    """The duration, to the microsecond."""
    return wait.ToTimedelta()


def execution_to_proto(
    execution: Execution,
    *,
    view: execution_pb2.Execution.View.ValueType = execution_pb2.Execution.VIEW_UNSPECIFIED,
    runs_url: str = "",
) -> execution_pb2.Execution:
    """The message: without definition, input and output when BASIC, with all of them when FULL,
    and by default with the last two.

    `runs_url` is where Temporal's web interface shows runs, each below its id; empty for nowhere.
    """
    message = execution_pb2.Execution(
        id=execution.id,
        template_id=execution.template_id,
        template_name=execution.template_name,
        template_version=execution.template_version,
        namespace=execution.namespace,
        definition_digest=execution.definition_digest,
        status=execution_pb2.Execution.Status.Value(execution.status.name),
        error=_error(execution.error) if execution.error else None,
        created_at=_timestamp(execution.created_at),
        started_at=_timestamp(execution.started_at),
        ended_at=_timestamp(execution.ended_at),
        duration=_duration(execution.started_at, execution.ended_at),
        labels=execution.labels,
        current_tasks=execution.current_tasks,
        temporal_url=f"{runs_url}/{execution.id}" if runs_url else "",
        business_key=execution.business_key,
        parent_id=execution.parent_id,
        retry_of=execution.retry_of,
        retried_by=execution.retried_by,
    )
    if view != execution_pb2.Execution.BASIC:
        message.input.CopyFrom(value_to_proto(execution.input))
        if execution.status is ExecutionStatus.COMPLETED:
            message.output.CopyFrom(value_to_proto(execution.output))
    if view == execution_pb2.Execution.FULL:
        message.definition = execution.definition
    return message


def lifecycle_event_to_proto(event: LifecycleEvent) -> execution_pb2.ExecutionEvent:
    """The message; at the end of a task or run it has the duration."""
    return execution_pb2.ExecutionEvent(
        sequence=event.sequence,
        time=_timestamp(event.time),
        type=event.type.value,
        task=text_to_proto(event.task),
        input=_event_value(event.input),
        output=_event_value(event.output),
        error=_error(event.error) if event.error else None,
        attempt=event.attempt,
        duration=_duration(event.started_at, event.time),
        iterations=event.iterations,
    )


def log_query_from_proto(request: execution_pb2.ListExecutionLogsRequest) -> LogQuery:
    """The filter. Raises InvalidArgument."""
    faults: list[Violation] = []
    levels = execution_pb2.ExecutionLog.Level
    _check_enum(levels.DESCRIPTOR, request.level, "level", faults)
    _refuse(faults)
    level = LogLevel[levels.Name(request.level)] if request.level else LogLevel.DEBUG
    return LogQuery(execution_id=request.id, level=level, task=request.task)


def log_to_proto(line: ExecutionLog) -> execution_pb2.ExecutionLog:
    """The message."""
    return execution_pb2.ExecutionLog(
        time=_timestamp(line.time),
        level=execution_pb2.ExecutionLog.Level.Value(line.level.name),
        task=text_to_proto(line.task),
        message=text_to_proto(line.message),
        fields=value_to_proto(dict(line.fields)).struct_value,
        trace_id=line.trace_id,
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


def dry_run_request_from_proto(request: workflow_pb2.TestWorkflowRequest) -> DryRunRequest:
    """What is to be tried. Raises InvalidArgument."""
    faults: list[Violation] = []
    given = DryRunRequest(
        config=request.config,
        template_id=request.template_id,
        input=(
            value_from_proto(request.input, field="input", faults=faults)
            if request.HasField("input")
            else None
        ),
        mocks={
            task: [_answer(answer, faults) for answer in mock.answers]
            for task, mock in request.mocks.items()
        },
        events=[
            (
                value_from_proto(timed.event, field="events", faults=faults),
                _datetime(timed.time) if timed.HasField("time") else None,
            )
            for timed in request.events
        ],
        start=_datetime(request.start_time) if request.HasField("start_time") else None,
    )
    _refuse(faults)
    return given


def dry_run_to_proto(run: DryRun) -> workflow_pb2.TestWorkflowResponse:
    """The message; without a result where the run waits for what never comes."""
    response = workflow_pb2.TestWorkflowResponse(trace=map(lifecycle_event_to_proto, run.trace))
    if run.error is not None:
        response.error.CopyFrom(_error(run.error))
    elif run.ending is Ending.COMPLETED:
        response.output.CopyFrom(value_to_proto(run.output))
    return response


def diagnostic_to_proto(diagnostic: Diagnostic) -> workflow_pb2.Diagnostic:
    """The message."""
    return workflow_pb2.Diagnostic(
        severity=workflow_pb2.Diagnostic.Severity.Value(diagnostic.severity.name),
        code=diagnostic.code,
        message=text_to_proto(diagnostic.message),
        pointer=text_to_proto(diagnostic.pointer),
        line=diagnostic.line,
        column=diagnostic.column,
    )


def _event_value(value: Any) -> Value | None:
    if value is ABSENT:
        return None
    if isinstance(value, PayloadReference):
        return value_to_proto({"payload": value.digest, "length": value.length})
    return value_to_proto(value)


def _answer(
    answer: workflow_pb2.TestWorkflowRequest.Mock.Answer, faults: list[Violation]
) -> Answer:
    delay = answer.delay.ToTimedelta()
    if delay < timedelta():
        message = "the delay must not be negative"
        faults.append(Violation(field="mocks", code="out-of-range", message=message))
    match answer.WhichOneof("answer"):
        case "error":
            return Answer(error=_workflow_error(answer.error, faults), delay=delay)
        case "output":
            output = value_from_proto(answer.output, field="mocks", faults=faults)
            return Answer(output, delay=delay)
    message = "an answer must have an output or an error"
    faults.append(Violation(field="mocks", code="one-of", message=message))
    return Answer()


def _workflow_error(error: execution_pb2.Execution.Error, faults: list[Violation]) -> WorkflowError:
    if not error.type:
        message = "an error must have a type, such as communication"
        faults.append(Violation(field="mocks", code="missing-property", message=message))
    return WorkflowError.like(
        error.type, status=error.status, title=error.title, detail=error.detail
    )


def schedule_to_proto(schedule: Schedule, *, now: datetime) -> workflow_pb2.Schedule:
    """The message, with the next times after `now`."""
    wanted = schedule.wanted
    message = workflow_pb2.Schedule(
        id=schedule.id,
        namespace=schedule.namespace,
        template_id=wanted.template_id,
        template_name=schedule.template_name,
        template_version=wanted.template_version,
        kind=workflow_pb2.Schedule.Kind.Value(schedule.kind.name),
        expression=wanted.expression,
        time_zone=wanted.time_zone if schedule.kind is ScheduleKind.CRON else "",
        overlap_policy=workflow_pb2.Schedule.OverlapPolicy.Value(wanted.overlap.name),
        paused=schedule.is_paused,
        pause_reason=schedule.pause_reason,
        last_start_time=_timestamp(schedule.last_start_time),
        last_execution_id=schedule.last_execution_id,
    )
    message.next_start_times.extend(map(_present_timestamp, schedule.next_times(now)))
    return message


def trigger_input_from_proto(request: workflow_pb2.TriggerScheduleRequest) -> Any:
    """The input, None where there is none. Raises InvalidArgument."""
    if not request.HasField("input"):
        return None
    faults: list[Violation] = []
    input = value_from_proto(request.input, field="input", faults=faults)
    _refuse(faults)
    return input


def backfill_window_from_proto(
    request: workflow_pb2.BackfillScheduleRequest,
) -> tuple[datetime, datetime]:
    """The beginning and the end. Raises InvalidArgument where one of them is missing."""
    faults = [
        Violation(field=field, code="empty", message="is missing")
        for field in ("start_time", "end_time")
        if not request.HasField(field)
    ]
    _refuse(faults)
    return _datetime(request.start_time), _datetime(request.end_time)


def _error(error: WorkflowError) -> execution_pb2.Execution.Error:
    return execution_pb2.Execution.Error(
        type=text_to_proto(error.type),
        title=text_to_proto(error.title),
        status=error.status,
        detail=text_to_proto(error.detail),
        instance=text_to_proto(error.instance),
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


def _timestamp(time: datetime | None) -> Timestamp | None:
    return None if time is None else _present_timestamp(time)


def _present_timestamp(time: datetime) -> Timestamp:
    message = Timestamp()
    message.FromDatetime(time)
    return message


def _datetime(time: Timestamp) -> datetime:
    return time.ToDatetime(tzinfo=UTC)


def _duration(start: datetime | None, end: datetime | None) -> Duration | None:
    if start is None or end is None:
        return None
    message = Duration()
    message.FromTimedelta(end - start)
    return message


def _template_status(text: str, faults: list[Violation]) -> TemplateStatus | None:
    try:
        return TemplateStatus(text)
    except ValueError:
        message = 'must be "active" or "inactive"'
        faults.append(Violation(field="status", code="unknown-status", message=message))
        return None


def _labels(labels: Struct, faults: list[Violation]) -> dict[str, str]:
    found = value_from_proto(Value(struct_value=labels), field="labels", faults=faults)
    for key, value in found.items():
        if not isinstance(value, str):
            message = f"the value of {key[:80]!r} must be a string"
            faults.append(Violation(field="labels", code="wrong-type", message=message))
    return dict(found)


def _execution_status(
    number: execution_pb2.Execution.Status.ValueType, index: int, faults: list[Violation]
) -> ExecutionStatus | None:
    statuses = execution_pb2.Execution.Status
    if number == execution_pb2.Execution.STATUS_UNSPECIFIED or number not in statuses.values():
        known = ", ".join(status.name for status in ExecutionStatus)
        faults.append(
            Violation(
                field="status",
                code="unknown-value",
                message=f"must be one of {known}",
                pointer=f"/{index}",
            )
        )
        return None
    return ExecutionStatus[statuses.Name(number)]


def _business_key_policy(
    number: execution_pb2.StartExecutionRequest.BusinessKeyPolicy.ValueType,
    faults: list[Violation],
) -> BusinessKeyPolicy:
    policies = execution_pb2.StartExecutionRequest.BusinessKeyPolicy
    if _check_enum(policies.DESCRIPTOR, number, "business_key_policy", faults) and number:
        return BusinessKeyPolicy[policies.Name(number)]
    return BusinessKeyPolicy.FAIL


def _check_enum(enum: EnumDescriptor, number: int, field: str, faults: list[Violation]) -> bool:
    """Whether the enum has the number; adds a fault where it hasn't."""
    if number in enum.values_by_number:
        return True
    known = ", ".join(value.name for value in enum.values if value.number)
    faults.append(Violation(field=field, code="unknown-value", message=f"must be one of {known}"))
    return False


def _refuse(faults: list[Violation]) -> None:
    if faults:
        raise InvalidArgument(faults)
