"""JSON Schemas of data (DSL reference, "Schema"): draft 2020-12, or draft 7 where it says so."""

import json
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from heapq import nsmallest
from typing import Any

from jsonschema import Draft7Validator, Draft202012Validator
from jsonschema.exceptions import SchemaError, ValidationError, best_match
from jsonschema.protocols import Validator
from jsonschema.validators import extend
from referencing import Registry, Resource, Specification
from referencing.exceptions import Unresolvable
from referencing.jsonschema import DRAFT7, DRAFT202012

from biz.dsl import patterns
from biz.dsl.depth import is_deeper
from biz.dsl.reading.pointers import child


def _unique_items(
    validator: Validator, is_asked: bool, items: Any, schema: Mapping[str, Any]
) -> Iterator[ValidationError]:
    """`uniqueItems` in a time that grows with the items; the library compares each with each."""
    if is_asked and isinstance(items, list) and len({_key(item) for item in items}) < len(items):
        yield ValidationError("two items are the same")


def _key(value: Any) -> Hashable:
    """The same for two JSON values that are equal: 1 is 1.0, and isn't true."""
    if isinstance(value, dict):
        return frozenset((name, _key(item)) for name, item in value.items())
    if isinstance(value, list):
        return tuple(_key(item) for item in value)
    return (bool, value) if isinstance(value, bool) else value


def _pattern(
    validator: Validator, pattern: str, text: Any, schema: Mapping[str, Any]
) -> Iterator[ValidationError]:
    if isinstance(text, str) and not patterns.matches(pattern, text):
        yield ValidationError(f"{text!r} does not match {pattern!r}")


def _pattern_properties(
    validator: Any, schemas: Mapping[str, Any], data: Any, schema: Mapping[str, Any]
) -> Iterator[ValidationError]:
    if isinstance(data, dict):
        for pattern, inner in schemas.items():
            for name in data:
                if patterns.matches(pattern, name):
                    yield from validator.descend(data[name], inner, path=name, schema_path=pattern)


def _additional_properties(
    validator: Any, inner: Any, data: Any, schema: Mapping[str, Any]
) -> Iterator[ValidationError]:
    if not isinstance(data, dict):
        return
    known, by_pattern = schema.get("properties", {}), schema.get("patternProperties", {})
    for name in data:
        if name not in known and not any(patterns.matches(p, name) for p in by_pattern):
            if inner is False:
                yield ValidationError(f"additional property {name!r} isn't allowed")
            else:
                yield from validator.descend(data[name], inner, path=name)


_OWN_KEYWORDS = {
    "uniqueItems": _unique_items,
    "pattern": _pattern,
    "patternProperties": _pattern_properties,
    "additionalProperties": _additional_properties,
}
"""Those that the library implements in a way that may take for ever."""


def _dialect(kind: type[Validator]) -> type[Validator]:
    made: type[Validator] = extend(kind, _OWN_KEYWORDS)  # type: ignore[no-untyped-call] # it has none
    return made


_DIALECTS: Mapping[str, tuple[type[Validator], Specification[Any]]] = {
    "https://json-schema.org/draft/2020-12/schema": (_dialect(Draft202012Validator), DRAFT202012),
    "http://json-schema.org/draft-07/schema": (_dialect(Draft7Validator), DRAFT7),
}
_DEFAULT = "https://json-schema.org/draft/2020-12/schema"
_MAX_DEPTH = 64
"""The libraries take about ten frames of the stack for each level of a schema."""

_COST = 5
_MOST_FAULTS = 20
_MOST_CHARACTERS = 300
_MOST_SCHEMAS = 20_000
_REFERENCES = ("$ref", "$dynamicRef")
_DATA = ("const", "default", "enum", "examples")
_BY_NAME = ("$defs", "definitions", "dependentSchemas", "patternProperties", "properties")
"""Keywords whose value has names as keys, and a schema behind each."""


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
        """The first faults of `data` in the order of their places, none where it is valid."""
        try:
            errors = nsmallest(_MOST_FAULTS, self._validator.iter_errors(data), key=_place)
            return [_fault(error) for error in errors]
        except RecursionError:
            message = "is nested too deep, or its schema refers to itself without an end"
            return [SchemaFault(pointer="", message=message)]

    def cost(self, data: Any) -> int:
        """What finding the faults of `data` takes, in characters that an expression reads."""
        try:
            return _COST * len(json.dumps(data))
        except RecursionError:
            return 0


def compile_schema(document: Any, *, is_trusted: bool = False) -> Schema:
    """Checks and compiles a schema, or only compiles one that was checked before.

    Raises InvalidSchema.
    """
    if type(document) not in (dict, bool):
        raise InvalidSchema("must be an object, or true or false", "")
    if is_deeper(document, _MAX_DEPTH):
        raise InvalidSchema(f"is nested more than {_MAX_DEPTH} levels deep", "")
    dialect = document.get("$schema", _DEFAULT) if isinstance(document, dict) else _DEFAULT
    if not isinstance(dialect, str) or dialect.removesuffix("#") not in _DIALECTS:
        raise InvalidSchema(f"must be one of {', '.join(_DIALECTS)}", "/$schema")
    kind, specification = _DIALECTS[dialect.removesuffix("#")]
    if not is_trusted:
        try:
            kind.check_schema(document)
        except SchemaError as error:
            raise InvalidSchema(_short(error.message), _pointer(error.absolute_path)) from None
        root = specification.create_resource(document)
        _check_links(root)
        _check_patterns(document)
        _check_size(root)
    return Schema(kind(document, registry=Registry()))


def _check_links(root: Resource[Any]) -> None:
    """What a schema refers to must be one of its own, at a place where a schema can be."""
    registry: Registry[Any] = Registry()
    resolver = registry.resolver_with_root(root)
    schemas = {id(schema) for schema in _schemas(root)}
    for keyword, value, pointer in _links(root.contents, ""):
        if keyword == "$id":
            raise InvalidSchema("only the schema as a whole can have an $id", pointer)
        if not value.startswith("#"):
            raise InvalidSchema(f'"{value}" is outside of this schema', pointer)
        try:
            is_schema = id(resolver.lookup(value).contents) in schemas
        except Unresolvable:
            is_schema = False
        if not is_schema:
            raise InvalidSchema(f'"{value}" is no schema in this one', pointer)


def _check_patterns(document: Any) -> None:
    """What is a pattern must be one that is matched in linear time."""
    found = list(_keywords(document, ""))
    has_names = any(keyword == "patternProperties" for keyword, _, _ in found)
    for keyword, value, pointer in found:
        if keyword == "unevaluatedProperties" and has_names:
            message = "can't be used beside patternProperties; use additionalProperties"
            raise InvalidSchema(message, pointer)
        texts = [value] if keyword == "pattern" else value if keyword == "patternProperties" else ()
        for text in texts:
            if (why := patterns.fault(text)) is not None:
                raise InvalidSchema(f"{text!r} isn't a pattern that can be used: {why}", pointer)


def _check_size(root: Resource[Any]) -> None:
    """References may make a schema of a few lines enormous: each is followed where it stands."""
    resolver = Registry().resolver_with_root(root)
    sizes: dict[int, int] = {}

    def parts(schema: Any) -> Iterator[Any]:
        if isinstance(schema, list):
            yield from schema
            return
        for key, value in schema.items():
            yield value
            if key in _REFERENCES and isinstance(value, str):
                with suppress(Unresolvable):  # in data, where it is no reference
                    yield resolver.lookup(value).contents

    def size(schema: Any) -> int:
        if not isinstance(schema, dict | list):
            return 0
        if id(schema) not in sizes:
            sizes[id(schema)] = 1  # where it refers to itself, its data is what bounds it
            sizes[id(schema)] = 1 + sum(size(part) for part in parts(schema))
        return sizes[id(schema)]

    if size(root.contents) > _MOST_SCHEMAS:
        raise InvalidSchema(f"its references make more than {_MOST_SCHEMAS} schemas of it", "")


def _keywords(document: Any, pointer: str) -> Iterator[tuple[str, Any, str]]:
    """The keywords in a schema that matter for patterns: keyword, value, place."""
    if isinstance(document, dict):
        for key, value in document.items():
            place = child(pointer, key)
            if (key == "pattern" and isinstance(value, str)) or (
                key in ("patternProperties", "unevaluatedProperties")
            ):
                yield key, value, place
            if key in _BY_NAME and isinstance(value, dict):
                for name, schema in value.items():
                    yield from _keywords(schema, child(place, name))
            elif key not in _DATA:
                yield from _keywords(value, place)
    elif isinstance(document, list):
        for i, value in enumerate(document):
            yield from _keywords(value, child(pointer, i))


def _schemas(root: Resource[Any]) -> Iterator[Any]:
    waiting = [root]
    while waiting:
        resource = waiting.pop()
        waiting.extend(resource.subresources())
        yield resource.contents


def _place(error: ValidationError) -> tuple[str, str]:
    """What orders errors: the library's own order differs from process to process."""
    return _pointer(error.absolute_path), error.message


def _fault(error: ValidationError) -> SchemaFault:
    closest = best_match([error]) or error
    return SchemaFault(pointer=_pointer(closest.absolute_path), message=_short(closest.message))


def _short(message: str) -> str:
    """The library's messages hold the value that is wrong, whatever its size."""
    if len(message) <= _MOST_CHARACTERS:
        return message
    half = _MOST_CHARACTERS // 2
    return f"{message[:half]} … {message[-half:]}"


def _links(document: Any, pointer: str) -> Iterator[tuple[str, str, str]]:
    """The references in a schema, and the names of schemas inside of it: keyword, value, place."""
    if isinstance(document, dict):
        for key, value in document.items():
            place = child(pointer, key)
            if isinstance(value, str):
                if key in _REFERENCES or (key == "$id" and pointer):
                    yield key, value, place
            elif key in _BY_NAME and isinstance(value, dict):
                for name, schema in value.items():
                    yield from _links(schema, child(place, name))
            elif key not in _DATA:
                yield from _links(value, place)
    elif isinstance(document, list):
        for i, value in enumerate(document):
            yield from _links(value, child(pointer, i))


def _pointer(path: Iterable[str | int]) -> str:
    pointer = ""
    for key in path:
        pointer = child(pointer, key)
    return pointer
