"""DSL reference, "HTTP Call"."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from biz.dsl.calls.http_call import HttpCall, HttpOutput, is_method
from biz.dsl.endpoints import Endpoint, read_endpoint
from biz.dsl.expressions import is_evaluated
from biz.dsl.frame import Outcome
from biz.dsl.model import Evaluable, Task
from biz.dsl.reading.reader import Node
from biz.dsl.values import Literal, read_expression, read_value

if TYPE_CHECKING:
    from biz.dsl.frame import Frame
    from biz.dsl.parser import TaskSource


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
                arguments["endpoint"], source.variables, source.parser.use.authentications
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
        authentication = self.endpoint.authentication
        call = HttpCall(
            method=await frame.evaluate(self.method),
            uri=await self.endpoint.resolve(frame),
            query=await frame.evaluate(self.query),
            headers=await frame.evaluate(self.headers),
            body=await frame.evaluate(self.body),
            output=self.output_format,
            redirect=self.redirect,
            authentication=await authentication.resolve(frame) if authentication else None,
            idempotency_key=frame.world.next_call_key(frame.path),
        )
        return Outcome(await frame.world.call(call, frame.path))


_NOTHING: Mapping[str, Any] = dict.fromkeys(
    ("method", "endpoint", "headers", "query", "body", "output_format", "redirect")
)


def _read_method(node: Node, variables: frozenset[str]) -> Evaluable:
    text = node.string()
    if is_evaluated(text):
        return read_expression(node, variables)
    if node.is_string and not is_method(text):
        node.error("unusable-value", "must be an HTTP method, such as get or post")
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
