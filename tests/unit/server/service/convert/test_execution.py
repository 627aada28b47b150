from dataclasses import replace
from datetime import timedelta

from google.protobuf.json_format import MessageToDict

from api.execution.v1 import execution_pb2
from api.template.v1 import template_pb2
from biz.executions.execution import BusinessKeyPolicy, ExecutionStatus
from server.service.convert.execution import (
    check_execution_view,
    execution_to_proto,
    start_request_from_proto,
)
from server.service.convert.execution_query import execution_query_from_proto
from server.service.convert.template import template_query_from_proto
from tests.fixtures.entities import COMPLETED, FAULTED
from tests.fixtures.messages import UNKNOWN, all_fields, fields, refused

Execution = execution_pb2.Execution

# What only a retry has, and what was retried.
RELATIONS = {"retry_of", "retried_by"}


def test_every_field_of_an_execution_is_filled() -> None:
    runs_url = "http://localhost:8088/namespaces/default/workflows"
    completed = execution_to_proto(COMPLETED, view=Execution.FULL, runs_url=runs_url)
    faulted = execution_to_proto(FAULTED, view=Execution.FULL, runs_url=runs_url)
    assert fields(completed) == all_fields(completed) - RELATIONS - {"error"}
    assert fields(faulted) == all_fields(faulted) - RELATIONS - {"output"}
    assert fields(faulted.error) == all_fields(faulted.error)
    assert MessageToDict(faulted, preserving_proto_field_name=True) == {
        "id": "e-1",
        "template_id": "7",
        "template_name": "order",
        "template_version": "1.2.3",
        "namespace": "shop",
        "definition_digest": "d1",
        "status": "FAULTED",
        "input": {"petId": 7},
        "error": {
            "type": "https://example.com/errors/gone",
            "title": "Gone",
            "status": 410,
            "detail": "no such pet",
            "instance": "/do/0/getPet",
        },
        "created_at": "2025-03-14T15:09:26.535897Z",
        "started_at": "2025-03-14T15:09:27.535897Z",
        "ended_at": "2025-03-14T15:09:30.035897Z",
        "duration": "2.500s",
        "labels": {"team": "payments"},
        "current_tasks": ["/do/0/getPet"],
        "temporal_url": f"{runs_url}/e-1",
        "business_key": "order-9",
        "parent_id": "e-0",
        "definition": '{"document": {}}',
    }


def test_a_view_says_what_an_execution_holds() -> None:
    big = {"definition", "input", "output"}
    assert fields(execution_to_proto(COMPLETED, view=Execution.BASIC)) & big == set()
    assert fields(execution_to_proto(COMPLETED)) & big == {"input", "output"}
    assert fields(execution_to_proto(COMPLETED, view=Execution.FULL)) & big == big


def test_a_pending_execution_has_no_times_and_no_output() -> None:
    pending = replace(
        COMPLETED, status=ExecutionStatus.PENDING, output=None, started_at=None, ended_at=None
    )
    absent = {"started_at", "ended_at", "duration", "output", "error", "temporal_url"}
    assert fields(execution_to_proto(pending)) & absent == set()


def test_an_output_of_null_is_an_output() -> None:
    message = execution_to_proto(replace(COMPLETED, output=None))
    assert message.output.WhichOneof("kind") == "null_value"


def test_every_status_has_its_like_on_the_other_side() -> None:
    sent = [execution_to_proto(replace(COMPLETED, status=s)).status for s in ExecutionStatus]
    assert set(sent) == set(Execution.Status.values()) - {Execution.STATUS_UNSPECIFIED}
    request = execution_pb2.ListExecutionsRequest(status=sent)
    assert execution_query_from_proto(request).statuses == list(ExecutionStatus)


def test_an_error_text_that_utf8_cant_carry_is_mended() -> None:
    assert FAULTED.error is not None
    error = replace(FAULTED.error, detail="\udfff!")
    assert execution_to_proto(replace(FAULTED, error=error)).error.detail == "\ufffd!"


def test_a_start_without_input_differs_from_one_with_null() -> None:
    request = execution_pb2.StartExecutionRequest(template_id=7)
    assert start_request_from_proto(request).input is None
    request.input.number_value = 7
    request.wait.FromTimedelta(timedelta(seconds=1.5))
    start = start_request_from_proto(request)
    assert (start.input, start.wait) == (7, timedelta(seconds=1.5))


def test_the_business_key_policy_is_to_fail_unless_it_is_set() -> None:
    request = execution_pb2.StartExecutionRequest(template_id=7)
    assert start_request_from_proto(request).business_key_policy is BusinessKeyPolicy.FAIL
    for policy in BusinessKeyPolicy:
        request.business_key_policy = request.BusinessKeyPolicy.Value(policy.name)
        assert start_request_from_proto(request).business_key_policy is policy


def test_a_start_names_every_field_that_it_cant_take() -> None:
    request = execution_pb2.StartExecutionRequest(template_id=7, business_key_policy=UNKNOWN)
    request.input.list_value.values.add().number_value = 1e20
    assert refused(lambda: start_request_from_proto(request)) == [
        ("input", "/0", "inexact-number"),
        ("business_key_policy", "", "unknown-value"),
    ]


def test_an_unknown_view_is_refused() -> None:
    check_execution_view(Execution.BASIC)
    assert refused(lambda: check_execution_view(UNKNOWN)) == [("view", "", "unknown-value")]
    request = template_pb2.ListTemplatesRequest(view=UNKNOWN, status="gone")
    assert refused(lambda: template_query_from_proto(request)) == [
        ("view", "", "unknown-value"),
        ("status", "", "unknown-status"),
    ]
