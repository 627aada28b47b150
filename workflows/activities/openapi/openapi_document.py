"""Finds an operation in an OpenAPI document: what the versions of OpenAPI have in common."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from difflib import get_close_matches
from typing import Any, TypeVar
from urllib.parse import urljoin, urlsplit

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from referencing import Registry, Resource
from referencing.exceptions import Unresolvable

from biz.dsl.errors import TaskFault
from workflows.activities.documents import FetchedDocument
from workflows.activities.openapi.operation import Field as BodyField
from workflows.activities.openapi.operation import Parameter, Place, Style

METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")

_MOST_REFERENCES = 20
_DEEPEST_SCHEMA = 10
_MOST_ACCEPTED = 10
_SHOWN = 10
_MOST_STEPS = 100_000
"""References followed and entries looked at in one document: a small one can refer to itself
without end.
"""

_LONGEST_REFERENCE = 2_000
_LONGEST_URL = 8_000
_MOST_COMPARED = 1_000


class Part(BaseModel):
    """A part of a document, of which only what matters here is read."""

    model_config = ConfigDict(extra="ignore", coerce_numbers_to_str=True)


class SecurityScheme(Part):
    """A security scheme, alike in all versions but for those that HTTP knows itself."""

    type: str
    name: str = ""
    place: str = Field(default="", alias="in")


_Part = TypeVar("_Part", bound=Part)


class Described:
    """An OpenAPI document's value. Each method raises TaskFault, a configuration error, where the
    document isn't as the specification says.
    """

    def __init__(self, document: FetchedDocument, value: Any) -> None:
        self._document = document
        self._value = value
        self._steps = 0
        registry: Registry[Any] = Registry().with_resource("", Resource.opaque(value))
        self._resolver = registry.resolver()

    @property
    def uri(self) -> str:
        """Where the document is."""
        return self._document.uri

    def follow(self, value: Any) -> Any:
        """What stands where a value refers to, the value itself where it refers to nothing."""
        for _ in range(_MOST_REFERENCES):
            self._step()
            if not isinstance(value, dict) or not isinstance(value.get("$ref"), str):
                return value
            reference = value["$ref"]
            if len(reference) > _LONGEST_REFERENCE:
                raise self.fault(f"has a reference of more than {_LONGEST_REFERENCE} characters")
            try:
                value = self._resolver.lookup(reference).contents
            except (Unresolvable, ValueError, TypeError):
                raise self.fault(f"refers to {reference}, which isn't in it") from None
        raise self.fault("has references that go round in a circle")

    def read(self, model: type[_Part], value: Any, what: str) -> _Part:
        """A part of the document; `what` it is."""
        found = self.follow(value)
        for entry in found.values() if isinstance(found, dict) else ():
            self._step(len(entry) if isinstance(entry, dict | list) else 1)
        try:
            return model.model_validate(found)
        except ValidationError as error:
            first = error.errors(include_url=False, include_context=False, include_input=False)[0]
            place = ".".join(str(step) for step in first["loc"])
            raise self.fault(f"has a faulty {what}: {place or 'it'}: {first['msg']}") from None

    def mapping(self, value: Any, what: str) -> Mapping[str, Any]:
        """An object, empty where there is none; `what` it is."""
        value = self.follow(value)
        if value is None:
            return {}
        if not isinstance(value, dict):
            raise self.fault(f"has a faulty {what}: it must be an object")
        self._step(len(value))
        return value

    def find(self, operation_id: str) -> tuple[str, str, Mapping[str, Any], Mapping[str, Any]]:
        """An operation by its operationId: method, path, the path's item and the operation."""
        known = []
        for method, path, item, operation in self._operations():
            if operation.get("operationId") == operation_id:
                self.require_short(path, "path")
                return method.upper(), path, item, operation
            known.append(str(operation.get("operationId", "")))
        close = get_close_matches(operation_id, known[:_MOST_COMPARED], n=3)
        hint = f"did you mean {' or '.join(close)}?" if close else _shown(known)
        raise self.fault(f'has no operation "{operation_id}"; {hint}')

    def security_schemes(self, requirements: Any, schemes: Any) -> Iterator[tuple[str, Any]]:
        """The schemes that security requirements name; an unknown one is passed over."""
        declared = self.mapping(schemes, "securitySchemes")
        for requirement in requirements if isinstance(requirements, list) else []:
            for name in self.mapping(requirement, "security"):
                if name in declared:
                    yield name, declared[name]

    def keys(self, requirements: Any, schemes: Any) -> Mapping[str, Parameter]:
        """The API keys that requirements name, by their own names and those of their schemes."""
        keys = {}
        for name, value in self.security_schemes(requirements, schemes):
            scheme = self.read(SecurityScheme, value, f"security scheme {name}")
            if scheme.type != "apiKey":
                continue
            if scheme.place not in ("query", "header", "cookie"):
                raise self.fault(f"has a faulty security scheme {name}: in: {scheme.place}")
            place = Place(scheme.place)
            style = Style.FORM if place is Place.QUERY else Style.SIMPLE
            keys[name] = keys[scheme.name] = Parameter(name=scheme.name, place=place, style=style)
        return keys

    def fields(self, schema: Mapping[str, Any], depth: int = 0) -> dict[str, BodyField]:
        """The properties that a body's schema declares, itself and by `allOf`."""
        fields: dict[str, BodyField] = {}
        parts = schema.get("allOf")
        for part in parts if isinstance(parts, list) and depth < _DEEPEST_SCHEMA else []:
            fields |= self.fields(self.mapping(part, "schema"), depth + 1)
        required = schema.get("required")
        listed = required if isinstance(required, list) else []
        self._step(len(listed))
        names = {name for name in listed if isinstance(name, str)}
        for name, value in self.mapping(schema.get("properties"), "schema").items():
            found = self.follow(value)
            known: Mapping[str, Any] = found if isinstance(found, dict) else {}
            fields[name] = BodyField(
                is_required=name in names and not known.get("readOnly"),
                is_file=known.get("format") == "binary" or "contentMediaType" in known,
            )
        return fields

    def is_closed(self, schema: Mapping[str, Any]) -> bool:
        """Whether a body may have no properties but those declared."""
        kinds = schema.get("type", "object")
        may_be_object = "object" in (kinds if isinstance(kinds, list) else [kinds])
        return not may_be_object or schema.get("additionalProperties") is False

    def require_short(self, text: str, what: str) -> None:
        """Raises TaskFault where a part of a URL is longer than any service takes."""
        if len(text) > _LONGEST_URL:
            raise self.fault(f"has a {what} of more than {_LONGEST_URL} characters")

    def resolve(self, url: str) -> str:
        """A base URL, against that of the document; without a slash at its end."""
        try:
            absolute = urljoin(self.uri, url)
            is_absolute = urlsplit(absolute).scheme in ("http", "https")
        except ValueError:
            is_absolute = False
        if not is_absolute:
            raise self.fault(f"has a server that is neither http nor https: {url}")
        return absolute.partition("#")[0].partition("?")[0].rstrip("/")

    def fault(self, what: str) -> TaskFault:
        """A configuration error that names the document."""
        return self._document.fault(what)

    def _step(self, size: int = 1) -> None:
        self._steps += size
        if self._steps > _MOST_STEPS:
            raise self.fault(
                f"can't be read within {_MOST_STEPS} steps: it is too large, or its references "
                "lead to too much"
            )

    def _operations(self) -> Iterator[tuple[str, str, Mapping[str, Any], Mapping[str, Any]]]:
        root = self.mapping(self._value, "document")
        for path, value in self.mapping(root.get("paths"), "paths").items():
            if not isinstance(value, dict):
                continue
            item = self.mapping(value, f"path {path}")
            for method in METHODS:
                if isinstance(item.get(method), dict):
                    yield method, path, item, item[method]


def accepted(media_types: Collection[str]) -> str:
    """The value of an Accept header, JSON first."""
    ordered = sorted(dict.fromkeys(media_types), key=lambda name: "json" not in name.lower())
    return ", ".join(ordered[:_MOST_ACCEPTED])


def preferred(media_types: Collection[str]) -> str:
    """What a body is sent as: JSON where it is taken, then a form, then what comes first."""

    def rank(media_type: str) -> int:
        if "json" in media_type or "*" in media_type:
            return 0
        return 1 if "form" in media_type else 2

    return min(media_types, key=rank, default="")


def _shown(known: Sequence[str]) -> str:
    names = [name for name in known if name][:_SHOWN]
    return f"it has {', '.join(names)}" if names else "it has none"
