"""Components of a definition under a name (DSL reference, "Use"), read where they are used.

An expression in one may use what there is at the place of its use, so it is read for each.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Generic, TypeVar

from biz.dsl import arguments
from biz.dsl.reading.reader import Node
from biz.dsl.reading.references import unknown_name

_VARIABLE = re.compile(r"\$(\w+)")

_T = TypeVar("_T")


class Reusables(Generic[_T]):
    """Components of one kind."""

    def __init__(
        self,
        kind: str,
        nodes: Mapping[str, Node],
        read: Callable[[Node, frozenset[str]], _T],
        *,
        is_given_variables: bool = False,
    ) -> None:
        """`kind` is the property under `use`; `read` reads one with the variables in scope.

        `is_given_variables` says that the place of its use names variables for it.
        """
        self._kind = kind
        self._nodes = nodes
        self._read = read
        self._is_given_variables = is_given_variables
        self._found: dict[tuple[str, frozenset[str]], _T] = {}

    def __contains__(self, name: str) -> bool:
        """Whether there is one of this name."""
        return name in self._nodes

    def get(self, reference: Node, variables: frozenset[str]) -> _T | None:
        """The component that a text names, None where it isn't there, which is reported."""
        name = reference.string()
        return self.find(name, reference, variables) if reference.is_string else None

    def find(self, name: str, place: Node, variables: frozenset[str]) -> _T | None:
        """The component of this name, None where it isn't there, which is reported at `place`."""
        if name not in self._nodes:
            place.error("unknown-reference", unknown_name(self._kind, name, self._nodes))
            return None
        key = name, variables
        if key not in self._found:
            self._found[key] = self._read(self._nodes[name], variables)
        return self._found[key]

    def check_unused(self) -> None:
        """Reads what nothing refers to, so that its faults are told too."""
        used = {name for name, _ in self._found}
        for name, node in self._nodes.items():
            if name not in used:
                self._read(node, arguments.TASK | self._possible_variables(node))

    def _possible_variables(self, node: Node) -> frozenset[str]:
        """Those that the place of its use may give it: all that it names."""
        if not self._is_given_variables:
            return frozenset()
        return frozenset(_VARIABLE.findall(json.dumps(node.value)))
