from google.protobuf.json_format import MessageToDict

from api.template.v1 import template_pb2
from biz.templates.template import TemplateChange, TemplateStatus
from server.service.convert.template import template_change_from_proto, template_to_proto
from tests.fixtures.entities import TEMPLATE
from tests.fixtures.messages import all_fields, fields, refused


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
