"""The parameters of JSON-RPC methods (DSL reference, "A2A Call" and "MCP Call")."""

from biz.dsl.model import Evaluable
from biz.dsl.reading.reader import Node
from biz.dsl.values import Literal, read_expression, read_value


def read_parameters(node: Node | None, variables: frozenset[str]) -> Evaluable:
    """An object, or an expression that gives one."""
    if node is None:
        return Literal({})
    if isinstance(node.value, str):
        return read_expression(node, variables)
    node.mapping()
    return read_value(node, variables)
