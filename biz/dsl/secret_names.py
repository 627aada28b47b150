"""The names of secrets in a definition (DSL reference, "Use"); their values aren't known here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from biz.dsl.reading.reader import Node
from biz.dsl.reading.references import unknown_name


def secret_names(definition: Any) -> Sequence[str]:
    """The names that a definition lists, each once, whether or not it is valid."""
    use = definition.get("use") if isinstance(definition, Mapping) else None
    names = use.get("secrets") if isinstance(use, Mapping) else None
    if not isinstance(names, list):
        return ()
    return tuple(dict.fromkeys(name for name in names if isinstance(name, str)))


def read_secret_names(node: Node) -> None:
    """Reports what isn't the name of a secret."""
    for item in node.array():
        if not item.string() and item.is_string:
            item.error("empty", "a secret must have a name")


def require_own(node: Node) -> None:
    """Reports what reads secrets in a document that isn't the definition itself."""
    if node.is_foreign:
        node.error("unavailable-variable", "$secrets aren't for functions from elsewhere")


def require_secret(node: Node, name: str) -> None:
    """Reports a secret that the definition doesn't list."""
    if name not in node.secrets:
        node.error("unknown-reference", unknown_name("secrets", name, node.secrets))
