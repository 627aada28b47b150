"""What the contract says of definitions that aren't stored."""

from uuid import uuid4

import grpc
from google.protobuf.duration_pb2 import Duration

from api.execution.v1 import execution_pb2
from api.execution.v1.execution_pb2 import StartExecutionRequest
from api.execution.v1.execution_pb2_grpc import ExecutionServiceStub
from api.template.v1 import template_pb2
from api.template.v1.template_pb2 import CreateTemplateRequest
from api.template.v1.template_pb2_grpc import TemplateServiceStub
from api.workflow.v1 import workflow_pb2 as pb
from api.workflow.v1.workflow_pb2_grpc import WorkflowServiceStub
from server.service.convert.values import value_to_proto
from tests.fixtures.definitions import GREET, definition
from tests.fixtures.statuses import code_of, error_info, refusal, violations
from tests.patience import PATIENCE_SECONDS


def validate(workflows: WorkflowServiceStub, config: str) -> list[pb.Diagnostic]:
    request = pb.ValidateWorkflowRequest(config=config)
    return list(workflows.ValidateWorkflow(request).diagnostics)


def test_a_sound_definition_has_no_diagnostics(workflows: WorkflowServiceStub) -> None:
    assert validate(workflows, definition(GREET)) == []


def test_yaml_is_read_too_and_faults_have_their_place_in_the_text(
    workflows: WorkflowServiceStub,
) -> None:
    config = (
        "document: {dsl: 1.0.0, namespace: default, name: y, version: 1.0.0}\n"
        "do:\n"
        "  - hello:\n"
        "      set: {a: 1}\n"
        "      then: nowhere\n"
    )
    [found] = validate(workflows, config)
    assert found.severity == pb.Diagnostic.ERROR
    assert (found.code, found.pointer) == ("unknown-target", "/do/0/hello/then")
    assert (found.line, found.column) == (5, 13)
    assert "nowhere" in found.message


def test_all_faults_are_told_at_once(workflows: WorkflowServiceStub) -> None:
    config = definition({"a": {"set": {"x": "${ .a + }"}}}, {"b": {"cal": "http"}})
    pointers = [found.pointer for found in validate(workflows, config)]
    assert any(pointer.startswith("/do/0") for pointer in pointers)
    assert any(pointer.startswith("/do/1") for pointer in pointers)


def test_a_request_without_a_definition_is_refused(workflows: WorkflowServiceStub) -> None:
    status = refusal(workflows.ValidateWorkflow, pb.ValidateWorkflowRequest())
    assert violations(status) == [("config", "EMPTY")]


PAY = {"pay": {"call": "http", "with": {"method": "post", "endpoint": "https://a.test"}}}
Answer = pb.TestWorkflowRequest.Mock.Answer


def mock(*answers: Answer) -> pb.TestWorkflowRequest.Mock:
    return pb.TestWorkflowRequest.Mock(answers=answers)


def test_a_dry_run_answers_its_output_and_what_happened(workflows: WorkflowServiceStub) -> None:
    request = pb.TestWorkflowRequest(
        config=definition(PAY), mocks={"/do/0/pay": mock(Answer(output=value_to_proto([1])))}
    )
    request.start_time.FromJsonString("2025-01-01T00:00:00Z")
    request.mocks["/do/0/pay"].answers[0].delay.FromSeconds(90)
    response = workflows.TestWorkflow(request)
    assert response.output == value_to_proto([1])
    assert [(event.type.split(".")[-2], event.task) for event in response.trace] == [
        ("started", ""),
        ("created", "/do/0/pay"),
        ("started", "/do/0/pay"),
        ("completed", "/do/0/pay"),
        ("completed", ""),
    ]
    assert response.trace[-1].time.ToJsonString() == "2025-01-01T00:01:30Z"


def test_a_dry_run_of_a_template_faults_as_its_mocks_say(
    workflows: WorkflowServiceStub, templates: TemplateServiceStub
) -> None:
    create = template_pb2.CreateTemplateRequest(config=definition(PAY), name="dry-run")
    template = templates.CreateTemplate(create).template
    busy = execution_pb2.Execution.Error(type="communication", status=503)
    response = workflows.TestWorkflow(
        pb.TestWorkflowRequest(template_id=template.id, mocks={"pay": mock(Answer(error=busy))})
    )
    error = response.error
    assert (error.type.rpartition("/")[2], error.status) == ("communication", 503)
    assert (error.title, error.instance) == ("Communication Error", "/do/0/pay")


def test_a_dry_run_without_a_mock_is_an_error_that_names_the_task(
    workflows: WorkflowServiceStub,
) -> None:
    response = workflows.TestWorkflow(pb.TestWorkflowRequest(config=definition(PAY)))
    assert response.error.instance == "/do/0/pay"
    assert "no mock answers the call of /do/0/pay" in response.error.detail


def test_a_dry_run_that_waits_for_ever_has_no_result(workflows: WorkflowServiceStub) -> None:
    listen = {"hear": {"listen": {"to": {"one": {"with": {"type": "paid"}}}}}}
    request = pb.TestWorkflowRequest(config=definition(listen))
    assert workflows.TestWorkflow(request).WhichOneof("result") is None
    event = {"specversion": "1.0", "id": "1", "source": "/s", "type": "paid", "data": 5}
    timed = request.events.add(event=value_to_proto(event))
    request.start_time.FromJsonString("2025-01-01T00:00:00Z")
    timed.time.FromJsonString("2025-01-01T01:00:00Z")
    assert workflows.TestWorkflow(request).output == value_to_proto([5])


def test_what_a_dry_run_cant_mean_is_refused_all_at_once(workflows: WorkflowServiceStub) -> None:
    request = pb.TestWorkflowRequest(
        config=definition(PAY), mocks={"a": mock(Answer(), Answer(error={}))}
    )
    request.mocks["a"].answers[0].delay.FromSeconds(-1)
    status = refusal(workflows.TestWorkflow, request)
    assert violations(status) == [
        ("mocks", "OUT_OF_RANGE"),
        ("mocks", "ONE_OF"),
        ("mocks", "MISSING_PROPERTY"),
    ]
    request = pb.TestWorkflowRequest(config=definition(PAY), mocks={"nobody": mock()})
    status = refusal(workflows.TestWorkflow, request)
    assert ("mocks#/nobody", "UNKNOWN_TASK") in violations(status)


def test_a_dry_run_without_an_end_is_refused(workflows: WorkflowServiceStub) -> None:
    loop = definition({"a": {"set": {"x": 1}}}, {"b": {"set": {"x": 1}, "then": "a"}})
    status = refusal(workflows.TestWorkflow, pb.TestWorkflowRequest(config=loop))
    assert code_of(status) is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert error_info(status).reason == "DRY_RUN_TOO_LARGE"


class TestRender:
    def test_a_definition_is_drawn_as_svg_unless_mermaid_is_asked_for(
        self, workflows: WorkflowServiceStub
    ) -> None:
        request = pb.RenderWorkflowRequest(config=definition(GREET))
        assert 'data-task="/do/0/greet"' in workflows.RenderWorkflow(request).content
        request.format = pb.RenderWorkflowRequest.MERMAID
        assert "flowchart TD" in workflows.RenderWorkflow(request).content

    def test_a_template_and_an_execution_are_drawn(
        self,
        workflows: WorkflowServiceStub,
        templates: TemplateServiceStub,
        executions: ExecutionServiceStub,
    ) -> None:
        created = CreateTemplateRequest(name=str(uuid4()), config=definition(GREET))
        template = templates.CreateTemplate(created).template
        by_id = workflows.RenderWorkflow(pb.RenderWorkflowRequest(template_id=template.id))
        by_name = workflows.RenderWorkflow(
            pb.RenderWorkflowRequest(template_name=template.name, version=template.version)
        )
        assert by_id.content == by_name.content
        started = StartExecutionRequest(
            template_id=template.id, wait=Duration(seconds=PATIENCE_SECONDS)
        )
        execution = executions.StartExecution(started).execution
        drawn = workflows.RenderWorkflow(pb.RenderWorkflowRequest(execution_id=execution.id))
        assert 'class="node set completed even" data-task="/do/0/greet"' in drawn.content

    def test_what_cant_be_drawn_is_refused(self, workflows: WorkflowServiceStub) -> None:
        nothing = refusal(workflows.RenderWorkflow, pb.RenderWorkflowRequest())
        assert violations(nothing) == [("", "NOTHING_SET")]
        faulty = pb.RenderWorkflowRequest(config=definition({"a": {"set": {}}}))
        assert violations(refusal(workflows.RenderWorkflow, faulty)) == [
            ("config#/do/0/a/set", "EMPTY")
        ]
        unknown = pb.RenderWorkflowRequest(config=definition(GREET))
        unknown.format = 9  # type: ignore[assignment]
        status = refusal(workflows.RenderWorkflow, unknown)
        assert violations(status) == [("format", "UNKNOWN_VALUE")]
        missing = pb.RenderWorkflowRequest(execution_id="none")
        status = refusal(workflows.RenderWorkflow, missing)
        assert error_info(status).reason == "EXECUTION_NOT_FOUND"
