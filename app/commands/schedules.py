"""`schedules`: what starts executions by itself."""

import uuid

from api.workflow.v1 import workflow_pb2
from app.client import connect
from app.commands.executions import show as show_execution
from app.json_argument import json_argument
from app.output import Format, print_done, print_fields, print_json, print_table, time_text, to_json
from app.time_argument import time_argument

Schedule = workflow_pb2.Schedule

_COLUMNS = ("ID", "TEMPLATE", "VERSION", "KIND", "EXPRESSION", "STATE", "NEXT (UTC)")


def list_(*, template: str, limit: int, namespace: str, output: Format, server: str) -> None:
    """Prints the schedules by template, at most `limit`."""
    request = workflow_pb2.ListSchedulesRequest(
        namespace=namespace, template_name=template, page_size=limit, order_by="template_name"
    )
    with connect(server) as client:
        schedules = client.workflows.ListSchedules(request).schedules
    if output == "json":
        print_json([to_json(schedule) for schedule in schedules])
    else:
        print_table(_COLUMNS, [_row(schedule) for schedule in schedules])


def get(id: str, *, output: Format, server: str) -> None:
    """Prints one schedule."""
    with connect(server) as client:
        found = client.workflows.GetSchedule(workflow_pb2.GetScheduleRequest(id=id)).schedule
    if output == "json":
        print_json(to_json(found))
    else:
        print_fields(to_json(found))


def pause(id: str, *, reason: str, output: Format, server: str) -> None:
    """Pauses it, and prints how it stands then."""
    request = workflow_pb2.PauseScheduleRequest(id=id, reason=reason)
    with connect(server) as client:
        _say(client.workflows.PauseSchedule(request).schedule, output)


def resume(id: str, *, reason: str, output: Format, server: str) -> None:
    """Resumes it, and prints how it stands then."""
    request = workflow_pb2.ResumeScheduleRequest(id=id, reason=reason)
    with connect(server) as client:
        _say(client.workflows.ResumeSchedule(request).schedule, output)


def trigger(id: str, *, input: str, output: Format, server: str) -> None:
    """Starts an execution of it; `input` is JSON, @FILE, or empty for the schedule's own."""
    request = workflow_pb2.TriggerScheduleRequest(
        id=id,
        input=json_argument(input, name="--input") if input else None,
        request_id=str(uuid.uuid4()),
    )
    with connect(server) as client:
        show_execution(client.workflows.TriggerSchedule(request).execution, output)


def backfill(id: str, *, start: str, end: str, output: Format, server: str) -> None:
    """Makes the starts from `start` until before `end`, and prints how many."""
    request = workflow_pb2.BackfillScheduleRequest(
        id=id,
        start_time=time_argument(start, name="--from"),
        end_time=time_argument(end, name="--to"),
        request_id=str(uuid.uuid4()),
    )
    with connect(server) as client:
        answer = client.workflows.BackfillSchedule(request)
    plural = "" if answer.start_count == 1 else "s"
    print_done(answer, f"{answer.start_count} execution{plural} to be started", output)


def _say(schedule: Schedule, output: Format) -> None:
    print_done(schedule, f"the schedule {schedule.id} is {_state(schedule)}", output)


def _row(schedule: Schedule) -> tuple[str, ...]:
    times = schedule.next_start_times
    return (
        schedule.id,
        f"{schedule.namespace}/{schedule.template_name}",
        schedule.template_version,
        Schedule.Kind.Name(schedule.kind),
        schedule.expression,
        _state(schedule),
        time_text(times[0]) if times else "",
    )


def _state(schedule: Schedule) -> str:
    return "paused" if schedule.paused else "active"
