"""Errors as definitions describe them (DSL reference, "Error")."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from biz.dsl.errors import WorkflowError
from biz.dsl.expressions import is_evaluated
from biz.dsl.frame import Frame
from biz.dsl.model import Evaluable
from biz.dsl.reading.reader import Node
from biz.dsl.uri_templates import read_template
from biz.dsl.values import Literal, read_expression


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorDefinition:
    """An error that can be raised; where `instance` is None, it is the task that raises it."""

    type: Evaluable
    status: int
    instance: Evaluable | None
    title: Evaluable | None
    detail: Evaluable | None

    async def resolve(self, frame: Frame) -> WorkflowError:
        """The error of one task; a text that an expression doesn't give is an expression error."""
        return WorkflowError(
            type=await _text(frame, "type", self.type),
            status=self.status,
            instance=await _text(frame, "instance", self.instance) or frame.task.pointer,
            title=await _text(frame, "title", self.title),
            detail=await _text(frame, "detail", self.detail),
        ).bounded()


def read_error_definition(node: Node, variables: frozenset[str]) -> ErrorDefinition:
    """An error of a definition."""
    fields = node.object(required=("type", "status"), optional=("instance", "title", "detail"))
    texts = {
        name: _read_text(fields[name], variables) if name in fields else None
        for name in ("instance", "title", "detail")
    }
    if "instance" in fields:
        _check_pointer(fields["instance"])
    return ErrorDefinition(
        type=_read_type(fields["type"], variables), status=fields["status"].integer(), **texts
    )


def _read_type(node: Node, variables: frozenset[str]) -> Evaluable:
    text = node.string()
    if is_evaluated(text):
        return read_expression(node, variables)
    return read_template(node)


def _read_text(node: Node, variables: frozenset[str]) -> Evaluable:
    text = node.string()
    return read_expression(node, variables) if is_evaluated(text) else Literal(text)


def _check_pointer(node: Node) -> None:
    text = node.string()
    if text and not is_evaluated(text) and not text.startswith("/"):
        node.error("invalid-value", 'must be a JSON pointer, such as "/do/0/getPet"')


async def _text(frame: Frame, name: str, value: Evaluable | None) -> str:
    if value is None:
        return ""
    text: Any = await frame.evaluate(value)
    if not isinstance(text, str):
        raise frame.fault("expression", f"the error's {name} must be a string")
    return text
