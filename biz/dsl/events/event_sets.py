"""Events that together start a workflow (DSL reference, "Schedule")."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from biz.dsl.events.event import Event, EventRead, read_event
from biz.dsl.events.scope import Scope
from biz.dsl.events.strategies import Consumption, Strategy
from biz.dsl.expressions import Expression
from biz.dsl.sizes import MAX_JSON_BYTES, json_size

MAX_SETS = 100
"""So many sets may wait for events at once; the oldest is given up for another one."""


@dataclass(slots=True)
class _Set:
    """Events that belong together, and what is still awaited."""

    own: Consumption
    until: Consumption | None
    items: list[Any] = field(default_factory=list)
    bound: Mapping[str, Any] = field(default_factory=dict)

    @property
    def consumptions(self) -> Sequence[Consumption]:
        return [self.own] if self.until is None else [self.until, self.own]


class EventSets:
    """The sets of one schedule. An event is offered to the oldest first; what none of them takes
    begins a new one, if it can.
    """

    def __init__(self, strategy: Strategy, read: EventRead, state: Sequence[Any] = ()) -> None:
        """`state` is that of the sets which are under way."""
        self._strategy = strategy
        self._read = read
        self._sets = [self._restored(**each) for each in state]

    @property
    def state(self) -> Sequence[Any]:
        """The sets that wait for events, as JSON."""
        return [
            {
                "open": one.own.open,
                "until": one.until.open if one.until else [],
                "items": one.items,
                "bound": dict(one.bound),
            }
            for one in self._sets
        ]

    async def offer(self, event: Event, scope: Scope) -> Sequence[Any] | None:
        """What was read of a set's events, where this one completes it; None where it doesn't.

        Raises as `scope` does where an expression fails on the event; no set has taken it then.
        """
        fresh = self._restored(open=None, until=None, items=[], bound={})
        for one in [*self._sets, fresh]:
            for consumption in one.consumptions:
                if one is fresh and consumption is not one.own:
                    continue
                match = await consumption.match(event, scope, one.bound)
                if match is None:
                    continue
                items = list(one.items)
                if consumption is one.own:
                    items.append(read_event(event, self._read))
                holds = consumption is one.own and await self._holds(items, scope)
                match.take()
                one.items, one.bound = items, match.bound
                if one is fresh:
                    self._sets.append(one)
                if holds or consumption.is_complete:
                    self._sets.remove(one)
                    return items
                self._limit()
                return None
        return None

    async def _holds(self, items: Sequence[Any], scope: Scope) -> bool:
        """Whether a condition of `until` says that these are all."""
        if not isinstance(self._strategy.until, Expression):
            return False
        value = await scope.evaluate(self._strategy.until, items)
        return value is not None and value is not False

    def _limit(self) -> None:
        while len(self._sets) > MAX_SETS or json_size(self.state) > MAX_JSON_BYTES:
            del self._sets[0]

    def _restored(
        self,
        open: Sequence[int] | None,
        until: Sequence[int] | None,
        items: list[Any],
        bound: Mapping[str, Any],
    ) -> _Set:
        end = self._strategy.until
        return _Set(
            own=Consumption(self._strategy, open),
            until=Consumption(end, until) if isinstance(end, Strategy) else None,
            items=items,
            bound=bound,
        )
