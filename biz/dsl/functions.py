"""DSL reference, "Use": the functions of a definition, which are tasks under a name."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from typing import TYPE_CHECKING

from biz.dsl.model import Task
from biz.dsl.reading.reader import Node

if TYPE_CHECKING:
    from biz.dsl.parser import Parser

PROTOCOLS = ("a2a", "asyncapi", "grpc", "http", "mcp", "openapi")
_SHOWN = 20


class Functions:
    """The functions by name; `tasks` is filled by `read`, so that they can call each other."""

    def __init__(self, nodes: Mapping[str, Node]) -> None:
        self._nodes = nodes
        self.tasks: dict[str, Task] = {}

    def read(self, parser: Parser) -> None:
        """Reads all of them. They see no variables of the tasks that call them."""
        for name, node in self._nodes.items():
            task = parser.task(name, node, frozenset())
            if task is not None:
                self.tasks[name] = task

    def __contains__(self, name: str) -> bool:
        """Whether there is a function of this name."""
        return name in self._nodes

    def report_unknown(self, reference: Node) -> None:
        """Reports a text that names none of them, nor anything else that can be called."""
        if reference.is_string:
            reference.error("unknown-reference", self._unknown(reference.string()))

    def _unknown(self, name: str) -> str:
        known = (*self._nodes, *PROTOCOLS)
        message = f'"{name}" is neither a protocol nor a function of use.functions'
        if close := get_close_matches(name, known, n=1):
            return f'{message}; did you mean "{close[0]}"?'
        message = f"{message}; known are {', '.join(known[:_SHOWN])}"
        return message if self._nodes else f"{message}; use.functions is empty"
