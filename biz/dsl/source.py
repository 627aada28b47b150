"""The text of a definition: JSON or YAML into JSON values, and where each value stands in it."""

import json
import math
import re
from dataclasses import dataclass
from typing import Any

import yaml

from biz.dsl.pointers import child


class SourceError(Exception):
    """The text can't be read; `line` and `column` count from 1, 0 is unknown."""

    def __init__(self, message: str, *, line: int = 0, column: int = 0) -> None:
        super().__init__(message)
        self.message = message
        self.line = line
        self.column = column


class _Loader(yaml.CSafeLoader):
    """YAML's composer with the core schema of YAML 1.2, so that `on` is a string."""


_Loader.yaml_implicit_resolvers = {}
for _tag, _pattern, _first in (
    ("bool", r"true|True|TRUE|false|False|FALSE", "tTfF"),
    ("null", r"~|null|Null|NULL|", ["~", "n", "N", ""]),
    ("int", r"[-+]?[0-9]+", "-+0123456789"),
    ("float", r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?", "-+0123456789."),
):
    _Loader.add_implicit_resolver(
        f"tag:yaml.org,2002:{_tag}", re.compile(rf"^(?:{_pattern})$"), list(_first)
    )


def load(text: str) -> Any:
    """The JSON value of a text in JSON or YAML; raises SourceError."""
    try:
        if text.lstrip().startswith("{"):
            try:
                return json.loads(
                    text,
                    object_pairs_hook=_unique,
                    parse_constant=_no_constant,
                    parse_float=_finite,
                )
            except json.JSONDecodeError as error:
                json_error = SourceError(
                    f"not JSON: {error.msg}", line=error.lineno, column=error.colno
                )
            try:
                return _load_yaml(text)
            except SourceError:
                raise json_error from None
        return _load_yaml(text)
    except RecursionError:
        raise SourceError("nested too deep") from None


def _load_yaml(text: str) -> Any:
    root = _compose(text)
    return _value(root, set()) if root is not None else None


def _compose(text: str) -> yaml.Node | None:
    try:
        return yaml.compose(text, Loader=_Loader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        raise SourceError(
            f"not YAML: {error.problem or error.context}",
            line=mark.line + 1 if mark else 0,
            column=mark.column + 1 if mark else 0,
        ) from None
    except yaml.YAMLError:
        raise SourceError("holds a character that YAML doesn't allow") from None


def _value(node: yaml.Node, seen: set[int]) -> Any:
    """The JSON value of a node; an alias leads to a node seen before."""
    if id(node) in seen:
        raise _at(node, "aliases aren't read; write the value out")
    seen.add(id(node))
    if isinstance(node, yaml.SequenceNode):
        return [_value(item, seen) for item in node.value]
    if isinstance(node, yaml.MappingNode):
        mapping: dict[str, Any] = {}
        for key_node, value_node in node.value:
            key = _value(key_node, seen)
            if not isinstance(key, str):
                raise _at(key_node, f"the key {key!r} must be a string; put it in quotes")
            if key in mapping:
                raise _at(key_node, f"the key {key!r} stands twice")
            mapping[key] = _value(value_node, seen)
        return mapping
    return _scalar(node)


def _scalar(node: yaml.Node) -> Any:
    text = str(node.value)
    match node.tag.rpartition(":")[2]:
        case "str":
            return text
        case "null":
            return None
        case "bool":
            return text.lower() == "true"
        case "int":
            return int(text)
        case "float" if math.isfinite(float(text)):
            return float(text)
    raise _at(node, f"{text[:40]!r} is no value of JSON")


def _at(node: yaml.Node, message: str) -> SourceError:
    mark = node.start_mark
    return SourceError(message, line=mark.line + 1, column=mark.column + 1)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    mapping = dict(pairs)
    if len(mapping) < len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in mapping if keys.count(key) > 1)
        raise SourceError(f"the key {twice!r} stands twice")
    return mapping


def _no_constant(name: str) -> Any:
    raise SourceError(f"{name} isn't a JSON number")


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise SourceError(f"the number {text[:40]} is too large")
    return number


@dataclass(frozen=True, slots=True)
class Position:
    """A place in a text, counted from 1."""

    line: int
    column: int


def positions(text: str) -> dict[str, Position]:
    """The place of each value of a readable text, by its JSON pointer (JSON is YAML here)."""
    root = _compose(text)
    found: dict[str, Position] = {}
    stack: list[tuple[yaml.Node, str]] = [(root, "")] if root else []
    while stack:
        node, pointer = stack.pop()
        found[pointer] = Position(node.start_mark.line + 1, node.start_mark.column + 1)
        if isinstance(node, yaml.MappingNode):
            stack.extend((value, child(pointer, key.value)) for key, value in node.value)
        elif isinstance(node, yaml.SequenceNode):
            stack.extend((item, child(pointer, i)) for i, item in enumerate(node.value))
    return found
