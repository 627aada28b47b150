"""DSL reference, "HTTP Call": the request, as it is sent."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, ClassVar

from biz.dsl.calls.call import Call
from biz.dsl.errors import TaskFault, WorkflowError
from biz.dsl.json_types import describe

_METHOD = re.compile(r"[A-Za-z]+(?:-[A-Za-z]+)*")


class HttpOutput(StrEnum):
    """What an HTTP call gives: the body in base64, its content, or the whole response."""

    RAW = "raw"
    CONTENT = "content"
    RESPONSE = "response"


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpCall(Call):
    """An HTTP request.

    `query` and `headers` are objects in the order of the definition. `body` is a JSON value, None
    for no body.
    """

    KIND: ClassVar[str] = "http_call"

    method: Any
    uri: Any
    query: Any
    headers: Any
    body: Any
    output: HttpOutput
    redirect: bool

    def require_valid(self) -> None:
        """See Call."""
        if not is_method(self.method):
            raise _fault("the method's expression must give an HTTP method")
        if not isinstance(self.uri, str):
            raise _fault("the endpoint's expression must give a string")
        pairs("query", self.query)
        pairs("headers", self.headers)


def is_method(value: Any) -> bool:
    """Whether a value can be an HTTP method."""
    return isinstance(value, str) and _METHOD.fullmatch(value) is not None


def pairs(what: str, values: Any) -> Sequence[tuple[str, str]]:
    """Names and values as they are sent: null sends nothing, an array its items one by one.

    Raises TaskFault, which names `what` they are.
    """
    if not isinstance(values, dict):
        raise _fault(f"the {what} must be an object, not {describe(values)}")
    found = []
    for name, value in values.items():
        for item in value if isinstance(value, list) else [value]:
            if isinstance(item, dict | list):
                raise _fault(f'"{name}" in the {what} can\'t be {describe(item)}')
            if item is not None:
                found.append((name, _text(item)))
    return found


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def _fault(detail: str) -> TaskFault:
    return TaskFault(WorkflowError.standard("expression", detail))
