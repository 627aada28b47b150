"""What the contract says of events, line by line."""

from typing import Any
from uuid import uuid4

import grpc
import pytest
from google.protobuf.duration_pb2 import Duration
from google.protobuf.json_format import MessageToDict

from api.execution.v1 import execution_pb2 as pb
from api.execution.v1.execution_pb2_grpc import ExecutionServiceStub
from api.template.v1 import template_pb2
from api.template.v1.template_pb2_grpc import TemplateServiceStub
from server.service.convert.values import value_to_proto
from tests.fixtures.definitions import GREET, definition
from tests.fixtures.statuses import code_of, error_info, refusal, violations
from tests.patience import PATIENCE_SECONDS

Code = grpc.StatusCode
LONG = Duration(seconds=PATIENCE_SECONDS)


def event(**attributes: Any) -> dict[str, Any]:
    known = {"specversion": "1.0", "id": str(uuid4()), "source": "/rpc", "type": "t"}
    return {**known, **attributes}


def start(
    templates: TemplateServiceStub, executions: ExecutionServiceStub, *tasks: Any
) -> pb.Execution:
    config = definition(*tasks, namespace=str(uuid4()))
    template = templates.CreateTemplate(template_pb2.CreateTemplateRequest(config=config)).template
    return executions.StartExecution(pb.StartExecutionRequest(template_id=template.id)).execution


def output(executions: ExecutionServiceStub, id: str) -> Any:
    found = executions.GetExecution(pb.GetExecutionRequest(id=id, wait=LONG)).execution
    return MessageToDict(found.output)


def listen(until: str) -> Any:
    return {"wait": {"listen": {"to": {"any": [], "until": until}}}}


def test_a_published_event_counts_once(
    templates: TemplateServiceStub, executions: ExecutionServiceStub
) -> None:
    run = start(templates, executions, listen("length == 2"))
    first = event(data={"n": 1})
    for found in (first, {**first, "data": "again"}, event(data={"n": 2.5})):
        request = pb.PublishEventRequest(event=value_to_proto(found), namespace=run.namespace)
        assert executions.PublishEvent(request) == pb.PublishEventResponse()
    assert output(executions, run.id) == [{"n": 1}, {"n": 2.5}]


def test_a_signal_reaches_one_execution(
    templates: TemplateServiceStub, executions: ExecutionServiceStub
) -> None:
    run = start(templates, executions, listen("length == 1"))
    request = pb.SignalExecutionRequest(id=run.id, event=value_to_proto(event(data="you")))
    assert executions.SignalExecution(request) == pb.SignalExecutionResponse()
    assert output(executions, run.id) == ["you"]


def test_without_a_namespace_it_is_the_default_one(
    templates: TemplateServiceStub, executions: ExecutionServiceStub
) -> None:
    config = definition(listen("length == 1"), name=str(uuid4()))
    template = templates.CreateTemplate(template_pb2.CreateTemplateRequest(config=config)).template
    request = pb.StartExecutionRequest(template_id=template.id)
    run = executions.StartExecution(request).execution
    executions.PublishEvent(pb.PublishEventRequest(event=value_to_proto(event(data=1))))
    assert output(executions, run.id) == [1]


@pytest.mark.parametrize(
    ("found", "fields"),
    [
        (event(id="", type=7), {"event#/id", "event#/type"}),
        ({}, {"event#/id", "event#/source", "event#/type", "event#/specversion"}),
        ("text", {"event"}),
        (None, {"event"}),
        (event(data=2.0**60), {"event#/data"}),
    ],
)
def test_what_is_no_event_is_refused(
    executions: ExecutionServiceStub, found: Any, fields: set[str]
) -> None:
    published = pb.PublishEventRequest(event=value_to_proto(found))
    signalled = pb.SignalExecutionRequest(id="x", event=value_to_proto(found))
    for refused in (
        refusal(executions.PublishEvent, published),
        refusal(executions.SignalExecution, signalled),
    ):
        assert code_of(refused) is Code.INVALID_ARGUMENT
        assert {field for field, _ in violations(refused)} == fields


def test_a_request_without_an_event_is_refused(executions: ExecutionServiceStub) -> None:
    refused = refusal(executions.PublishEvent, pb.PublishEventRequest())
    assert violations(refused) == [("event", "INVALID_EVENT")]


def test_an_execution_that_isnt_there_or_has_ended(
    templates: TemplateServiceStub, executions: ExecutionServiceStub
) -> None:
    sent = value_to_proto(event())
    unknown = refusal(executions.SignalExecution, pb.SignalExecutionRequest(id="x", event=sent))
    assert error_info(unknown).reason == "EXECUTION_NOT_FOUND"
    run = start(templates, executions, GREET)
    output(executions, run.id)
    ended = refusal(executions.SignalExecution, pb.SignalExecutionRequest(id=run.id, event=sent))
    assert code_of(ended) is Code.FAILED_PRECONDITION
    info = error_info(ended)
    assert (info.reason, info.metadata["status"]) == ("EXECUTION_ENDED", "COMPLETED")
