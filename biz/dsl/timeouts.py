"""DSL reference, "Timeout"."""

from biz.dsl.durations import read_duration
from biz.dsl.model import Duration
from biz.dsl.reading.reader import Node


def read_timeout(node: Node, variables: frozenset[str]) -> Duration:
    """The duration after which a workflow or task times out."""
    return read_duration(node.object(required=("after",))["after"], variables)
