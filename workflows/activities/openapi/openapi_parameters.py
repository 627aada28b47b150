"""Writes the values of OpenAPI parameters, most styles of which are expansions of RFC 6570."""

import json
from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

from uritemplate import URITemplate

from biz.dsl.errors import TaskFault, WorkflowError
from biz.dsl.json_types import describe
from workflows.activities.openapi.operation import Style

_OPERATORS = {Style.SIMPLE: "", Style.LABEL: ".", Style.MATRIX: ";", Style.FORM: "?"}
_DELIMITERS = {Style.SPACE: " ", Style.PIPE: "|", Style.TAB: "\t"}


def in_path(name: str, style: Style, explode: bool, value: Any) -> str:
    """What stands in a path, percent-encoded. Raises TaskFault, as all functions here do."""
    if style is Style.JSON:
        return quote(json.dumps(value), safe="")
    texts = _texts(name, value)
    if style in _DELIMITERS:
        return quote(_joined(style, texts), safe="")
    return _expanded(name, style, explode, texts)


def in_query(name: str, style: Style, explode: bool, value: Any) -> Sequence[str]:
    """The parts of a query or form, percent-encoded; none for an empty array or object."""
    key = quote(name, safe="")
    if style is Style.JSON:
        return [f"{key}={quote(json.dumps(value), safe='')}"]
    texts = _texts(name, value)
    if style is Style.DEEP and isinstance(texts, dict):
        return [f"{key}%5B{quote(k, safe='')}%5D={quote(v, safe='')}" for k, v in texts.items()]
    if style in _DELIMITERS and not explode and not isinstance(texts, str):
        return [f"{key}={quote(_joined(style, texts), safe='')}"] if texts else []
    expanded = _expanded(name, Style.FORM, explode, texts)
    return expanded.removeprefix("?").split("&") if expanded else []


def in_header(name: str, style: Style, explode: bool, value: Any) -> str:
    """The value of a header."""
    if style is Style.JSON:
        return json.dumps(value)
    texts = _texts(name, value)
    if isinstance(texts, dict) and explode:
        return ",".join(f"{key}={text}" for key, text in texts.items())
    return _joined(style, texts)


def in_cookie(name: str, style: Style, value: Any) -> str:
    """A cookie; the items of an array are one value of it."""
    return f"{quote(name, safe='')}={quote(in_header(name, style, False, value), safe=',')}"


_Texts = str | list[str] | dict[str, str]


def _expanded(name: str, style: Style, explode: bool, texts: _Texts) -> str:
    variable = quote(name, safe="")
    if style in (Style.SIMPLE, Style.LABEL):
        variable = "value"  # it shows in no result, and a name may begin with an operator
    template = URITemplate(f"{{{_OPERATORS[style]}{variable}{'*' if explode else ''}}}")
    return str(template.expand({variable: texts}))


def _joined(style: Style, texts: _Texts) -> str:
    if isinstance(texts, str):
        return texts
    if isinstance(texts, dict):
        texts = [text for pair in texts.items() for text in pair]
    return _DELIMITERS.get(style, ",").join(texts)


def _texts(name: str, value: Any) -> _Texts:
    """A value with its items and properties as texts, but for those that are null."""
    if isinstance(value, list):
        return [_text(name, item) for item in value if item is not None]
    if isinstance(value, dict):
        return {key: _text(name, item) for key, item in value.items() if item is not None}
    return _text(name, value)


def _text(name: str, value: Any) -> str:
    if isinstance(value, dict | list):
        detail = f'the parameter "{name}" can\'t have {describe(value)} within its value'
        raise TaskFault(WorkflowError.standard("validation", detail))
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)
