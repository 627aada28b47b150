"""What the contract says of definitions that aren't stored."""

from api.workflow.v1 import workflow_pb2 as pb
from api.workflow.v1.workflow_pb2_grpc import WorkflowServiceStub
from tests.fixtures.definitions import GREET, definition
from tests.fixtures.statuses import refusal, violations


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
