"""Operations of OpenAPI 3.0 and 3.1 documents."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import Field as Named

from workflows.activities.openapi.openapi_document import Described, Part, accepted, preferred
from workflows.activities.openapi.operation import Body, Operation, Parameter, Place, Style

_DEFAULT_STYLES = {
    Place.PATH: Style.SIMPLE,
    Place.QUERY: Style.FORM,
    Place.HEADER: Style.SIMPLE,
    Place.COOKIE: Style.SIMPLE,
}
_PATH_STYLES = (Style.SIMPLE, Style.LABEL, Style.MATRIX)
_QUERY_STYLES = (Style.FORM, Style.SPACE, Style.PIPE, Style.DEEP)
_WHOLE_BODY = "body"


class _Variable(Part):
    default: str


class _Server(Part):
    url: str
    variables: dict[str, _Variable] = Named(default_factory=dict)


class _Parameter(Part):
    name: str
    place: Place = Named(alias="in")
    required: bool = False
    style: Style | None = None
    explode: bool | None = None
    content: dict[str, Any] | None = None


class _RequestBody(Part):
    content: dict[str, Any]
    required: bool = False


class _Operation(Part):
    parameters: Sequence[Any] = ()
    request_body: Any = Named(default=None, alias="requestBody")
    responses: dict[str, Any] = Named(default_factory=dict)
    servers: Sequence[_Server] | None = None
    security: Sequence[Any] | None = None


class _PathItem(Part):
    parameters: Sequence[Any] = ()
    servers: Sequence[_Server] | None = None


class _Document(Part):
    servers: Sequence[_Server] | None = None
    security: Sequence[Any] | None = None
    components: dict[str, Any] = Named(default_factory=dict)


def read_operation(described: Described, value: Any, operation_id: str) -> Operation:
    """The operation of a document with this value; raises TaskFault."""
    document = described.read(_Document, value, "document")
    method, path, item_value, operation_value = described.find(operation_id)
    item = described.read(_PathItem, item_value, f"path {path}")
    operation = described.read(_Operation, operation_value, f"operation {operation_id}")
    parameters = {}
    for one in (*item.parameters, *operation.parameters):
        parameter = _read_parameter(described, one)
        parameters[parameter.name, parameter.place] = parameter
    servers = operation.servers or item.servers or document.servers or [_Server(url="/")]
    security = document.security if operation.security is None else operation.security
    return Operation(
        id=operation_id,
        method=method,
        url=_base(described, servers[0]) + path,
        parameters=tuple(parameters.values()),
        keys=described.keys(security, document.components.get("securitySchemes")),
        body=_read_body(described, operation.request_body),
        accepts=_accepted(described, operation.responses),
    )


def _base(described: Described, server: _Server) -> str:
    """The URL of a server, with its variables' defaults."""

    def default(match: re.Match[str]) -> str:
        if match[1] not in server.variables:
            raise described.fault(f"has a server with a variable that isn't declared: {match[1]}")
        value = server.variables[match[1]].default
        described.require_short(value, "server's variable")
        return value

    described.require_short(server.url, "server's URL")
    return described.resolve(re.sub(r"\{([^{}]*)\}", default, server.url))


def _read_parameter(described: Described, value: Any) -> Parameter:
    found = described.read(_Parameter, value, "parameter")
    style = found.style or _DEFAULT_STYLES[found.place]
    if found.content:
        style = Style.JSON
    elif found.place is Place.PATH and style not in _PATH_STYLES:
        raise described.fault(f"has a path parameter {found.name} with the style {style}")
    elif found.place is Place.QUERY and style not in _QUERY_STYLES:
        raise described.fault(f"has a query parameter {found.name} with the style {style}")
    return Parameter(
        name=found.name,
        place=found.place,
        style=style,
        explode=style is Style.FORM if found.explode is None else found.explode,
        is_required=found.required or found.place is Place.PATH,
    )


def _read_body(described: Described, value: Any) -> Body | None:
    if value is None:
        return None
    found = described.read(_RequestBody, value, "requestBody")
    if not found.content:
        return None
    media_type = preferred(found.content)
    media = described.mapping(found.content[media_type], "requestBody")
    schema = described.mapping(media.get("schema"), "schema")
    fields = described.fields(schema)
    return Body(
        # A property of this name leaves no name for the whole.
        name="" if _WHOLE_BODY in fields else _WHOLE_BODY,
        media_type="application/json" if "*" in media_type else media_type,
        is_required=found.required,
        fields=fields,
        is_closed=described.is_closed(schema),
    )


def _accepted(described: Described, responses: Mapping[str, Any]) -> str:
    found: list[str] = []
    for status, value in responses.items():
        if status.startswith("2") or status == "default":
            response = described.mapping(value, "response")
            found += described.mapping(response.get("content"), "response")
    return accepted(found)
