"""Endpoints (DSL reference, "Endpoint"): a URI template or an expression, bare or in an object."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from biz.dsl.authentication import Authentication, read_authentication
from biz.dsl.expressions import is_evaluated
from biz.dsl.frame import Frame
from biz.dsl.model import Evaluable
from biz.dsl.reading.reader import Node
from biz.dsl.reusables import Reusables
from biz.dsl.uri_templates import read_template
from biz.dsl.values import read_expression


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """Where a call goes, and how it authenticates there."""

    uri: Evaluable
    authentication: Authentication | None = None

    async def resolve(self, frame: Frame) -> Any:
        """The URI for one call; a string, unless an expression gave something else."""
        return await frame.evaluate(self.uri)


def read_endpoint(
    node: Node, variables: frozenset[str], authentications: Reusables[Authentication]
) -> Endpoint:
    """An endpoint of a definition."""
    if not isinstance(node.value, dict):
        return Endpoint(uri=_read_uri(node, variables))
    fields = node.object(required=("uri",), optional=("authentication",))
    authentication = None
    if "authentication" in fields:
        authentication = read_authentication(fields["authentication"], variables, authentications)
    return Endpoint(uri=_read_uri(fields["uri"], variables), authentication=authentication)


def _read_uri(node: Node, variables: frozenset[str]) -> Evaluable:
    text = node.string()
    if is_evaluated(text):
        return read_expression(node, variables)
    if text.startswith("{"):
        node.warning(
            "encoded-address",
            "the variable is percent-encoded, so it can't hold a whole address; "
            'write an expression, such as ${ .base + "/orders" }',
        )
    return read_template(node)
