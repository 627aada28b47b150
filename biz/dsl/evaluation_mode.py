"""DSL reference, "Evaluate": the language and the mode of a definition's expressions."""

from typing import Any

from biz.dsl.reading.reader import Node


def is_loose(definition: Any) -> bool:
    """Whether a definition has the loose mode; asked before it is read, right or wrong."""
    evaluate = definition.get("evaluate") if isinstance(definition, dict) else None
    return isinstance(evaluate, dict) and evaluate.get("mode") == "loose"


def check(node: Node) -> None:
    """Checks the value of `evaluate`."""
    fields = node.object(optional=("language", "mode"))
    language = fields.get("language")
    if language and language.string() != "jq" and language.is_string:
        language.unsupported("a language other than jq")
    if "mode" in fields:
        fields["mode"].choice("strict", "loose")
