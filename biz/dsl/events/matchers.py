"""What values of events must be like: compared, searched by a pattern, or judged by an expression.

DSL reference, "Event Filter".
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

from biz.dsl.events.scope import Scope
from biz.dsl.expressions import CompileError, Expression, compile_expression, is_evaluated
from biz.dsl.json_types import is_equal
from biz.dsl.reading.reader import Node
from biz.dsl.values import read_expression

_SPECIAL = re.compile(r"[\\^$*+?()\[\]{}|]")
"""What makes a text a pattern. A dot alone doesn't: it stands in most types of events."""


class Matcher(Protocol):
    """What one value must be like. Those of a lower `RANK` take less and are asked first."""

    RANK: ClassVar[int]

    async def matches(self, value: Any, scope: Scope) -> bool:
        """Whether a value is like that; faults the task where an expression fails on it."""
        ...


@dataclass(frozen=True, slots=True)
class Equal:
    """The same JSON value."""

    RANK: ClassVar[int] = 0

    expected: Any

    async def matches(self, value: Any, scope: Scope) -> bool:
        """See Matcher."""
        return is_equal(value, self.expected)


@dataclass(frozen=True, slots=True)
class Text:
    """The same text, or one that is as a whole what a regular expression describes.

    The pattern is one of jq's `test`, and runs where it can be stopped. A text that is no regular
    expression is only compared.
    """

    RANK: ClassVar[int] = 2

    expected: str
    pattern: Expression

    async def matches(self, value: Any, scope: Scope) -> bool:
        """See Matcher."""
        if not isinstance(value, str):
            return False
        return value == self.expected or bool(await scope.evaluate(self.pattern, value))


@dataclass(frozen=True, slots=True)
class Judged:
    """What an expression on the value says: true or false, or else the value that it must be."""

    RANK: ClassVar[int] = 1

    expression: Expression

    async def matches(self, value: Any, scope: Scope) -> bool:
        """See Matcher."""
        result = await scope.evaluate(self.expression, value)
        return result if isinstance(result, bool) else is_equal(result, value)


@dataclass(frozen=True, slots=True)
class Properties:
    """An object that has at least these properties."""

    RANK: ClassVar[int] = 1

    properties: Mapping[str, Matcher]

    async def matches(self, value: Any, scope: Scope) -> bool:
        """See Matcher."""
        if not isinstance(value, dict):
            return False
        for name, matcher in self.properties.items():
            if name not in value or not await matcher.matches(value[name], scope):
                return False
        return True


@dataclass(frozen=True, slots=True)
class Items:
    """An array of just these items."""

    RANK: ClassVar[int] = 1

    items: Sequence[Matcher]

    async def matches(self, value: Any, scope: Scope) -> bool:
        """See Matcher."""
        if not isinstance(value, list) or len(value) != len(self.items):
            return False
        for item, matcher in zip(value, self.items, strict=True):
            if not await matcher.matches(item, scope):
                return False
        return True


def read_matcher(node: Node, variables: frozenset[str]) -> Matcher:
    """What a JSON value of a definition asks for."""
    value = node.value
    if isinstance(value, str):
        return _read_text(node, variables)
    if isinstance(value, dict):
        return Properties({name: read_matcher(node.at(name), variables) for name in value})
    if isinstance(value, list):
        return Items([read_matcher(node.at(place), variables) for place in range(len(value))])
    return Equal(value)


def _read_text(node: Node, variables: frozenset[str]) -> Matcher:
    text = node.string()
    if is_evaluated(text):
        return Judged(read_expression(node, variables))
    if not _SPECIAL.search(text):
        return Equal(text)
    whole = json.dumps(rf"\A(?:{text})\z")
    program = f"try test({whole}) catch false"
    try:
        return Text(text, compile_expression(program, frozenset(), is_trusted=node.is_trusted))
    except CompileError:  # too long for a pattern
        return Equal(text)
