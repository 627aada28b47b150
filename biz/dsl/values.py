"""Values of a definition that may hold runtime expressions, and how they are read."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from biz.dsl.expressions import (
    CompileError,
    Expression,
    Variables,
    compile_expression,
    is_evaluated,
    unwrap,
)
from biz.dsl.model import Evaluable
from biz.dsl.reader import Node


@dataclass(frozen=True, slots=True)
class Literal:
    """A value without expressions."""

    value: Any

    async def evaluate(self, data: Any, variables: Variables) -> Any:
        """The value, which nobody may change."""
        return self.value


@dataclass(frozen=True, slots=True)
class ObjectValue:
    """An object with an expression somewhere in it."""

    properties: Mapping[str, Evaluable]

    async def evaluate(self, data: Any, variables: Variables) -> Any:
        """The object with its expressions evaluated."""
        return {
            name: await value.evaluate(data, variables) for name, value in self.properties.items()
        }


@dataclass(frozen=True, slots=True)
class ArrayValue:
    """An array with an expression somewhere in it."""

    items: Sequence[Evaluable]

    async def evaluate(self, data: Any, variables: Variables) -> Any:
        """The array with its expressions evaluated."""
        return [await item.evaluate(data, variables) for item in self.items]


def read_value(node: Node, variables: frozenset[str]) -> Evaluable:
    """A JSON value in which each string `${ … }` is an expression."""
    if isinstance(node.value, str):
        if is_evaluated(node.value):
            return read_expression(node, variables)
        if "${" in node.value:
            node.warning(
                "literal-expression",
                'stays as it is: an expression is the whole text, such as ${ "Hello " + .name }',
            )
    elif isinstance(node.value, dict):
        properties = {key: read_value(node.at(key), variables) for key in node.value}
        if not all(isinstance(value, Literal) for value in properties.values()):
            return ObjectValue(properties)
    elif isinstance(node.value, list):
        items = [read_value(node.at(i), variables) for i in range(len(node.value))]
        if not all(isinstance(item, Literal) for item in items):
            return ArrayValue(items)
    return Literal(node.value)


def read_expression(node: Node, variables: frozenset[str]) -> Expression:
    """A string that is an expression always, with `${ }` around it or without."""
    text = node.string()
    program = unwrap(text) if node.is_string else "null"
    try:
        return compile_expression(program, variables, is_trusted=node.is_trusted)
    except CompileError as error:
        node.error(error.code, error.message)
        return compile_expression("null", frozenset())


def read_transformation_value(node: Node, variables: frozenset[str]) -> Evaluable:
    """`from` or `as`: an expression as a string, or an object with expressions in it."""
    if isinstance(node.value, str):
        return read_expression(node, variables)
    node.mapping()
    return read_value(node, variables)
