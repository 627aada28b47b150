"""How much fits into a request and a page."""

from uuid import uuid4

import grpc
import pytest

from api.template.v1 import template_pb2 as pb
from api.template.v1.template_pb2_grpc import TemplateServiceStub
from tests.fixtures.definitions import GREET, definition
from tests.fixtures.statuses import code_of, refusal, violations


def test_a_page_ends_early_at_three_mebibytes(templates: TemplateServiceStub) -> None:
    name = str(uuid4())
    padding = {"pad": {"set": {"x": "x" * 900_000}}}
    made = [
        templates.CreateTemplate(
            pb.CreateTemplateRequest(name=name, version=f"1.0.{n}", config=definition(padding))
        ).template.id
        for n in range(5)
    ]
    request = pb.ListTemplatesRequest(name=name, view=pb.Template.FULL, order_by="id")
    first = templates.ListTemplates(request)
    assert [template.id for template in first.templates] == made[:4]
    request.page_token = first.next_page_token
    second = templates.ListTemplates(request)
    assert [template.id for template in second.templates] == made[4:]
    assert second.next_page_token == ""


def test_a_definition_has_a_limit(templates: TemplateServiceStub) -> None:
    request = pb.CreateTemplateRequest(config=definition(GREET) + " " * 1024 * 1024)
    status = refusal(templates.CreateTemplate, request)
    assert code_of(status) is grpc.StatusCode.INVALID_ARGUMENT
    assert violations(status) == [("config", "TOO_LONG")]


def test_a_request_over_24_mebibytes_is_refused(templates: TemplateServiceStub) -> None:
    request = pb.CreateTemplateRequest(config=" " * 24 * 1024 * 1024)
    with pytest.raises(grpc.RpcError) as failure:
        templates.CreateTemplate(request)
    assert failure.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED


def test_a_request_that_is_unsound_in_many_places_gets_an_answer(
    templates: TemplateServiceStub,
) -> None:
    tasks = [{f"task{n}": {"unknown": {}}} for n in range(500)]
    status = refusal(templates.CreateTemplate, pb.CreateTemplateRequest(config=definition(*tasks)))
    assert code_of(status) is grpc.StatusCode.INVALID_ARGUMENT
    assert violations(status)
