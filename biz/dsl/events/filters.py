"""Which events a definition waits for (DSL reference, "Event Filter" and "Correlation")."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from biz.dsl.events.event import DATA, Event, data_of, is_time
from biz.dsl.events.matchers import Equal, Matcher, read_matcher
from biz.dsl.events.scope import Scope
from biz.dsl.expressions import Expression, compile_expression, is_evaluated
from biz.dsl.json_types import is_equal
from biz.dsl.model import Evaluable
from biz.dsl.reading.reader import Node
from biz.dsl.uri_templates import is_reference
from biz.dsl.values import Literal, read_expression

_STRINGS = ("id", "type", "subject", "datacontenttype")
_NOTHING = compile_expression("null", frozenset())
_URIS = ("source", "dataschema")


@dataclass(frozen=True, slots=True, kw_only=True)
class Correlation:
    """What of an event must be the same as `expect`, or as in the first event of the listen."""

    value: Expression
    expect: Evaluable | None


@dataclass(frozen=True, slots=True, kw_only=True)
class EventFilter:
    """Attributes that an event must define, each with what it must be like.

    `correlations` are known by name in all filters of one listen.
    """

    attributes: Mapping[str, Matcher]
    correlations: Mapping[str, Correlation]

    @property
    def interest(self) -> Mapping[str, str]:
        """The attributes that are compared with a text: all that can match has them."""
        return {
            name: matcher.expected
            for name, matcher in self.attributes.items()
            if name not in DATA and isinstance(matcher, Equal) and isinstance(matcher.expected, str)
        }

    async def match(
        self, event: Event, scope: Scope, bound: Mapping[str, Any]
    ) -> Mapping[str, Any] | None:
        """The correlations that are known with this event, of which `bound` were before.

        None where it doesn't match. Faults the task where an expression fails on it.
        """
        for name, matcher in self.attributes.items():
            value = data_of(event) if name in DATA else event.get(name)
            if value is None or not await matcher.matches(value, scope):
                return None
        known = dict(bound)
        for name, correlation in self.correlations.items():
            value = await scope.evaluate(correlation.value, event)
            if value is None:
                return None
            expected = known.setdefault(name, value)
            if correlation.expect is not None:
                expected = await scope.evaluate(correlation.expect)
            if not is_equal(value, expected):
                return None
        return known


def read_filter(node: Node, variables: frozenset[str]) -> EventFilter:
    """A filter of a definition."""
    fields = node.object(required=("with",), optional=("correlate",))
    wanted = fields["with"].mapping()
    if fields["with"].value == {}:
        fields["with"].error("empty", "must name at least one attribute of an event")
    for name, value in wanted.items():
        _check_attribute(name, value)
    matchers = {name: read_matcher(value, variables) for name, value in wanted.items()}
    correlations = fields["correlate"].mapping() if "correlate" in fields else {}
    return EventFilter(
        attributes=dict(sorted(matchers.items(), key=lambda item: item[1].RANK)),
        correlations={
            name: _read_correlation(value, variables) for name, value in correlations.items()
        },
    )


def _check_attribute(name: str, node: Node) -> None:
    """Reports what the standard's schema refuses (DSL reference, "Event Properties")."""
    text = node.value
    if name in _STRINGS:
        node.string()
    elif name == "time":
        if node.string() and not is_evaluated(text) and not is_time(text):
            node.error("invalid-value", "must be a time of RFC 3339, or an expression")
    elif name in _URIS and isinstance(text, str):
        if not is_evaluated(text) and not is_reference(text):
            node.error("invalid-uri", "is no URI")
    elif name in _URIS:
        node.string()


def _read_correlation(node: Node, variables: frozenset[str]) -> Correlation:
    fields = node.mapping()
    for name in fields.keys() - {"from", "expect"}:
        fields[name].warning("ignored-property", 'a correlation has "from" and "expect"')
    if "from" not in fields:
        if isinstance(node.value, dict):
            node.error("missing-property", '"from" is missing')
        return Correlation(value=_NOTHING, expect=None)
    expect: Evaluable | None = None
    if "expect" in fields:
        text = fields["expect"].string()
        expect = (
            read_expression(fields["expect"], variables) if is_evaluated(text) else Literal(text)
        )
    return Correlation(value=read_expression(fields["from"], variables), expect=expect)
