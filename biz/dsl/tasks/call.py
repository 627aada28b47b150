"""DSL reference, "Call": which protocol or function a call task calls."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from biz.dsl.model import Task
from biz.dsl.reader import Node
from biz.dsl.tasks.call_http import HttpCallTask

if TYPE_CHECKING:
    from biz.dsl.parser import Parser

REQUIRED = ("call",)
OPTIONAL = ("with",)

_PROTOCOLS = ("a2a", "asyncapi", "grpc", "mcp", "openapi")


def parse(
    fields: Mapping[str, Node],
    common: Mapping[str, Any],
    parser: Parser,
    variables: frozenset[str],
) -> Task | None:
    """The call task of the kind that `call` names, None where that isn't supported."""
    node = fields["call"]
    name = node.string()
    if name == "http":
        return HttpCallTask.parse(fields, common, parser, variables)
    if name in _PROTOCOLS:
        node.error("unsupported-task", f"calls by {name} aren't supported yet")
    elif node.is_string:
        message = f"\"{name}\" isn't a protocol; functions aren't supported yet"
        node.error("unsupported-task", message)
    return None
