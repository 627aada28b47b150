"""URI templates (DSL reference, "URI Template"): RFC 6570's simple string expansion."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from uritemplate import URITemplate

from biz.dsl.deferral import Deferred
from biz.dsl.expressions import EvaluationError, Variables
from biz.dsl.reading.reader import Node

_SIMPLE = re.compile(r"[\w%-][\w.%-]*", re.ASCII)
_REFERENCE = re.compile(
    r"(?!\$\{)(?=\S)(([^:/?#]+):)?(//([^/?#\s]*))?([^?#\s]*)(\?([^#\s]*))?(#(\S*))?"
)


class InvalidTemplate(Exception):
    """The text is no template of the kind that the standard allows.

    `code` is one of the diagnostics' codes, the message says why.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True, slots=True)
class UriTemplate:
    """A compiled template."""

    _template: URITemplate

    async def evaluate(self, data: Any, variables: Variables) -> Any:
        """See Evaluable; a Deferred where the data will only be known to an activity."""
        known: Any = data
        if isinstance(data, dict):
            known = {name: data[name] for name in self._template.variable_names if name in data}
        if isinstance(known, Deferred) or (
            isinstance(known, dict) and any(isinstance(v, Deferred) for v in known.values())
        ):
            return Deferred(self._template.uri, True, known, {})
        return self.expand(known)

    def expand(self, data: Any) -> str:
        """The URI with the top-level properties of `data`; an unknown one is empty.

        Raises EvaluationError where one is an object or array.
        """
        values: dict[str, Any] = {}
        known: Mapping[str, Any] = data if isinstance(data, dict) else {}
        for name in self._template.variable_names:
            value = known.get(name)
            if isinstance(value, dict | list):
                raise EvaluationError(f"{{{name}}} must be a string, number, boolean or null")
            values[name] = _text(value)
        return str(self._template.expand(values))


def is_reference(text: str) -> bool:
    """Whether a text is a URI, absolute or relative, as the standard's schema has it."""
    return _REFERENCE.fullmatch(text) is not None


def compile_template(text: str) -> UriTemplate:
    """Raises InvalidTemplate."""
    if not is_reference(text):
        raise InvalidTemplate("invalid-uri", "is no URI")
    rest = re.sub(r"\{([^{}]*)\}", _check_variable, text)
    if "{" in rest or "}" in rest:
        raise InvalidTemplate("invalid-uri-template", "has a brace without its partner")
    return UriTemplate(URITemplate(text))


def read_template(node: Node) -> UriTemplate:
    """A URI of a definition, which may be a template."""
    text = node.string()
    try:
        return compile_template(text if node.is_string else "/")
    except InvalidTemplate as error:
        node.error(error.code, str(error))
        return compile_template("/")


def _check_variable(match: re.Match[str]) -> str:
    if not _SIMPLE.fullmatch(match.group(1)):
        message = f'"{match.group(0)}" is more than the simple expansion of a name'
        raise InvalidTemplate("invalid-uri-template", message)
    return ""


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)
