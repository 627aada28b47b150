"""DSL reference, "HTTP Call"."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from biz.dsl.endpoints import Endpoint, read_endpoint
from biz.dsl.expressions import is_evaluated
from biz.dsl.frame import Outcome
from biz.dsl.model import Evaluable, Task
from biz.dsl.reader import Node, describe
from biz.dsl.runtime import HttpCall, HttpOutput
from biz.dsl.values import Literal, read_expression, read_value

if TYPE_CHECKING:
    from biz.dsl.frame import Frame
    from biz.dsl.parser import TaskSource

_METHOD = re.compile(r"[A-Za-z]+(?:-[A-Za-z]+)*")


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpCallTask(Task):
    """Calls an HTTP service; its output is what the service answered, as `output_format` says."""

    method: Evaluable
    endpoint: Endpoint
    headers: Evaluable
    query: Evaluable
    body: Evaluable
    output_format: HttpOutput
    redirect: bool

    @classmethod
    def parse(cls, source: TaskSource) -> HttpCallTask:
        """Reads its own properties."""
        if "with" not in source.fields:
            source.parser.missing(source.common["pointer"], "with")
            return cls(**source.common, **_NOTHING)
        arguments = source.fields["with"].object(
            required=("method", "endpoint"),
            optional=("headers", "body", "query", "output", "redirect"),
        )
        body = arguments.get("body")
        output = arguments.get("output")
        redirect = arguments.get("redirect")
        return cls(
            method=_read_method(arguments["method"], source.variables),
            endpoint=read_endpoint(
                arguments["endpoint"], source.variables, source.parser.authentications
            ),
            headers=_read_pairs(arguments.get("headers"), source.variables),
            query=_read_pairs(arguments.get("query"), source.variables),
            body=read_value(body, source.variables) if body else Literal(None),
            output_format=HttpOutput(output.choice("content", "raw", "response"))
            if output
            else HttpOutput.CONTENT,
            redirect=redirect.boolean() if redirect else False,
            **source.common,
        )

    async def execute(self, frame: Frame) -> Outcome:
        """Evaluates the request and makes the call."""
        method = await frame.evaluate(self.method)
        if not isinstance(method, str) or not _METHOD.fullmatch(method):
            raise frame.fault("expression", "the method's expression must give an HTTP method")
        authentication = self.endpoint.authentication
        call = HttpCall(
            method=method.upper(),
            uri=await self.endpoint.resolve(frame),
            query=await _pairs(frame, "query", self.query),
            headers=await _pairs(frame, "headers", self.headers),
            body=await frame.evaluate(self.body),
            output=self.output_format,
            redirect=self.redirect,
            authentication=await authentication.resolve(frame) if authentication else None,
            idempotency_key=frame.world.next_call_key(frame.path),
        )
        return Outcome(await frame.world.call_http(call, frame.path))


_NOTHING: Mapping[str, Any] = dict.fromkeys(
    ("method", "endpoint", "headers", "query", "body", "output_format", "redirect")
)


def _read_method(node: Node, variables: frozenset[str]) -> Evaluable:
    text = node.string()
    if is_evaluated(text):
        return read_expression(node, variables)
    if node.is_string and not _METHOD.fullmatch(text):
        node.error("invalid-value", "must be an HTTP method, such as get or post")
    return Literal(text)


def _read_pairs(node: Node | None, variables: frozenset[str]) -> Evaluable:
    """Headers or query parameters: an object, or an expression that gives one."""
    if node is None:
        return Literal({})
    if isinstance(node.value, str):
        if is_evaluated(node.value):
            return read_expression(node, variables)
        node.error("wrong-type", "must be an object, or an expression that gives one")
        return Literal({})
    for value in node.mapping().values():
        value.string()
    return read_value(node, variables)


async def _pairs(frame: Frame, what: str, evaluable: Evaluable) -> list[tuple[str, str]]:
    """Names and values as they are sent: null sends nothing, an array its items one by one."""
    values = await frame.evaluate(evaluable)
    if not isinstance(values, dict):
        raise frame.fault("expression", f"the {what} must be an object, not {describe(values)}")
    pairs = []
    for name, value in values.items():
        for item in value if isinstance(value, list) else [value]:
            if isinstance(item, dict | list):
                raise frame.fault(
                    "expression", f'"{name}" in the {what} can\'t be {describe(item)}'
                )
            if item is not None:
                pairs.append((name, _text(item)))
    return pairs


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)
