"""Operations of OpenAPI 2.0 documents, which were called Swagger."""

from collections.abc import Sequence
from typing import Any, Literal
from urllib.parse import urlsplit

from pydantic import Field as Named

from workflows.activities.http_calls.body import FORM, JSON
from workflows.activities.openapi.openapi_document import Described, Part, accepted, preferred
from workflows.activities.openapi.operation import Body, Field, Operation, Parameter, Place, Style
from workflows.activities.openapi.request import MULTIPART

_STYLES = {
    "csv": Style.FORM,
    "ssv": Style.SPACE,
    "tsv": Style.TAB,
    "pipes": Style.PIPE,
    "multi": Style.FORM,
}


class _Parameter(Part):
    name: str
    place: Literal["path", "query", "header", "body", "formData"] = Named(alias="in")
    required: bool = False
    type: str = ""
    collection_format: Literal["csv", "ssv", "tsv", "pipes", "multi"] = Named(
        default="csv", alias="collectionFormat"
    )
    schema_: Any = Named(default=None, alias="schema")

    @property
    def style(self) -> Style:
        """The one of OpenAPI 3 that writes the same."""
        style = _STYLES[self.collection_format]
        return Style.SIMPLE if style is Style.FORM and self.place in ("path", "header") else style


class _Operation(Part):
    parameters: Sequence[Any] = ()
    consumes: Sequence[str] | None = None
    produces: Sequence[str] | None = None
    schemes: Sequence[str] | None = None
    security: Sequence[Any] | None = None


class _PathItem(Part):
    parameters: Sequence[Any] = ()


class _Document(Part):
    host: str = ""
    base_path: str = Named(default="/", alias="basePath")
    schemes: Sequence[str] = ()
    consumes: Sequence[str] = ()
    produces: Sequence[str] = ()
    security: Sequence[Any] | None = None
    security_definitions: dict[str, Any] = Named(default_factory=dict, alias="securityDefinitions")


def read_operation(described: Described, value: Any, operation_id: str) -> Operation:
    """The operation of a document with this value; raises TaskFault."""
    document = described.read(_Document, value, "document")
    method, path, item_value, operation_value = described.find(operation_id)
    item = described.read(_PathItem, item_value, f"path {path}")
    operation = described.read(_Operation, operation_value, f"operation {operation_id}")
    declared = {}
    for one in (*item.parameters, *operation.parameters):
        found = described.read(_Parameter, one, "parameter")
        declared[found.name, found.place] = found
    consumed = document.consumes if operation.consumes is None else operation.consumes
    security = document.security if operation.security is None else operation.security
    schemes = document.schemes if operation.schemes is None else operation.schemes
    return Operation(
        id=operation_id,
        method=method,
        url=_base(described, document, schemes) + path,
        parameters=[
            Parameter(
                name=found.name,
                place=Place(found.place),
                style=found.style,
                explode=found.collection_format == "multi" and found.place == "query",
                is_required=found.required or found.place == "path",
            )
            for found in declared.values()
            if found.place not in ("body", "formData")
        ],
        keys=described.keys(security, document.security_definitions),
        body=_read_body(described, list(declared.values()), consumed),
        accepts=accepted(document.produces if operation.produces is None else operation.produces),
    )


def _base(described: Described, document: _Document, schemes: Sequence[str]) -> str:
    """By the scheme of the document's own URL where it is allowed, else by https or http."""
    here = urlsplit(described.uri)
    allowed = [scheme for scheme in (here.scheme, "https", "http") if scheme in schemes]
    if schemes and not allowed:
        raise described.fault(f"has the schemes {', '.join(schemes)}, not http or https")
    scheme = allowed[0] if allowed else here.scheme
    return described.resolve(f"{scheme}://{document.host or here.netloc}{document.base_path}")


def _read_body(
    described: Described, declared: Sequence[_Parameter], consumed: Sequence[str]
) -> Body | None:
    fields = {
        found.name: Field(
            style=found.style,
            explode=found.collection_format == "multi",
            is_required=found.required,
            is_file=found.type == "file",
        )
        for found in declared
        if found.place == "formData"
    }
    if fields:
        has_parts = MULTIPART in consumed or any(field.is_file for field in fields.values())
        media_type = MULTIPART if has_parts and FORM not in consumed else FORM
        return Body(name="", media_type=media_type, fields=fields, is_closed=True)
    whole = next((found for found in declared if found.place == "body"), None)
    if whole is None:
        return None
    schema = described.mapping(whole.schema_, "schema")
    return Body(
        name=whole.name,
        media_type=preferred(consumed) or JSON,
        is_required=whole.required,
        fields=described.fields(schema),
        is_closed=described.is_closed(schema),
    )
