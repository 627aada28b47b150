"""JSON Schemas of data (DSL reference, "Schema"): draft 2020-12, or draft 7 where it says so."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from jsonschema import Draft7Validator, Draft202012Validator
from jsonschema.exceptions import SchemaError, best_match
from jsonschema.protocols import Validator
from referencing import Registry, Specification
from referencing.exceptions import Unresolvable
from referencing.jsonschema import DRAFT7, DRAFT202012

from biz.dsl.pointers import child

_DRAFT_7 = "http://json-schema.org/draft-07/schema"
_MOST_FAULTS = 20


class InvalidSchema(Exception):
    """The document isn't a schema that can be used here; `pointer` is the place in it."""

    def __init__(self, message: str, pointer: str) -> None:
        super().__init__(message)
        self.message = message
        self.pointer = pointer


@dataclass(frozen=True, slots=True, kw_only=True)
class SchemaFault:
    """Where data breaks a schema: a JSON pointer into the data, and how."""

    pointer: str
    message: str


@dataclass(frozen=True, slots=True)
class Schema:
    """A compiled schema, which refers to nothing outside of itself."""

    _validator: Validator

    def faults(self, data: Any) -> Sequence[SchemaFault]:
        """The first faults of `data`, none where it is valid."""
        found = []
        for error in self._validator.iter_errors(data):
            closest = best_match([error]) or error
            found.append(
                SchemaFault(pointer=_pointer(closest.absolute_path), message=closest.message)
            )
            if len(found) == _MOST_FAULTS:
                break
        return found


def compile_schema(document: Any) -> Schema:
    """Checks and compiles a schema; raises InvalidSchema."""
    if not isinstance(document, dict | bool):
        raise InvalidSchema("must be an object, or true or false", "")
    kind: type[Validator] = Draft202012Validator
    specification: Specification[Any] = DRAFT202012
    if isinstance(document, dict) and str(document.get("$schema", "")).startswith(_DRAFT_7):
        kind, specification = Draft7Validator, DRAFT7
    try:
        kind.check_schema(document)
    except SchemaError as error:
        raise InvalidSchema(error.message, _pointer(error.absolute_path)) from None
    root: Registry[Any] = Registry()
    resolver = root.resolver_with_root(specification.create_resource(document))
    for reference, pointer in _references(document, ""):
        if not reference.startswith("#"):
            raise InvalidSchema(f'"{reference}" is outside of this schema', pointer)
        try:
            resolver.lookup(reference)
        except Unresolvable:
            raise InvalidSchema(f'"{reference}" isn\'t in this schema', pointer) from None
    return Schema(kind(document, registry=Registry()))


def _references(document: Any, pointer: str) -> Iterator[tuple[str, str]]:
    if isinstance(document, dict):
        for key, value in document.items():
            place = child(pointer, key)
            if key in ("$ref", "$dynamicRef") and isinstance(value, str):
                yield value, place
            elif key not in ("const", "default", "enum", "examples"):
                yield from _references(value, place)
    elif isinstance(document, list):
        for i, value in enumerate(document):
            yield from _references(value, child(pointer, i))


def _pointer(path: Iterable[str | int]) -> str:
    pointer = ""
    for key in path:
        pointer = child(pointer, key)
    return pointer
