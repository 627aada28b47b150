"""Templates, and the requests for them."""

from google.protobuf.struct_pb2 import Struct, Value

from api.template.v1 import template_pb2
from biz.errors import Violation
from biz.templates.template import Template, TemplateChange, TemplateQuery, TemplateStatus
from server.service.convert.refusal import check_enum, refuse
from server.service.convert.time import time_to_proto
from server.service.convert.values import value_from_proto


def template_to_proto(template: Template) -> template_pb2.Template:
    """The message; its config is empty where the entity's is."""
    return template_pb2.Template(
        id=template.id,
        name=template.name,
        description=template.description,
        version=template.version,
        config=template.config,
        status=template.status.value,
        created_at=time_to_proto(template.created_at),
        updated_at=time_to_proto(template.updated_at),
        etag=template.etag,
        namespace=template.namespace,
        digest=template.digest,
        labels=template.labels,
    )


def template_change_from_proto(request: template_pb2.UpdateTemplateRequest) -> TemplateChange:
    """What the request sets. Raises InvalidArgument."""
    faults: list[Violation] = []
    change = TemplateChange(
        name=request.name if request.HasField("name") else None,
        version=request.version if request.HasField("version") else None,
        description=request.description if request.HasField("description") else None,
        config=request.config if request.HasField("config") else None,
        status=_template_status(request.status, faults) if request.HasField("status") else None,
        labels=_labels(request.labels, faults) if request.HasField("labels") else None,
    )
    refuse(faults)
    return change


def template_query_from_proto(request: template_pb2.ListTemplatesRequest) -> TemplateQuery:
    """The filter, without its labels, which are read by the use case. Raises InvalidArgument."""
    faults: list[Violation] = []
    check_enum(template_pb2.Template.View.DESCRIPTOR, request.view, "view", faults)
    query = TemplateQuery(
        namespace=request.namespace,
        name=request.name,
        name_prefix=request.name_prefix,
        status=_template_status(request.status, faults) if request.status else None,
        full=request.view == template_pb2.Template.FULL,
    )
    refuse(faults)
    return query


def _template_status(text: str, faults: list[Violation]) -> TemplateStatus | None:
    try:
        return TemplateStatus(text)
    except ValueError:
        message = 'must be "active" or "inactive"'
        faults.append(Violation(field="status", code="unknown-status", message=message))
        return None


def _labels(labels: Struct, faults: list[Violation]) -> dict[str, str]:
    found = value_from_proto(Value(struct_value=labels), field="labels", faults=faults)
    for key, value in found.items():
        if not isinstance(value, str):
            message = f"the value of {key[:80]!r} must be a string"
            faults.append(Violation(field="labels", code="wrong-type", message=message))
    return dict(found)
