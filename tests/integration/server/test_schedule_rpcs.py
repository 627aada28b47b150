"""What the contract says of schedules, line by line."""

from typing import Any
from uuid import uuid4

import grpc
import pytest
from google.protobuf.json_format import MessageToDict
from google.protobuf.timestamp_pb2 import Timestamp

from api.execution.v1 import execution_pb2
from api.execution.v1.execution_pb2_grpc import ExecutionServiceStub
from api.template.v1 import template_pb2
from api.template.v1.template_pb2_grpc import TemplateServiceStub
from api.workflow.v1 import workflow_pb2 as pb
from api.workflow.v1.workflow_pb2_grpc import WorkflowServiceStub
from tests.fixtures.definitions import GREET, definition
from tests.fixtures.statuses import code_of, error_info, refusal, violations

Code = grpc.StatusCode
EVENTS = {"on": {"one": {"with": {"type": "a"}}}}
AFTER = Timestamp(seconds=1_700_000_000)
DAY_LATER = Timestamp(seconds=1_700_086_400)
YEAR_ONE = Timestamp(seconds=-62_135_596_800)
DAY_AFTER_IT = Timestamp(seconds=-62_135_510_400)


def store(templates: TemplateServiceStub, schedule: Any) -> template_pb2.Template:
    config = definition(GREET, namespace=str(uuid4()), schedule=schedule)
    return templates.CreateTemplate(template_pb2.CreateTemplateRequest(config=config)).template


def only(workflows: WorkflowServiceStub, template: template_pb2.Template) -> pb.Schedule:
    request = pb.ListSchedulesRequest(namespace=template.namespace, show_total=True)
    answer = workflows.ListSchedules(request)
    assert answer.total_size == 1
    return answer.schedules[0]


def test_a_template_has_a_schedule_that_is_listed_and_read(
    templates: TemplateServiceStub, workflows: WorkflowServiceStub
) -> None:
    template = store(templates, {"every": {"hours": 2}})
    schedule = only(workflows, template)
    assert workflows.GetSchedule(pb.GetScheduleRequest(id=schedule.id)).schedule == schedule
    found = MessageToDict(schedule, preserving_proto_field_name=True)
    times = found.pop("next_start_times")
    assert found == {
        "id": schedule.id,
        "namespace": template.namespace,
        "template_id": str(template.id),
        "template_name": template.name,
        "template_version": template.version,
        "kind": "EVERY",
        "expression": "PT2H",
        "overlap_policy": "ALLOW",
    }
    assert len(times) == 5


def test_a_list_of_schedules_is_in_pages(
    templates: TemplateServiceStub, workflows: WorkflowServiceStub
) -> None:
    template = store(templates, {"every": "PT1H", "cron": "0 3 * * *", "after": "PT1H"})
    request = pb.ListSchedulesRequest(namespace=template.namespace, page_size=2)
    first = workflows.ListSchedules(request)
    request.page_token = first.next_page_token
    rest = workflows.ListSchedules(request)
    ids = [schedule.id for schedule in (*first.schedules, *rest.schedules)]
    assert (len(first.schedules), rest.next_page_token) == (2, "")
    assert ids == sorted(ids)
    assert {schedule.kind for schedule in (*first.schedules, *rest.schedules)} == {
        pb.Schedule.EVERY,
        pb.Schedule.CRON,
        pb.Schedule.AFTER,
    }
    request = pb.ListSchedulesRequest(template_name="nobody's")
    assert not workflows.ListSchedules(request).schedules
    status = refusal(workflows.ListSchedules, pb.ListSchedulesRequest(order_by="kind"))
    assert code_of(status) is Code.INVALID_ARGUMENT


def test_a_schedule_is_paused_and_resumed(
    templates: TemplateServiceStub, workflows: WorkflowServiceStub
) -> None:
    id = only(workflows, store(templates, {"every": "PT1H"})).id
    for _ in range(2):
        request = pb.PauseScheduleRequest(id=id, reason="maintenance")
        paused = workflows.PauseSchedule(request).schedule
        assert (paused.paused, paused.pause_reason) == (True, "maintenance")
        assert not paused.next_start_times
    for _ in range(2):
        resumed = workflows.ResumeSchedule(pb.ResumeScheduleRequest(id=id)).schedule
        assert not resumed.paused
        assert resumed.next_start_times


def test_an_inactive_template_pauses_its_schedule(
    templates: TemplateServiceStub, workflows: WorkflowServiceStub
) -> None:
    template = store(templates, {"every": "PT1H"})
    change = template_pb2.UpdateTemplateRequest(id=template.id, status="inactive")
    templates.UpdateTemplate(change)
    schedule = only(workflows, template)
    assert (schedule.paused, schedule.pause_reason) == (True, "the template is inactive")
    for rpc, request in (
        (workflows.ResumeSchedule, pb.ResumeScheduleRequest(id=schedule.id)),
        (workflows.TriggerSchedule, pb.TriggerScheduleRequest(id=schedule.id)),
        (
            workflows.BackfillSchedule,
            pb.BackfillScheduleRequest(id=schedule.id, start_time=AFTER, end_time=DAY_LATER),
        ),
    ):
        status = refusal(rpc, request)
        assert code_of(status) is Code.FAILED_PRECONDITION
        assert error_info(status).reason == "TEMPLATE_INACTIVE"
    templates.DeleteTemplate(template_pb2.DeleteTemplateRequest(id=template.id, force=True))
    status = refusal(workflows.GetSchedule, pb.GetScheduleRequest(id=schedule.id))
    assert error_info(status).reason == "SCHEDULE_NOT_FOUND"


def test_a_trigger_answers_the_execution_of_its_request(
    templates: TemplateServiceStub, workflows: WorkflowServiceStub, executions: ExecutionServiceStub
) -> None:
    schedule = only(workflows, store(templates, EVENTS))
    request = pb.TriggerScheduleRequest(id=schedule.id, request_id="r-1")
    first = workflows.TriggerSchedule(request).execution
    assert MessageToDict(first.input) == []
    assert first.labels == {"schedule": schedule.id}
    assert workflows.TriggerSchedule(request).execution.id == first.id
    request.input.string_value = "other"
    assert code_of(refusal(workflows.TriggerSchedule, request)) is Code.ALREADY_EXISTS
    request.request_id = "r-2"
    other = workflows.TriggerSchedule(request).execution
    listed = executions.ListExecutions(
        execution_pb2.ListExecutionsRequest(labels=[f"schedule={schedule.id}"])
    )
    assert {execution.id for execution in listed.executions} == {first.id, other.id}


def test_a_backfill_counts_its_starts(
    templates: TemplateServiceStub, workflows: WorkflowServiceStub
) -> None:
    schedule = only(workflows, store(templates, {"cron": "0 */6 * * *"}))
    request = pb.BackfillScheduleRequest(id=schedule.id, start_time=AFTER, end_time=DAY_LATER)
    assert workflows.BackfillSchedule(request).start_count == 4


@pytest.mark.parametrize("schedule", [{"after": "PT1H"}, EVENTS])
def test_what_has_no_times_cant_be_backfilled(
    templates: TemplateServiceStub, workflows: WorkflowServiceStub, schedule: Any
) -> None:
    id = only(workflows, store(templates, schedule)).id
    request = pb.BackfillScheduleRequest(id=id, start_time=AFTER, end_time=DAY_LATER)
    status = refusal(workflows.BackfillSchedule, request)
    assert code_of(status) is Code.FAILED_PRECONDITION
    assert error_info(status).reason == "SCHEDULE_NOT_TIMED"


def test_a_backfill_needs_a_time_of_the_past(
    templates: TemplateServiceStub, workflows: WorkflowServiceStub
) -> None:
    id = only(workflows, store(templates, {"cron": "* * * * *"})).id
    status = refusal(workflows.BackfillSchedule, pb.BackfillScheduleRequest(id=id))
    assert [field for field, _ in violations(status)] == ["start_time", "end_time"]
    request = pb.BackfillScheduleRequest(id=id, start_time=DAY_LATER, end_time=AFTER)
    status = refusal(workflows.BackfillSchedule, request)
    assert [field for field, _ in violations(status)] == ["end_time"]
    request = pb.BackfillScheduleRequest(id=id, start_time=YEAR_ONE, end_time=DAY_AFTER_IT)
    status = refusal(workflows.BackfillSchedule, request)
    assert [field for field, _ in violations(status)] == ["start_time"]


@pytest.mark.parametrize(
    ("rpc", "request_type"),
    [
        ("GetSchedule", pb.GetScheduleRequest),
        ("PauseSchedule", pb.PauseScheduleRequest),
        ("ResumeSchedule", pb.ResumeScheduleRequest),
        ("TriggerSchedule", pb.TriggerScheduleRequest),
    ],
)
def test_an_unknown_schedule_isnt_found(
    workflows: WorkflowServiceStub, rpc: str, request_type: Any
) -> None:
    status = refusal(getattr(workflows, rpc), request_type(id="nothing"))
    assert code_of(status) is Code.NOT_FOUND
    assert error_info(status).reason == "SCHEDULE_NOT_FOUND"


def test_a_reason_and_a_request_id_have_a_length(
    templates: TemplateServiceStub, workflows: WorkflowServiceStub
) -> None:
    id = only(workflows, store(templates, {"every": "PT1H"})).id
    for rpc, request in (
        (workflows.PauseSchedule, pb.PauseScheduleRequest(id=id, reason="x" * 1001)),
        (workflows.ResumeSchedule, pb.ResumeScheduleRequest(id=id, reason="x" * 1001)),
        (workflows.TriggerSchedule, pb.TriggerScheduleRequest(id=id, request_id="x" * 256)),
    ):
        assert code_of(refusal(rpc, request)) is Code.INVALID_ARGUMENT
