"""What the contract says of executions, line by line."""

from typing import Any
from uuid import uuid4

import grpc
import pytest
from google.protobuf.duration_pb2 import Duration
from google.protobuf.json_format import MessageToDict
from google.protobuf.timestamp_pb2 import Timestamp

from api.execution.v1 import execution_pb2 as pb
from api.execution.v1.execution_pb2_grpc import ExecutionServiceStub
from api.template.v1 import template_pb2
from api.template.v1.template_pb2_grpc import TemplateServiceStub
from server.service.convert.values import value_to_proto
from tests.fixtures.definitions import GREET, definition
from tests.fixtures.statuses import code_of, error_info, refusal, violations
from tests.patience import PATIENCE_SECONDS

Code = grpc.StatusCode
PAUSE = {"pause": {"wait": {"minutes": 5}}}
SHORT_PAUSE = {"pause": {"wait": {"milliseconds": 300}}}
LONG = Duration(seconds=PATIENCE_SECONDS)


def fresh(what: str = "t") -> str:
    """A name that nobody has."""
    return f"{what}-{uuid4()}"


def create(templates: TemplateServiceStub, *tasks: Any, **fields: Any) -> template_pb2.Template:
    request = {"name": fresh(), "config": definition(*(tasks or [GREET])), **fields}
    return templates.CreateTemplate(template_pb2.CreateTemplateRequest(**request)).template


def start(executions: ExecutionServiceStub, **fields: Any) -> pb.Execution:
    if "input" in fields:
        fields["input"] = value_to_proto(fields["input"])
    return executions.StartExecution(pb.StartExecutionRequest(**fields)).execution


def get(executions: ExecutionServiceStub, id: str, **fields: Any) -> pb.Execution:
    return executions.GetExecution(pb.GetExecutionRequest(id=id, **fields)).execution


class TestStart:
    def test_with_wait_the_answer_comes_at_the_end(
        self, templates: TemplateServiceStub, executions: ExecutionServiceStub
    ) -> None:
        template = create(templates)
        ended = start(
            executions,
            template_id=template.id,
            input={"name": "you"},
            labels={"team": "ops"},
            business_key=fresh("b"),
            wait=LONG,
        )
        assert ended.status == pb.Execution.COMPLETED
        assert MessageToDict(ended.output) == {"hello": "you"}
        assert MessageToDict(ended.input) == {"name": "you"}
        assert (ended.template_name, ended.template_version) == (template.name, template.version)
        assert (ended.namespace, ended.definition_digest) == ("default", template.digest)
        assert (ended.labels, ended.definition) == ({"team": "ops"}, "")
        assert ended.duration.ToTimedelta() == (
            ended.ended_at.ToDatetime() - ended.started_at.ToDatetime()
        )
        assert ended.temporal_url == (
            f"http://localhost:8088/namespaces/default/workflows/{ended.id}"
        )
        assert ":" not in ended.id
        assert "/" not in ended.id

    def test_after_the_wait_the_answer_is_the_present_state(
        self, templates: TemplateServiceStub, executions: ExecutionServiceStub
    ) -> None:
        template = create(templates, PAUSE)
        execution = start(executions, template_id=template.id, wait=Duration(nanos=200_000_000))
        assert execution.status in (pb.Execution.RUNNING, pb.Execution.WAITING)
        assert not execution.HasField("output")
        assert not execution.HasField("ended_at")

    def test_without_input_the_run_sees_an_empty_object(
        self, templates: TemplateServiceStub, executions: ExecutionServiceStub
    ) -> None:
        template = create(templates, {"show": {"set": {"seen": "${ . }"}}})
        ended = start(executions, template_id=template.id, wait=LONG)
        assert MessageToDict(ended.output) == {"seen": {}}

    def test_a_fault_is_told_as_problem_details(
        self, templates: TemplateServiceStub, executions: ExecutionServiceStub
    ) -> None:
        template = create(templates, {"bad": {"set": {"x": "${ .name + 1 }"}}})
        ended = start(executions, template_id=template.id, input={"name": "you"}, wait=LONG)
        assert ended.status == pb.Execution.FAULTED
        assert ended.error.type.endswith("/errors/expression")
        assert (ended.error.status, ended.error.instance) == (400, "/do/0/bad")
        assert ended.error.title
        assert ended.error.detail
        assert not ended.HasField("output")

    def test_by_name_the_newest_active_version_runs(
        self, templates: TemplateServiceStub, executions: ExecutionServiceStub
    ) -> None:
        name = fresh()
        made = {v: create(templates, name=name, version=v) for v in ("1.10.0", "1.9.0", "2.0.0")}
        deactivate = template_pb2.UpdateTemplateRequest(id=made["2.0.0"].id, status="inactive")
        templates.UpdateTemplate(deactivate)
        assert start(executions, template_name=name).template_version == "1.10.0"
        assert start(executions, template_name=name, version="1.9.0").template_version == "1.9.0"

    def test_an_alias_names_a_version_and_default_goes_before_newest(
        self, templates: TemplateServiceStub, executions: ExecutionServiceStub
    ) -> None:
        name = fresh()
        for version in ("1.0.0", "2.0.0"):
            create(templates, name=name, version=version)
        for alias in ("canary", "default"):
            templates.SetTemplateAlias(
                template_pb2.SetTemplateAliasRequest(name=name, alias=alias, version="1.0.0")
            )
        for chosen in ({"alias": "canary"}, {"version": "canary"}, {}):
            assert start(executions, template_name=name, **chosen).template_version == "1.0.0"
        assert start(executions, template_name=name, version="2.0.0").template_version == "2.0.0"

    def test_an_unknown_template_version_or_alias_is_not_found(
        self, templates: TemplateServiceStub, executions: ExecutionServiceStub
    ) -> None:
        template = create(templates)
        for fields in (
            {"template_id": 999_999},
            {"template_name": fresh()},
            {"template_name": template.name, "version": "9.9.9"},
            {"template_name": template.name, "alias": "prod"},
            {"template_name": template.name, "namespace": fresh()},
        ):
            status = refusal(executions.StartExecution, pb.StartExecutionRequest(**fields))
            assert code_of(status) is Code.NOT_FOUND
            assert error_info(status).reason == "TEMPLATE_NOT_FOUND"

    def test_an_inactive_template_doesnt_run(
        self, templates: TemplateServiceStub, executions: ExecutionServiceStub
    ) -> None:
        template = create(templates)
        templates.UpdateTemplate(
            template_pb2.UpdateTemplateRequest(id=template.id, status="inactive")
        )
        for fields in ({"template_id": template.id}, {"template_name": template.name}):
            status = refusal(executions.StartExecution, pb.StartExecutionRequest(**fields))
            assert code_of(status) is Code.FAILED_PRECONDITION
            assert error_info(status).reason == "TEMPLATE_INACTIVE"

    def test_input_that_breaks_the_schema_is_refused_at_its_place(
        self, templates: TemplateServiceStub, executions: ExecutionServiceStub
    ) -> None:
        schema = {"type": "object", "properties": {"n": {"type": "integer"}}}
        config = definition(GREET, input={"schema": {"document": schema}})
        template = create(templates, config=config)
        request = pb.StartExecutionRequest(
            template_id=template.id, input=value_to_proto({"n": "x"})
        )
        status = refusal(executions.StartExecution, request)
        assert code_of(status) is Code.INVALID_ARGUMENT
        assert violations(status) == [("input#/n", "SCHEMA")]

    @pytest.mark.parametrize(
        ("fields", "faults"),
        [
            ({}, [("template_id", "ONE_OF")]),
            ({"template_id": 1, "template_name": "x"}, [("template_id", "ONE_OF")]),
            ({"template_id": 1, "version": "1"}, [("template_id", "ONE_OF")]),
            (
                {"template_name": "x", "version": "1", "alias": "prod"},
                [("alias", "ONE_OF")],
            ),
            ({"template_id": 1, "wait": Duration(seconds=61)}, [("wait", "OUT_OF_RANGE")]),
            ({"template_id": 1, "business_key": "x" * 256}, [("business_key", "TOO_LONG")]),
            ({"template_id": 1, "request_id": "x" * 256}, [("request_id", "TOO_LONG")]),
            ({"template_id": 1, "labels": {"-": ""}}, [("labels", "BAD_LABEL_KEY")]),
            (
                {"template_id": 1, "business_key_policy": 9},
                [("business_key_policy", "UNKNOWN_VALUE")],
            ),
            (
                {"template_id": 1, "input": value_to_proto({"n": [2**53]})},
                [("input#/n/0", "INEXACT_NUMBER")],
            ),
        ],
    )
    def test_a_request_that_means_nothing_is_refused(
        self,
        executions: ExecutionServiceStub,
        fields: dict[str, Any],
        faults: list[tuple[str, str]],
    ) -> None:
        status = refusal(executions.StartExecution, pb.StartExecutionRequest(**fields))
        assert violations(status) == faults

    def test_the_same_request_id_starts_once(
        self, templates: TemplateServiceStub, executions: ExecutionServiceStub
    ) -> None:
        template = create(templates)
        fields = {"template_id": template.id, "request_id": fresh("r"), "input": {"name": "a"}}
        first = start(executions, **fields)
        assert start(executions, **fields, wait=LONG).id == first.id
        request = pb.StartExecutionRequest(
            template_id=template.id, request_id=str(fields["request_id"])
        )
        status = refusal(executions.StartExecution, request)
        assert code_of(status) is Code.ALREADY_EXISTS
        assert error_info(status).reason == "REQUEST_ID_REUSED"

    def test_a_business_key_is_unique_among_live_runs(
        self, templates: TemplateServiceStub, executions: ExecutionServiceStub
    ) -> None:
        template = create(templates, PAUSE)
        fields = {"template_id": template.id, "business_key": fresh("b")}
        first = start(executions, **fields)
        status = refusal(executions.StartExecution, pb.StartExecutionRequest(**fields))
        assert code_of(status) is Code.ALREADY_EXISTS
        assert error_info(status).reason == "BUSINESS_KEY_IN_USE"
        assert error_info(status).metadata["execution_id"] == first.id
        policy = pb.StartExecutionRequest.USE_EXISTING
        assert start(executions, **fields, business_key_policy=policy).id == first.id
        elsewhere = create(templates, namespace=fresh())
        other = start(
            executions, template_id=elsewhere.id, business_key=fields["business_key"], wait=LONG
        )
        assert other.id != first.id
        again = start(executions, template_id=elsewhere.id, business_key=other.business_key)
        assert again.id != other.id


class TestGet:
    def test_a_view_says_what_comes_along(
        self, templates: TemplateServiceStub, executions: ExecutionServiceStub
    ) -> None:
        template = create(templates)
        id = start(executions, template_id=template.id, input={"name": "a"}, wait=LONG).id
        usual = get(executions, id)
        assert (usual.HasField("input"), usual.HasField("output"), usual.definition) == (
            True,
            True,
            "",
        )
        full = get(executions, id, view=pb.Execution.FULL)
        assert full.definition == template.config
        basic = get(executions, id, view=pb.Execution.BASIC)
        assert not basic.HasField("input")
        assert not basic.HasField("output")

    def test_with_wait_the_answer_comes_at_the_end(
        self, templates: TemplateServiceStub, executions: ExecutionServiceStub
    ) -> None:
        template = create(templates, SHORT_PAUSE, GREET)
        id = start(executions, template_id=template.id, input={"name": "a"}).id
        assert get(executions, id, wait=LONG).status == pb.Execution.COMPLETED

    def test_an_execution_keeps_the_definition_of_its_start(
        self, templates: TemplateServiceStub, executions: ExecutionServiceStub
    ) -> None:
        template = create(templates, SHORT_PAUSE, {"s": {"set": {"v": 1}}})
        id = start(executions, template_id=template.id).id
        templates.UpdateTemplate(
            template_pb2.UpdateTemplateRequest(
                id=template.id, config=definition({"s": {"set": {"v": 2}}})
            )
        )
        templates.DeleteTemplate(template_pb2.DeleteTemplateRequest(id=template.id, force=True))
        ended = get(executions, id, wait=LONG, view=pb.Execution.FULL)
        assert MessageToDict(ended.output) == {"v": 1}
        assert (ended.definition, ended.template_id) == (template.config, template.id)

    def test_an_unknown_execution_is_not_found(self, executions: ExecutionServiceStub) -> None:
        status = refusal(executions.GetExecution, pb.GetExecutionRequest(id="nobody"))
        assert code_of(status) is Code.NOT_FOUND
        assert error_info(status).reason == "EXECUTION_NOT_FOUND"

    @pytest.mark.parametrize("wait", [Duration(seconds=61), Duration(seconds=-1)])
    def test_a_wait_has_its_limits(self, executions: ExecutionServiceStub, wait: Duration) -> None:
        request = pb.GetExecutionRequest(id="nobody", wait=wait)
        assert violations(refusal(executions.GetExecution, request)) == [("wait", "OUT_OF_RANGE")]


class TestList:
    def test_filters_must_all_match(
        self, templates: TemplateServiceStub, executions: ExecutionServiceStub
    ) -> None:
        space = fresh()
        greet = create(templates, namespace=space)
        pause = create(templates, PAUSE, namespace=space)
        done = start(
            executions, template_id=greet.id, input={"name": "a"}, labels={"a": "1"}, wait=LONG
        )
        live = start(
            executions, template_id=pause.id, labels={"a": "1", "b": "2"}, business_key="key"
        )

        def found(**filters: Any) -> list[str]:
            request = pb.ListExecutionsRequest(**{"namespace": space, **filters})
            return [e.id for e in executions.ListExecutions(request).executions]

        assert found() == [live.id, done.id]
        assert found(order_by="created_at") == [done.id, live.id]
        assert found(template_id=greet.id) == [done.id]
        assert found(template_name=pause.name) == [live.id]
        assert found(status=[pb.Execution.COMPLETED]) == [done.id]
        assert found(status=[pb.Execution.FAULTED]) == []
        active = [pb.Execution.PENDING, pb.Execution.RUNNING, pb.Execution.WAITING]
        assert found(status=active) == [live.id]
        assert found(labels=["a=1"]) == [live.id, done.id]
        assert found(labels=["a=1", "b=2"]) == [live.id]
        assert found(business_key="key") == [live.id]
        assert found(created_after=done.created_at) == [live.id]
        assert found(created_before=live.created_at) == [done.id]
        assert found(namespace="", template_id=greet.id) == [done.id]
        assert found(namespace=fresh()) == []

    def test_values_come_with_the_full_view_only(
        self, templates: TemplateServiceStub, executions: ExecutionServiceStub
    ) -> None:
        template = create(templates)
        ended = start(executions, template_id=template.id, input={"name": "a"}, wait=LONG)
        request = pb.ListExecutionsRequest(template_id=template.id)
        [basic] = executions.ListExecutions(request).executions
        assert not basic.HasField("input")
        assert not basic.HasField("output")
        request.view = pb.Execution.FULL
        [full] = executions.ListExecutions(request).executions
        assert (full.input, full.output) == (ended.input, ended.output)
        assert full.definition == template.config

    def test_pages_hold_each_execution_once(
        self, templates: TemplateServiceStub, executions: ExecutionServiceStub
    ) -> None:
        template = create(templates)
        made = [start(executions, template_id=template.id).id for _ in range(5)]
        request = pb.ListExecutionsRequest(template_id=template.id, page_size=2, show_total=True)
        seen: list[str] = []
        while True:
            answer = executions.ListExecutions(request)
            assert answer.total_size >= 5
            seen.extend(execution.id for execution in answer.executions)
            if not answer.next_page_token:
                break
            start(executions, template_id=template.id)
            request.page_token = answer.next_page_token
        assert seen == made[::-1]

    @pytest.mark.parametrize(
        ("fields", "fault"),
        [
            ({"status": [0]}, ("status#/0", "UNKNOWN_VALUE")),
            ({"status": [1, 99]}, ("status#/1", "UNKNOWN_VALUE")),
            ({"view": 9}, ("view", "UNKNOWN_VALUE")),
            ({"order_by": "status"}, ("order_by", "UNKNOWN_ORDER")),
            ({"labels": ["team"]}, ("labels", "BAD_LABEL_FILTER")),
        ],
    )
    def test_a_filter_that_means_nothing_is_refused(
        self, executions: ExecutionServiceStub, fields: dict[str, Any], fault: tuple[str, str]
    ) -> None:
        status = refusal(executions.ListExecutions, pb.ListExecutionsRequest(**fields))
        assert violations(status) == [fault]


class TestDelete:
    def test_an_ended_execution_goes_once(
        self, templates: TemplateServiceStub, executions: ExecutionServiceStub
    ) -> None:
        ended = start(executions, template_id=create(templates).id, wait=LONG)

        request = pb.DeleteExecutionRequest(id=ended.id)
        assert executions.DeleteExecution(request) == pb.DeleteExecutionResponse()

        for status in (
            refusal(executions.DeleteExecution, request),
            refusal(executions.GetExecution, pb.GetExecutionRequest(id=ended.id)),
            refusal(executions.ListExecutionEvents, pb.ListExecutionEventsRequest(id=ended.id)),
        ):
            assert code_of(status) is Code.NOT_FOUND
            assert error_info(status).reason == "EXECUTION_NOT_FOUND"

    def test_a_running_one_is_refused_with_its_state(
        self, templates: TemplateServiceStub, executions: ExecutionServiceStub
    ) -> None:
        template = create(templates, PAUSE)
        live = start(executions, template_id=template.id, wait=Duration(nanos=500_000_000))

        status = refusal(executions.DeleteExecution, pb.DeleteExecutionRequest(id=live.id))

        assert code_of(status) is Code.FAILED_PRECONDITION
        info = error_info(status)
        assert info.reason == "EXECUTION_NOT_ENDED"
        assert info.metadata["status"] in ("RUNNING", "WAITING")
        assert get(executions, live.id).id == live.id


class TestStats:
    def test_executions_and_their_tasks_are_counted(
        self, templates: TemplateServiceStub, executions: ExecutionServiceStub
    ) -> None:
        bad = {"bad": {"set": {"x": "${ .missing + {} + 1 }"}}}
        tried = {"attempt": {"try": [bad], "catch": {}}}
        space = fresh()
        template = create(templates, tried, GREET, namespace=space)
        pause = create(templates, PAUSE, namespace=space)
        begin = start(executions, template_id=template.id, input={"name": "a"}, wait=LONG)
        start(executions, template_id=template.id, input={"name": "b"}, wait=LONG)
        start(executions, template_id=template.id, input={"name": {}}, wait=LONG)
        start(executions, template_id=pause.id)

        def stats(**filters: Any) -> pb.GetExecutionStatsResponse:
            return executions.GetExecutionStats(
                pb.GetExecutionStatsRequest(namespace=space, **filters)
            )

        found = stats(interval=Duration(seconds=3600))
        assert found.total == 4
        ended = {each.status: each.count for each in found.by_status}
        assert ended[pb.Execution.COMPLETED] == 3
        assert found.success_rate == 1
        assert found.duration.max.ToTimedelta() >= begin.duration.ToTimedelta()
        assert sum(each.completed for each in found.intervals) == 3
        [failing] = found.failing_tasks
        assert (failing.template_id, failing.task) == (template.id, "/do/0/attempt/try/0/bad")
        assert (failing.count, failing.faulted, found.task_executions) == (3, 3, 3)
        assert {task.task for task in found.slowest_tasks} == {failing.task, "/do/1/greet"}
        assert stats(template_id=pause.id).total == 1
        assert stats(template_name=template.name).total == 3
        assert stats(created_after=begin.created_at).total == 3
        assert stats(created_before=begin.created_at).total == 0
        assert not stats(template_id=pause.id).HasField("success_rate")

    @pytest.mark.parametrize(
        ("fields", "fault"),
        [
            ({"interval": Duration()}, ("interval", "OUT_OF_RANGE")),
            ({"interval": Duration(nanos=1000)}, ("interval", "TOO_MANY_INTERVALS")),
            ({"created_before": Timestamp(seconds=1)}, ("created_before", "OUT_OF_RANGE")),
        ],
    )
    def test_a_window_that_means_nothing_is_refused(
        self, executions: ExecutionServiceStub, fields: dict[str, Any], fault: tuple[str, str]
    ) -> None:
        request = pb.GetExecutionStatsRequest(created_after=Timestamp(seconds=2), **fields)
        assert violations(refusal(executions.GetExecutionStats, request)) == [fault]
