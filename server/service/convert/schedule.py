"""Schedules, and the requests for them."""

from datetime import datetime
from typing import Any

from api.workflow.v1 import workflow_pb2
from biz.errors import Violation
from biz.schedules.schedule import Schedule, ScheduleKind
from server.service.convert.refusal import refuse
from server.service.convert.time import optional_time_to_proto, time_from_proto, time_to_proto
from server.service.convert.values import optional_value_from_proto


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
        last_start_time=optional_time_to_proto(schedule.last_start_time),
        last_execution_id=schedule.last_execution_id,
    )
    message.next_start_times.extend(map(time_to_proto, schedule.next_times(now)))
    return message


def trigger_input_from_proto(request: workflow_pb2.TriggerScheduleRequest) -> Any:
    """The input, None where there is none. Raises InvalidArgument."""
    faults: list[Violation] = []
    input = optional_value_from_proto(request, "input", faults=faults)
    refuse(faults)
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
    refuse(faults)
    return time_from_proto(request.start_time), time_from_proto(request.end_time)
