from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from google.protobuf.json_format import MessageToDict
from google.protobuf.message import Message

from api.execution.v1 import execution_pb2
from api.template.v1 import template_pb2
from api.workflow.v1 import workflow_pb2
from biz.dsl.reading.diagnostics import Diagnostic, Severity
from biz.errors import InvalidArgument
from biz.execution import BusinessKeyPolicy, ExecutionStatus
from biz.execution_log import LogLevel, LogQuery
from biz.history_steps import HistoryEnd
from biz.template import TemplateChange, TemplateStatus
from server.service.convert import (
    check_execution_view,
    diagnostic_to_proto,
    execution_query_from_proto,
    execution_to_proto,
    lifecycle_event_to_proto,
    log_query_from_proto,
    log_to_proto,
    schedule_to_proto,
    start_request_from_proto,
    statistics_to_proto,
    template_alias_to_proto,
    template_change_from_proto,
    template_query_from_proto,
    template_to_proto,
    watch_record_to_proto,
)
from tests.fixtures.entities import (
    ALIAS,
    AT,
    COMPLETED,
    EVENT,
    FAULTED,
    LOG,
    NOW,
    SCHEDULE,
    STATISTICS,
    TEMPLATE,
)

Execution = execution_pb2.Execution

# No enum has this number; a newer client's might.
UNKNOWN: Any = 99

# What only runs of other runs have, which nothing starts yet.
RELATIONS = {"retry_of", "retried_by"}


def fields(message: Message) -> set[str]:
    return {field.name for field, _ in message.ListFields()}


def all_fields(message: Message) -> set[str]:
    return {field.name for field in message.DESCRIPTOR.fields}


def refused(call: Any) -> list[tuple[str, str, str]]:
    with pytest.raises(InvalidArgument) as raised:
        call()
    return [(fault.field, fault.pointer, fault.code) for fault in raised.value.violations]


def test_every_field_of_a_template_is_filled() -> None:
    message = template_to_proto(TEMPLATE)
    assert fields(message) == all_fields(message)
    assert MessageToDict(message, preserving_proto_field_name=True) == {
        "id": "7",
        "name": "order",
        "description": "Takes an order",
        "version": "1.2.3",
        "config": '{"document": {}}',
        "status": "inactive",
        "created_at": "2025-03-14T15:09:26.535897Z",
        "updated_at": "2025-03-14T15:09:27.535897Z",
        "etag": TEMPLATE.etag,
        "namespace": "shop",
        "digest": "d1",
        "labels": {"team": "payments"},
    }


def test_every_field_of_an_alias_is_filled() -> None:
    message = template_alias_to_proto(ALIAS)
    assert fields(message) == all_fields(message)
    assert (message.namespace, message.name, message.alias) == ("shop", "order", "prod")
    assert (message.version, message.template_id) == ("1.2.3", 7)


def test_every_field_of_a_schedule_is_filled() -> None:
    message = schedule_to_proto(SCHEDULE, now=NOW)
    assert fields(message) == all_fields(message) - {"paused"}
    assert MessageToDict(message, preserving_proto_field_name=True) == {
        "id": "s-1",
        "namespace": "shop",
        "template_id": "7",
        "template_name": "order",
        "template_version": "1.2.3",
        "kind": "CRON",
        "expression": "0 3 * * *",
        "time_zone": "Europe/Berlin",
        "overlap_policy": "SKIP",
        "pause_reason": "maintenance is over",
        "last_start_time": "2025-03-14T15:09:26.535897Z",
        "last_execution_id": "e-1",
        "next_start_times": [f"2025-03-{day}T02:00:00Z" for day in range(16, 21)],
    }


def test_a_schedule_that_is_paused_has_no_next_times() -> None:
    message = schedule_to_proto(replace(SCHEDULE, is_held=True), now=NOW)
    assert message.paused
    assert not message.next_start_times


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


def test_every_field_of_a_diagnostic_is_filled() -> None:
    diagnostic = Diagnostic(
        code="syntax",
        message="write \ud800 better",
        pointer="/do/0",
        severity=Severity.WARNING,
        line=3,
        column=5,
    )
    message = diagnostic_to_proto(diagnostic)
    assert fields(message) == all_fields(message)
    assert message.severity == workflow_pb2.Diagnostic.WARNING
    assert message.message == "write \ufffd better"
    severities = {diagnostic_to_proto(replace(diagnostic, severity=s)).severity for s in Severity}
    assert severities == set(workflow_pb2.Diagnostic.Severity.values()) - {0}


def test_an_event_has_the_iterations_of_its_loop_where_it_stands_in_one() -> None:
    assert lifecycle_event_to_proto(replace(EVENT, iterations=0)).HasField("iterations")
    assert lifecycle_event_to_proto(replace(EVENT, iterations=3)).iterations == 3
    assert not lifecycle_event_to_proto(EVENT).HasField("iterations")


def test_a_watched_event_is_the_event_of_the_history() -> None:
    assert watch_record_to_proto(EVENT).event == lifecycle_event_to_proto(EVENT)


def test_the_end_of_a_watched_history_is_filled() -> None:
    end = HistoryEnd(status=ExecutionStatus.TERMINATED, last_sequence=7)
    message = watch_record_to_proto(end)
    assert not message.HasField("event")
    assert message.end.status == execution_pb2.Execution.TERMINATED
    assert message.end.last_sequence == 7


def test_an_error_text_that_utf8_cant_carry_is_mended() -> None:
    assert FAULTED.error is not None
    error = replace(FAULTED.error, detail="\udfff!")
    assert execution_to_proto(replace(FAULTED, error=error)).error.detail == "\ufffd!"


def test_an_update_changes_only_what_is_set() -> None:
    request = template_pb2.UpdateTemplateRequest(id=7)
    assert template_change_from_proto(request) == TemplateChange()
    request.description = ""
    request.labels.SetInParent()
    assert template_change_from_proto(request) == TemplateChange(description="", labels={})
    request.status = "inactive"
    request.labels.update({"team": "ops"})
    assert template_change_from_proto(request) == TemplateChange(
        description="", labels={"team": "ops"}, status=TemplateStatus.INACTIVE
    )


def test_an_update_names_every_field_that_it_cant_take() -> None:
    request = template_pb2.UpdateTemplateRequest(id=7, status="gone")
    request.labels.update({"team": 1, "fine": "x"})
    assert refused(lambda: template_change_from_proto(request)) == [
        ("status", "", "unknown-status"),
        ("labels", "", "wrong-type"),
    ]


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


def test_a_filter_by_time_is_read_as_utc() -> None:
    request = execution_pb2.ListExecutionsRequest()
    request.created_after.FromDatetime(AT)
    query = execution_query_from_proto(request)
    assert (query.created_after, query.created_before) == (AT, None)


def test_a_list_names_every_field_that_it_cant_take() -> None:
    request = execution_pb2.ListExecutionsRequest(
        parent_id="e-1", view=UNKNOWN, status=[Execution.PENDING, 0, UNKNOWN]
    )
    assert refused(lambda: execution_query_from_proto(request)) == [
        ("view", "", "unknown-value"),
        ("status", "/1", "unknown-value"),
        ("status", "/2", "unknown-value"),
    ]


def test_an_unknown_view_is_refused() -> None:
    check_execution_view(Execution.BASIC)
    assert refused(lambda: check_execution_view(UNKNOWN)) == [("view", "", "unknown-value")]
    request = template_pb2.ListTemplatesRequest(view=UNKNOWN, status="gone")
    assert refused(lambda: template_query_from_proto(request)) == [
        ("view", "", "unknown-value"),
        ("status", "", "unknown-status"),
    ]


def test_every_field_of_a_log_line_is_filled() -> None:
    message = log_to_proto(LOG)
    assert fields(message) == all_fields(message)
    assert MessageToDict(message, preserving_proto_field_name=True) == {
        "time": "2025-03-14T15:09:26.535897Z",
        "level": "WARNING",
        "task": "/do/0/getPet",
        "message": "GET https://pets.test/7 answered 404",
        "fields": {"status": 404.0},
        "trace_id": LOG.trace_id,
    }


def test_a_filter_of_logs_has_all_lines_by_default() -> None:
    asked = execution_pb2.ListExecutionLogsRequest(id="e1")
    assert log_query_from_proto(asked) == LogQuery(execution_id="e1", level=LogLevel.DEBUG, task="")
    asked.task, asked.level = "/do/0/x", execution_pb2.ExecutionLog.ERROR
    expected = LogQuery(execution_id="e1", level=LogLevel.ERROR, task="/do/0/x")
    assert log_query_from_proto(asked) == expected


def test_an_unknown_level_is_refused() -> None:
    asked = execution_pb2.ListExecutionLogsRequest(id="e1", level=UNKNOWN)
    assert refused(lambda: log_query_from_proto(asked)) == [("level", "", "unknown-value")]


def test_every_figure_of_the_statistics_is_told() -> None:
    message = statistics_to_proto(STATISTICS)
    assert fields(message) == all_fields(message)
    durations = {"p50": "1.500s", "p95": "2s", "p99": "3s", "max": "4s"}
    task = {
        "template_id": "7",
        "task": "/do/0/getPet",
        "count": 3,
        "faulted": 1,
        "duration": durations,
    }
    assert MessageToDict(message, preserving_proto_field_name=True) == {
        "total": 4,
        "by_status": [{"status": "COMPLETED", "count": 3}, {"status": "FAULTED", "count": 1}],
        "success_rate": 0.75,
        "duration": durations,
        "intervals": [
            {"start": "2025-03-14T15:09:26.535897Z", "started": 4, "completed": 3, "faulted": 1}
        ],
        "slowest_tasks": [task],
        "failing_tasks": [task],
        "task_executions": 3,
    }


def test_figures_that_nothing_has_led_to_are_left_out() -> None:
    message = statistics_to_proto(replace(STATISTICS, success_rate=None, durations=None))
    assert not message.HasField("success_rate")
    assert not message.HasField("duration")
