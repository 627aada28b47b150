"""Values of a definition that may hold runtime expressions, and how they are read.

DSL reference, "Evaluate". In the strict mode an expression is a text `${ … }`. In the loose mode
each text is tried as one; where that fails, when it is read or on its data, the text stays.
Texts that always are expressions, such as conditions, fault in both modes.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from biz.dsl.deferral import SECRETS, Deferred
from biz.dsl.expressions import (
    CompileError,
    EvaluationError,
    Expression,
    Variables,
    compile_expression,
    is_evaluated,
    unwrap,
)
from biz.dsl.model import Evaluable
from biz.dsl.reading.reader import Node
from biz.dsl.secret_names import require_own, require_secret


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


@dataclass(frozen=True, slots=True)
class LooseText:
    """A text of the loose mode: what it gives as an expression, or itself where that fails."""

    text: str
    expression: Expression

    async def evaluate(self, data: Any, variables: Variables) -> Any:
        """What the expression gives, or the text."""
        try:
            found = await self.expression.evaluate(data, variables)
        except EvaluationError:
            return self.text
        return replace(found, otherwise=self.text) if isinstance(found, Deferred) else found


def reads(evaluable: Evaluable | None, variable: str) -> bool:
    """Whether an expression in a value uses a variable."""
    match evaluable:
        case Expression():
            return variable in evaluable.variables
        case LooseText():
            return variable in evaluable.expression.variables
        case ObjectValue():
            return any(reads(value, variable) for value in evaluable.properties.values())
        case ArrayValue():
            return any(reads(item, variable) for item in evaluable.items)
    return False


def read_value(node: Node, variables: frozenset[str]) -> Evaluable:
    """A JSON value in which strings are expressions, as the mode says."""
    if isinstance(node.value, str):
        return _read_text(node.value, node, variables)
    if isinstance(node.value, dict):
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
        expression = compile_expression(program, variables, is_trusted=node.is_trusted)
    except CompileError as error:
        node.error(error.code, error.message)
        return compile_expression("null", frozenset())
    if SECRETS in expression.variables:
        require_own(node)
        for name in sorted(expression.secrets or ()):
            require_secret(node, name)
    return expression


def read_secret(node: Node, program: str = ".") -> Evaluable:
    """What a program gives on the secret that a string names."""
    name = node.string()
    if node.value == "":
        node.error("empty", "must be the name of a secret")
    elif node.is_string:
        require_secret(node, name)
    program = f"${SECRETS}[{json.dumps(name)}] | {program}"
    return compile_expression(program, frozenset({SECRETS}), is_trusted=node.is_trusted)


def read_transformation_value(node: Node, variables: frozenset[str]) -> Evaluable:
    """`from` or `as`: an expression as a string, or an object with expressions in it."""
    if isinstance(node.value, str) and not node.is_loose:
        return read_expression(node, variables)
    if not isinstance(node.value, str):
        node.mapping()
    return read_value(node, variables)


def _read_text(text: str, node: Node, variables: frozenset[str]) -> Evaluable:
    if is_evaluated(text):
        expression = read_expression(node, variables)
        return LooseText(text, expression) if node.is_loose else expression
    if node.is_loose:
        try:
            expression = compile_expression(unwrap(text), variables, is_trusted=node.is_trusted)
        except CompileError:
            pass
        else:
            return LooseText(text, expression)
    if "${" in text:
        node.warning(
            "literal-expression",
            'stays as it is: an expression is the whole text, such as ${ "Hello " + .name }',
        )
    return Literal(text)
