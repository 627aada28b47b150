"""What the contract says of templates, line by line."""

import json
from typing import Any
from uuid import uuid4

import grpc
import pytest

from api.execution.v1.execution_pb2 import StartExecutionRequest
from api.execution.v1.execution_pb2_grpc import ExecutionServiceStub
from api.template.v1 import template_pb2 as pb
from api.template.v1.template_pb2_grpc import TemplateServiceStub
from tests.fixtures.definitions import GREET, definition
from tests.fixtures.statuses import code_of, error_info, refusal, violations

Code = grpc.StatusCode


def fresh(what: str = "t") -> str:
    """A name that nobody has."""
    return f"{what}-{uuid4()}"


def create(templates: TemplateServiceStub, **fields: Any) -> pb.Template:
    request = {"name": fresh(), "config": definition(GREET), **fields}
    return templates.CreateTemplate(pb.CreateTemplateRequest(**request)).template


def get(templates: TemplateServiceStub, id: int) -> pb.Template:
    return templates.GetTemplate(pb.GetTemplateRequest(id=id)).template


class TestCreate:
    def test_what_is_given_is_the_templates_own(self, templates: TemplateServiceStub) -> None:
        given = {"namespace": fresh(), "name": "a name / of any text", "version": "v ½"}
        made = create(templates, **given, description="d", labels={"team": "ops"})
        assert (made.namespace, made.name, made.version) == tuple(given.values())
        assert (made.description, made.labels) == ("d", {"team": "ops"})
        assert (made.status, made.config) == ("active", definition(GREET))
        assert made.digest
        assert made.etag
        assert made.created_at == made.updated_at
        assert get(templates, made.id) == made

    def test_what_is_left_empty_comes_from_the_document(
        self, templates: TemplateServiceStub
    ) -> None:
        space = fresh()
        config = definition(GREET, namespace=space, name="greet", version="3.2.1")
        made = create(templates, name="", config=config)
        assert (made.namespace, made.name, made.version) == (space, "greet", "3.2.1")

    def test_yaml_is_kept_as_sent(self, templates: TemplateServiceStub) -> None:
        config = (
            "document: {dsl: 1.0.0, namespace: default, name: y, version: 1.0.0}\n"
            "do:\n  - hello: {set: {a: 1}}  # a comment\n"
        )
        assert get(templates, create(templates, config=config).id).config == config

    def test_a_taken_key_already_exists(self, templates: TemplateServiceStub) -> None:
        made = create(templates, version="1.0.0")
        request = pb.CreateTemplateRequest(
            name=made.name, version="1.0.0", config=definition(GREET)
        )
        status = refusal(templates.CreateTemplate, request)
        assert code_of(status) is Code.ALREADY_EXISTS
        assert error_info(status).reason == "TEMPLATE_ALREADY_EXISTS"

    def test_each_fault_of_a_definition_is_a_violation_with_its_pointer(
        self, templates: TemplateServiceStub
    ) -> None:
        config = definition(
            {"a": {"set": {"x": "${ .a + }"}}}, {"b": {"cal": "http"}}, {"c": {"set": {}}}
        )
        status = refusal(templates.CreateTemplate, pb.CreateTemplateRequest(config=config))
        assert code_of(status) is Code.INVALID_ARGUMENT
        assert error_info(status).reason == "INVALID_DEFINITION"
        places = [field for field, _ in violations(status)]
        assert {"/".join(place.split("/")[:3]) for place in places} == {
            "config#/do/0",
            "config#/do/1",
            "config#/do/2",
        }

    def test_what_isnt_supported_is_refused(self, templates: TemplateServiceStub) -> None:
        config = definition({"a": {"set": {"x": 1}}}, evaluate={"language": "cel"})
        status = refusal(templates.CreateTemplate, pb.CreateTemplateRequest(config=config))
        assert violations(status) == [("config#/evaluate/language", "UNSUPPORTED_PROPERTY")]

    def test_a_config_that_is_neither_json_nor_yaml_is_refused(
        self, templates: TemplateServiceStub
    ) -> None:
        status = refusal(templates.CreateTemplate, pb.CreateTemplateRequest(config="{no"))
        assert [reason for _, reason in violations(status)] == ["SYNTAX"]

    @pytest.mark.parametrize(
        ("field", "length"), [("name", 256), ("version", 51), ("description", 1001)]
    )
    def test_texts_have_a_limit(
        self, templates: TemplateServiceStub, field: str, length: int
    ) -> None:
        longest = create(templates, **{field: fresh().ljust(length, "x")[: length - 1]})
        assert len(getattr(longest, field)) == length - 1
        request = pb.CreateTemplateRequest(**{"config": definition(GREET), field: "x" * length})
        status = refusal(templates.CreateTemplate, request)
        assert violations(status) == [(field, "TOO_LONG")]

    def test_the_same_request_id_answers_what_the_first_call_made(
        self, templates: TemplateServiceStub
    ) -> None:
        request = pb.CreateTemplateRequest(
            name=fresh(), config=definition(GREET), request_id=fresh("r")
        )
        first = templates.CreateTemplate(request)
        assert templates.CreateTemplate(request) == first
        request.description = "another"
        status = refusal(templates.CreateTemplate, request)
        assert code_of(status) is Code.ALREADY_EXISTS
        assert error_info(status).reason == "REQUEST_ID_REUSED"


def test_an_unknown_template_is_not_found(templates: TemplateServiceStub) -> None:
    for call, request in (
        (templates.GetTemplate, pb.GetTemplateRequest(id=999_999)),
        (templates.UpdateTemplate, pb.UpdateTemplateRequest(id=999_999, name="x")),
        (templates.DeleteTemplate, pb.DeleteTemplateRequest(id=999_999)),
    ):
        status = refusal(call, request)
        assert code_of(status) is Code.NOT_FOUND
        assert error_info(status).reason == "TEMPLATE_NOT_FOUND"


class TestUpdate:
    def test_only_what_is_set_changes(self, templates: TemplateServiceStub) -> None:
        made = create(templates, description="old", labels={"team": "ops"})
        request = pb.UpdateTemplateRequest(id=made.id, status="inactive", description="")
        changed = templates.UpdateTemplate(request).template
        assert (changed.status, changed.description) == ("inactive", "")
        assert (changed.name, changed.config, changed.labels) == (
            made.name,
            made.config,
            made.labels,
        )
        assert changed.created_at == made.created_at
        assert changed.updated_at.ToDatetime() > made.updated_at.ToDatetime()
        assert changed.etag != made.etag
        assert get(templates, made.id) == changed

    def test_a_new_definition_has_a_new_digest(self, templates: TemplateServiceStub) -> None:
        made = create(templates)
        config = definition({"other": {"set": {"v": 2}}})
        request = pb.UpdateTemplateRequest(id=made.id, config=config)
        changed = templates.UpdateTemplate(request).template
        assert changed.config == config
        assert changed.digest != made.digest

    def test_labels_are_replaced_as_a_whole(self, templates: TemplateServiceStub) -> None:
        made = create(templates, labels={"team": "ops", "tier": "1"})
        request = pb.UpdateTemplateRequest(id=made.id)
        request.labels["team"] = "payments"
        assert templates.UpdateTemplate(request).template.labels == {"team": "payments"}
        request.labels.Clear()
        assert templates.UpdateTemplate(request).template.labels == {}

    def test_setting_nothing_is_refused(self, templates: TemplateServiceStub) -> None:
        made = create(templates)
        status = refusal(templates.UpdateTemplate, pb.UpdateTemplateRequest(id=made.id))
        assert code_of(status) is Code.INVALID_ARGUMENT

    def test_an_invalid_definition_is_refused(self, templates: TemplateServiceStub) -> None:
        made = create(templates)
        request = pb.UpdateTemplateRequest(id=made.id, config=json.dumps({"document": {}}))
        assert error_info(refusal(templates.UpdateTemplate, request)).reason == "INVALID_DEFINITION"
        assert get(templates, made.id) == made

    def test_an_unknown_status_is_refused(self, templates: TemplateServiceStub) -> None:
        made = create(templates)
        request = pb.UpdateTemplateRequest(id=made.id, status="ACTIVE")
        assert violations(refusal(templates.UpdateTemplate, request)) == [
            ("status", "UNKNOWN_STATUS")
        ]

    def test_a_stale_etag_is_aborted(self, templates: TemplateServiceStub) -> None:
        made = create(templates)
        request = pb.UpdateTemplateRequest(id=made.id, description="1", etag=made.etag)
        templates.UpdateTemplate(request)
        status = refusal(templates.UpdateTemplate, request)
        assert code_of(status) is Code.ABORTED
        assert error_info(status).reason == "TEMPLATE_ETAG_MISMATCH"

    def test_a_taken_key_already_exists(self, templates: TemplateServiceStub) -> None:
        made = create(templates, version="1.0.0")
        other = create(templates, name=made.name, version="2.0.0")
        request = pb.UpdateTemplateRequest(id=other.id, version="1.0.0")
        assert code_of(refusal(templates.UpdateTemplate, request)) is Code.ALREADY_EXISTS


class TestDelete:
    def test_a_deleted_template_is_gone(self, templates: TemplateServiceStub) -> None:
        made = create(templates)
        templates.DeleteTemplate(pb.DeleteTemplateRequest(id=made.id))
        status = refusal(templates.GetTemplate, pb.GetTemplateRequest(id=made.id))
        assert code_of(status) is Code.NOT_FOUND

    def test_one_with_running_executions_goes_by_force_only(
        self, templates: TemplateServiceStub, executions: ExecutionServiceStub
    ) -> None:
        made = create(templates, config=definition({"pause": {"wait": {"minutes": 5}}}))
        executions.StartExecution(StartExecutionRequest(template_id=made.id))
        request = pb.DeleteTemplateRequest(id=made.id)
        status = refusal(templates.DeleteTemplate, request)
        assert code_of(status) is Code.FAILED_PRECONDITION
        assert error_info(status).reason == "TEMPLATE_IN_USE"
        request.force = True
        templates.DeleteTemplate(request)


class TestList:
    def test_filters_must_all_match(self, templates: TemplateServiceStub) -> None:
        space = fresh()
        a = create(templates, namespace=space, name="abc", labels={"team": "x", "tier": "1"})
        b = create(templates, namespace=space, name="abd", labels={"team": "x"})
        templates.UpdateTemplate(pb.UpdateTemplateRequest(id=b.id, status="inactive"))

        def found(**filters: Any) -> set[int]:
            request = pb.ListTemplatesRequest(namespace=space, **filters)
            return {template.id for template in templates.ListTemplates(request).templates}

        assert found() == {a.id, b.id}
        assert found(name="abc") == {a.id}
        assert found(name_prefix="ab") == {a.id, b.id}
        assert found(name_prefix="a%") == set()
        assert found(status="inactive") == {b.id}
        assert found(labels=["team=x"]) == {a.id, b.id}
        assert found(labels=["team=x", "tier=1"]) == {a.id}
        assert found(labels=["team=x"], status="active") == {a.id}

    def test_a_namespace_left_empty_means_all(self, templates: TemplateServiceStub) -> None:
        name = fresh()
        for space in (fresh(), fresh()):
            create(templates, namespace=space, name=name)
        answer = templates.ListTemplates(pb.ListTemplatesRequest(name=name))
        assert len(answer.templates) == 2

    def test_definitions_come_with_the_full_view_only(self, templates: TemplateServiceStub) -> None:
        made = create(templates)
        request = pb.ListTemplatesRequest(name=made.name)
        assert templates.ListTemplates(request).templates[0].config == ""
        request.view = pb.Template.FULL
        assert list(templates.ListTemplates(request).templates) == [made]

    def test_pages_hold_each_template_once_whatever_is_added_meanwhile(
        self, templates: TemplateServiceStub
    ) -> None:
        space = fresh()
        made = {create(templates, namespace=space).id for _ in range(5)}
        request = pb.ListTemplatesRequest(namespace=space, page_size=2, show_total=True)
        seen: list[int] = []
        while True:
            answer = templates.ListTemplates(request)
            seen.extend(template.id for template in answer.templates)
            assert answer.total_size >= 5
            if not answer.next_page_token:
                break
            create(templates, namespace=space)
            request.page_token = answer.next_page_token
        assert seen == sorted(made, reverse=True)

    def test_the_total_comes_when_it_is_asked_for(self, templates: TemplateServiceStub) -> None:
        request = pb.ListTemplatesRequest(name=fresh())
        assert not templates.ListTemplates(request).HasField("total_size")
        request.show_total = True
        answer = templates.ListTemplates(request)
        assert answer.HasField("total_size")
        assert answer.total_size == 0

    def test_they_come_in_the_order_asked_for(self, templates: TemplateServiceStub) -> None:
        space = fresh()
        for name in ("b", "c", "a"):
            create(templates, namespace=space, name=name)

        def names(order_by: str) -> list[str]:
            request = pb.ListTemplatesRequest(namespace=space, order_by=order_by)
            return [template.name for template in templates.ListTemplates(request).templates]

        assert names("") == ["a", "c", "b"]
        assert names("name") == ["a", "b", "c"]
        assert names("name desc") == ["c", "b", "a"]
        assert names("created_at") == ["b", "c", "a"]

    def test_a_forged_or_borrowed_token_is_refused(self, templates: TemplateServiceStub) -> None:
        space = fresh()
        for _ in range(2):
            create(templates, namespace=space)
        request = pb.ListTemplatesRequest(namespace=space, page_size=1)
        token = templates.ListTemplates(request).next_page_token
        for wrong in (
            pb.ListTemplatesRequest(namespace=space, page_size=1, page_token=token + "x"),
            pb.ListTemplatesRequest(namespace=fresh(), page_size=1, page_token=token),
        ):
            assert violations(refusal(templates.ListTemplates, wrong)) == [
                ("page_token", "BAD_PAGE_TOKEN")
            ]

    @pytest.mark.parametrize(
        ("fields", "fault"),
        [
            ({"order_by": "config"}, ("order_by", "UNKNOWN_ORDER")),
            ({"page_size": -1}, ("page_size", "OUT_OF_RANGE")),
            ({"labels": ["team"]}, ("labels", "BAD_LABEL_FILTER")),
            ({"status": "gone"}, ("status", "UNKNOWN_STATUS")),
            ({"view": 9}, ("view", "UNKNOWN_VALUE")),
        ],
    )
    def test_a_filter_that_means_nothing_is_refused(
        self, templates: TemplateServiceStub, fields: dict[str, Any], fault: tuple[str, str]
    ) -> None:
        status = refusal(templates.ListTemplates, pb.ListTemplatesRequest(**fields))
        assert violations(status) == [fault]


class TestAliases:
    def test_an_alias_can_be_set_moved_listed_and_deleted(
        self, templates: TemplateServiceStub
    ) -> None:
        one = create(templates, version="1.0.0")
        two = create(templates, name=one.name, version="2.0.0")
        request = pb.SetTemplateAliasRequest(name=one.name, alias="prod", version="1.0.0")
        alias = templates.SetTemplateAlias(request).template_alias
        assert (alias.namespace, alias.alias, alias.template_id) == ("default", "prod", one.id)
        request.version = "2.0.0"
        moved = templates.SetTemplateAlias(request).template_alias
        assert (moved.version, moved.template_id) == ("2.0.0", two.id)
        listing = pb.ListTemplateAliasesRequest(name=one.name, show_total=True)
        answer = templates.ListTemplateAliases(listing)
        assert (list(answer.template_aliases), answer.total_size) == ([moved], 1)
        removal = pb.DeleteTemplateAliasRequest(name=one.name, alias="prod")
        templates.DeleteTemplateAlias(removal)
        assert not templates.ListTemplateAliases(listing).template_aliases
        status = refusal(templates.DeleteTemplateAlias, removal)
        assert code_of(status) is Code.NOT_FOUND
        assert error_info(status).reason == "TEMPLATE_ALIAS_NOT_FOUND"

    def test_an_alias_points_to_a_stored_version_only(self, templates: TemplateServiceStub) -> None:
        made = create(templates, version="1.0.0")
        request = pb.SetTemplateAliasRequest(name=made.name, alias="prod", version="9.9.9")
        status = refusal(templates.SetTemplateAlias, request)
        assert code_of(status) is Code.NOT_FOUND
        assert error_info(status).reason == "TEMPLATE_NOT_FOUND"

    def test_an_alias_needs_all_its_names(self, templates: TemplateServiceStub) -> None:
        status = refusal(templates.SetTemplateAlias, pb.SetTemplateAliasRequest())
        assert violations(status) == [("name", "EMPTY"), ("alias", "EMPTY"), ("version", "EMPTY")]
