"""How many events are waited for, and until when (DSL reference, "Event Consumption Strategy")."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from biz.dsl.events.event import Event
from biz.dsl.events.filters import EventFilter, read_filter
from biz.dsl.events.interests import EVERYTHING, Interest
from biz.dsl.events.scope import Scope
from biz.dsl.expressions import Expression
from biz.dsl.reading.reader import Node
from biz.dsl.values import read_expression


class StrategyKind(StrEnum):
    """One event, any of several, or one for each filter."""

    ONE = "one"
    ANY = "any"
    ALL = "all"


@dataclass(frozen=True, slots=True, kw_only=True)
class Strategy:
    """The events that are consumed. `until` says when no more are, of ANY alone: a condition on
    what was read so far, or events that are consumed for nothing else."""

    kind: StrategyKind
    filters: Sequence[EventFilter]
    until: Expression | Strategy | None = None

    @property
    def interests(self) -> Sequence[Interest]:
        """All events that can be consumed satisfy one of these."""
        found = [found.interest for found in self.filters]
        if self.kind is StrategyKind.ANY and not self.filters:
            found = [EVERYTHING]
        if isinstance(self.until, Strategy):
            found += self.until.interests
        return [EVERYTHING] if EVERYTHING in found else found


class Consumption:
    """How far a strategy has come."""

    def __init__(self, strategy: Strategy, open: Sequence[int] | None = None) -> None:
        """`open` are the places of the filters that no event has satisfied yet; None for all."""
        self.strategy = strategy
        filters = strategy.filters
        self._open = list(filters) if open is None else [filters[place] for place in open]
        self.is_complete = strategy.kind is StrategyKind.ALL and not self._open

    @property
    def open(self) -> Sequence[int]:
        """The places of the filters that no event has satisfied yet."""
        return [self.strategy.filters.index(each) for each in self._open]

    async def match(self, event: Event, scope: Scope, bound: Mapping[str, Any]) -> Match | None:
        """How the event would be consumed, None where it isn't one that is waited for.

        `bound` are the correlations that are known. Faults the task where an expression fails.
        """
        if self.strategy.kind is StrategyKind.ANY and not self.strategy.filters:
            return Match(self, None, bound)
        for wanted in self._open:
            if (known := await wanted.match(event, scope, bound)) is not None:
                return Match(self, wanted, known)
        return None

    def go_on(self, satisfied: EventFilter | None) -> None:
        """Goes on with an event consumed, which satisfied a filter if any was asked for."""
        match self.strategy.kind:
            case StrategyKind.ONE:
                self.is_complete = True
            case StrategyKind.ANY:
                self.is_complete = self.strategy.until is None
            case StrategyKind.ALL if satisfied is not None:
                self._open.remove(satisfied)
                self.is_complete = not self._open


class Listening:
    """What a task that listens waits for still: its own events, and those that end it.

    `bound` are the correlations that are known.
    """

    def __init__(self, strategy: Strategy, state: Mapping[str, Any] | None = None) -> None:
        """`state` is that of one which was under way."""
        known = state or {"open": None, "until": None, "bound": {}}
        self._own = Consumption(strategy, known["open"])
        self._consumptions = [self._own]
        if isinstance(strategy.until, Strategy):
            self._consumptions.insert(0, Consumption(strategy.until, known["until"]))
        self._bound: Mapping[str, Any] = known["bound"]

    @property
    def state(self) -> Mapping[str, Any]:
        """What is waited for between two events, as JSON."""
        until = self._consumptions[0]
        return {
            "open": self._own.open,
            "until": None if until is self._own else until.open,
            "bound": self._bound,
        }

    @property
    def is_complete(self) -> bool:
        """Whether no event is waited for."""
        return any(consumption.is_complete for consumption in self._consumptions)

    async def match(self, event: Event, scope: Scope) -> Match | None:
        """How the event would be consumed, None where it isn't one that is waited for.

        Faults the task where an expression fails.
        """
        for consumption in self._consumptions:
            if match := await consumption.match(event, scope, self._bound):
                return match
        return None

    def take(self, match: Match) -> None:
        """Consumes an event."""
        match.take()
        self._bound = match.bound


@dataclass(frozen=True, slots=True)
class Match:
    """An event that a strategy waits for, for its `filter` if it has any.

    `bound` are the correlations that are known with it.
    """

    _consumption: Consumption
    filter: EventFilter | None
    bound: Mapping[str, Any]

    @property
    def strategy(self) -> Strategy:
        """What waits for it."""
        return self._consumption.strategy

    def take(self) -> None:
        """Consumes the event."""
        self._consumption.go_on(self.filter)


def read_strategy(node: Node, variables: frozenset[str]) -> Strategy:
    """A strategy of a definition; `variables` are those of its expressions."""
    fields = node.object(optional=("all", "any", "one", "until"))
    kinds = [kind for kind in StrategyKind if kind in fields]
    if len(kinds) != 1:
        if isinstance(node.value, dict):
            node.error("invalid-value", 'must have one of "all", "any" and "one"')
        return Strategy(kind=StrategyKind.ALL, filters=())
    kind = kinds[0]
    if "until" in fields and kind is not StrategyKind.ANY:
        fields["until"].error("invalid-value", 'goes with "any" only')
    nodes = [fields["one"]] if kind is StrategyKind.ONE else fields[kind].array()
    return Strategy(
        kind=kind,
        filters=[read_filter(found, variables) for found in nodes],
        until=_read_until(fields["until"], variables) if "until" in fields else None,
    )


def _read_until(node: Node, variables: frozenset[str]) -> Expression | Strategy:
    if isinstance(node.value, str):
        return read_expression(node, variables)
    if isinstance(node.value, dict) and "until" in node.value:
        node.at("until").error("invalid-value", 'an "until" can\'t have one of its own')
    return read_strategy(node, variables)
