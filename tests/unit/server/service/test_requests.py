"""No field of a request gets lost on its way to the use case."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import Any

import pytest
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp

from api.execution.v1 import execution_pb2
from api.template.v1 import template_pb2
from api.workflow.v1 import workflow_pb2
from biz.errors import InvalidArgument
from biz.paging import Page
from server.service.execution import ExecutionService
from server.service.template import TemplateService
from server.service.workflow import WorkflowService
from tests.fixtures.entities import (
    ALIAS,
    COMPLETED,
    DRY_RUN,
    EVENT,
    LOG,
    NOW,
    OPERATION,
    SCHEDULE,
    STATISTICS,
    TEMPLATE,
)


class Recorder:
    """A use case that notes what it is asked, and answers from a list."""

    def __init__(self, answers: Mapping[str, Any]) -> None:
        self.asked: list[tuple[Any, ...]] = []
        self._answers = answers

    def __getattr__(self, name: str) -> Callable[..., Awaitable[Any]]:
        async def answer(*args: Any, **kwargs: Any) -> Any:
            self.asked.append((name, args, kwargs))
            return self._answers[name]

        return answer


class LiveRecorder:
    """A history that is watched, of one event; notes what it is asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[Any, ...]] = []

    async def watch(self, *args: Any, **kwargs: Any) -> AsyncIterator[Any]:
        self.asked.append(("watch", args, kwargs))
        yield EVENT


TEMPLATES = {
    "create": TEMPLATE,
    "get": TEMPLATE,
    "update": TEMPLATE,
    "delete": None,
    "list": Page(items=[TEMPLATE], next_token="next", total=41),
}
ALIASES = {
    "set": ALIAS,
    "delete": None,
    "list": Page(items=[ALIAS], next_token="next", total=41),
}
EXECUTIONS = {
    "start": COMPLETED,
    "get": COMPLETED,
    "list": Page(items=[COMPLETED], next_token="next", total=41),
}
SCHEDULES = {
    "get": SCHEDULE,
    "list": Page(items=[SCHEDULE], next_token="next", total=41),
    "pause": SCHEDULE,
    "resume": SCHEDULE,
    "trigger": COMPLETED,
    "backfill": 3,
}
CONTROL = dict.fromkeys(("suspend", "resume", "cancel", "terminate"), COMPLETED)
OPERATIONS = {
    "start": OPERATION,
    "get": OPERATION,
    "cancel": OPERATION,
    "list": Page(items=[OPERATION], next_token="next", total=41),
}
REQUESTS: Mapping[str, Message] = {
    "CreateTemplate": template_pb2.CreateTemplateRequest(),
    "GetTemplate": template_pb2.GetTemplateRequest(),
    "UpdateTemplate": template_pb2.UpdateTemplateRequest(),
    "DeleteTemplate": template_pb2.DeleteTemplateRequest(),
    "ListTemplates": template_pb2.ListTemplatesRequest(),
    "SetTemplateAlias": template_pb2.SetTemplateAliasRequest(),
    "DeleteTemplateAlias": template_pb2.DeleteTemplateAliasRequest(),
    "ListTemplateAliases": template_pb2.ListTemplateAliasesRequest(),
    "StartExecution": execution_pb2.StartExecutionRequest(),
    "GetExecution": execution_pb2.GetExecutionRequest(),
    "ListExecutions": execution_pb2.ListExecutionsRequest(),
    "SuspendExecution": execution_pb2.SuspendExecutionRequest(),
    "ResumeExecution": execution_pb2.ResumeExecutionRequest(),
    "CancelExecution": execution_pb2.CancelExecutionRequest(),
    "TerminateExecution": execution_pb2.TerminateExecutionRequest(),
    "ListExecutionEvents": execution_pb2.ListExecutionEventsRequest(),
    "ListExecutionLogs": execution_pb2.ListExecutionLogsRequest(),
    "WatchExecution": execution_pb2.WatchExecutionRequest(),
    "SignalExecution": execution_pb2.SignalExecutionRequest(),
    "PublishEvent": execution_pb2.PublishEventRequest(),
    "DeleteExecution": execution_pb2.DeleteExecutionRequest(),
    "GetExecutionStats": execution_pb2.GetExecutionStatsRequest(),
    "BatchExecutions": execution_pb2.BatchExecutionsRequest(
        action=execution_pb2.BatchExecutionsRequest.DELETE,
        filter=execution_pb2.BatchExecutionsRequest.Filter(),
    ),
    "GetOperation": execution_pb2.GetOperationRequest(),
    "ListOperations": execution_pb2.ListOperationsRequest(),
    "CancelOperation": execution_pb2.CancelOperationRequest(),
    "ValidateWorkflow": workflow_pb2.ValidateWorkflowRequest(),
    "TestWorkflow": workflow_pb2.TestWorkflowRequest(),
    "ListSchedules": workflow_pb2.ListSchedulesRequest(),
    "GetSchedule": workflow_pb2.GetScheduleRequest(),
    "PauseSchedule": workflow_pb2.PauseScheduleRequest(),
    "ResumeSchedule": workflow_pb2.ResumeScheduleRequest(),
    "TriggerSchedule": workflow_pb2.TriggerScheduleRequest(),
    "BackfillSchedule": workflow_pb2.BackfillScheduleRequest(
        start_time=Timestamp(seconds=1), end_time=Timestamp(seconds=2)
    ),
    "RenderWorkflow": workflow_pb2.RenderWorkflowRequest(template_name="greet", format="MERMAID"),
}


async def outcome(rpc: str, request: Message) -> tuple[Any, Any]:
    """What the use case is asked, and what the caller gets; or the refusal."""
    templates: Any = Recorder(TEMPLATES)
    aliases: Any = Recorder(ALIASES)
    executions: Any = Recorder(EXECUTIONS)
    control: Any = Recorder(CONTROL)
    history: Any = Recorder({"list": Page(items=[EVENT], next_token="t", total=1)})
    logs: Any = Recorder({"list": Page(items=[LOG], next_token="next", total=41)})
    events: Any = Recorder({"signal": None, "publish": None})
    retries: Any = Recorder({"retry": COMPLETED})
    removal: Any = Recorder({"delete": None})
    operations: Any = Recorder(OPERATIONS)
    live: Any = LiveRecorder()
    statistics: Any = Recorder({"get": STATISTICS})
    workflows: Any = Recorder({"validate": ()})
    pictures: Any = Recorder(
        dict.fromkeys(("of_definition", "of_template", "of_name", "of_execution"), "<svg/>")
    )
    dry_runs: Any = Recorder({"run": DRY_RUN})
    schedules: Any = Recorder(SCHEDULES)
    services: list[Any] = [
        TemplateService(templates=templates, aliases=aliases),
        ExecutionService(
            executions=executions,
            control=control,
            retries=retries,
            history=history,
            logs=logs,
            events=events,
            removal=removal,
            operations=operations,
            live=live,
            statistics=statistics,
        ),
        WorkflowService(
            workflows=workflows,
            pictures=pictures,
            dry_runs=dry_runs,
            schedules=schedules,
            clock=lambda: NOW,
        ),
    ]
    [service] = [s for s in services if rpc in type(s).__dict__]
    try:
        answering = getattr(service, rpc)(request, None)
        streams = isinstance(answering, AsyncIterator)
        answer = [each async for each in answering] if streams else await answering
    except InvalidArgument as error:
        return "refused", error.violations
    cases = (
        templates,
        aliases,
        executions,
        control,
        retries,
        history,
        logs,
        events,
        removal,
        operations,
        live,
        statistics,
        workflows,
        pictures,
        dry_runs,
        schedules,
    )
    return [asked for case in cases for asked in case.asked], answer


def set_field(request: Message, field: FieldDescriptor) -> None:
    """Gives one field a value that isn't its default."""
    if field.message_type is not None and field.message_type.GetOptions().map_entry:
        values = getattr(request, field.name)
        if field.message_type.fields_by_name["value"].message_type is None:
            values["key"] = "value"
        else:
            values["key"].SetInParent()
        return
    if field.message_type is not None and field.is_repeated:
        getattr(request, field.name).add(event={"string_value": "hello"})
        return
    if field.message_type is not None:
        message = getattr(request, field.name)
        match field.message_type.full_name:
            case "google.protobuf.Value":
                message.string_value = "hello"
            case "google.protobuf.Struct":
                message["key"] = "value"
            case "api.execution.v1.BatchExecutionsRequest.Filter":
                message.namespace = "shop"
            case _:
                message.seconds = 5
        return
    value: Any = {
        FieldDescriptor.CPPTYPE_STRING: "inactive" if field.name == "status" else "text",
        FieldDescriptor.CPPTYPE_BOOL: True,
    }.get(field.cpp_type, 2)
    if field.is_repeated:
        getattr(request, field.name).append(value)
    else:
        setattr(request, field.name, value)


@pytest.mark.parametrize(
    ("rpc", "name"),
    [(rpc, field.name) for rpc, request in REQUESTS.items() for field in request.DESCRIPTOR.fields],
)
async def test_every_field_of_a_request_counts(rpc: str, name: str) -> None:
    request = type(REQUESTS[rpc])()
    request.CopyFrom(REQUESTS[rpc])
    set_field(request, request.DESCRIPTOR.fields_by_name[name])
    assert await outcome(rpc, request) != await outcome(rpc, REQUESTS[rpc])


PAGES = (
    "ListTemplates",
    "ListTemplateAliases",
    "ListExecutions",
    "ListExecutionLogs",
    "ListSchedules",
    "ListOperations",
)


@pytest.mark.parametrize("rpc", PAGES)
async def test_a_page_is_answered_whole(rpc: str) -> None:
    _, answer = await outcome(rpc, REQUESTS[rpc])
    assert len(answer.ListFields()) == len(answer.DESCRIPTOR.fields)
    assert (answer.next_page_token, answer.total_size) == ("next", 41)


@pytest.mark.parametrize(
    ("rpc", "field"),
    [
        ("CreateTemplate", "template"),
        ("GetTemplate", "template"),
        ("UpdateTemplate", "template"),
        ("SetTemplateAlias", "template_alias"),
        ("StartExecution", "execution"),
        ("GetExecution", "execution"),
        ("GetSchedule", "schedule"),
        ("PauseSchedule", "schedule"),
        ("ResumeSchedule", "schedule"),
        ("TriggerSchedule", "execution"),
    ],
)
async def test_a_resource_is_answered_in_the_field_named_after_it(rpc: str, field: str) -> None:
    _, answer = await outcome(rpc, REQUESTS[rpc])
    assert answer.HasField(field)


async def test_a_list_of_executions_leaves_out_what_is_big() -> None:
    _, basic = await outcome("ListExecutions", execution_pb2.ListExecutionsRequest())
    assert not basic.executions[0].HasField("input")
    assert basic.executions[0].definition == ""
    request = execution_pb2.ListExecutionsRequest(view=execution_pb2.Execution.FULL)
    _, full = await outcome("ListExecutions", request)
    assert full.executions[0].HasField("input")
    assert full.executions[0].definition
