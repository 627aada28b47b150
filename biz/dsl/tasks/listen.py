"""DSL reference, "Listen"."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from biz.dsl.branches import Branch
from biz.dsl.checkpoint import EVENT, LISTENING, OUTPUTS
from biz.dsl.events.event import Event, EventRead, read_event
from biz.dsl.events.strategies import Listening, Match, Strategy, read_strategy
from biz.dsl.expressions import Expression
from biz.dsl.frame import Outcome
from biz.dsl.iterators import SubscriptionIterator, read_iterator
from biz.dsl.model import Task, TaskList

if TYPE_CHECKING:
    from biz.dsl.frame import Frame
    from biz.dsl.parser import TaskSource

REQUIRED = ("listen",)
OPTIONAL = ("foreach",)

_UNTIL = "an event ends it"


@dataclass(frozen=True, slots=True, kw_only=True)
class ListenTask(Task):
    """Waits for events, and consumes them one after another in the order of their acceptance.

    Its output is an array of what was read of each, or of what `foreach` made of it. It sees all
    events since the execution began that none of its tasks has consumed.
    """

    to: Strategy
    read: EventRead
    foreach: SubscriptionIterator | None

    @classmethod
    def parse(cls, source: TaskSource) -> ListenTask:
        """Reads its own properties."""
        fields = source.fields["listen"].object(required=("to",), optional=("read",))
        foreach = source.fields.get("foreach")
        return cls(
            to=read_strategy(fields["to"], source.variables),
            read=EventRead(fields["read"].choice(*EventRead) if "read" in fields else "data"),
            foreach=None if foreach is None else read_iterator(foreach, source),
            **source.common,
        )

    async def execute(self, frame: Frame) -> Outcome:
        """Listens until its strategy is complete."""
        notes, path = frame.world.notes, frame.path
        outputs: list[Any] = notes.take(path, OUTPUTS, [])
        listening = Listening(self.to, notes.take(path, LISTENING))
        pending = notes.take(path, EVENT)
        self._note(frame, outputs, listening, pending)
        async with frame.world.listen(self.to.interests, path) as subscription:
            while not listening.is_complete:
                arrival = await subscription.next() if pending is None else None
                event, number = pending if arrival is None else (arrival.event, len(outputs))
                pending = None
                match = await listening.match(event, frame)
                if match is None or (arrival and not subscription.claim(arrival)):
                    continue
                self._note(frame, outputs, listening, (event, number))
                listening.take(match)
                frame.reach(self._way(match))
                if match.strategy is self.to:
                    if number == len(outputs):
                        outcome = await self._process(frame, event, number)
                        if outcome.ended:
                            return outcome
                        outputs.append(outcome.output)
                    if isinstance(self.to.until, Expression) and await frame.holds(
                        self.to.until, outputs
                    ):
                        break
                self._note(frame, outputs, listening, None)
        notes.drop(path, EVENT, LISTENING, OUTPUTS)
        return Outcome(outputs)

    def _note(
        self,
        frame: Frame,
        outputs: Sequence[Any],
        listening: Listening,
        pending: tuple[Event, int] | None,
    ) -> None:
        """Notes what came of the events so far, and the one that is being processed, if any."""
        notes = frame.world.notes
        notes.put(frame.path, OUTPUTS, outputs)
        notes.put(frame.path, LISTENING, listening.state)
        notes.put(frame.path, EVENT, pending)

    def alternatives(self) -> Iterator[Branch]:
        """The events that it waits for, each filter one."""
        yield from super(ListenTask, self).alternatives()
        yield from (self.branch(_way(number)) for number in range(len(self.to.filters) or 1))
        if isinstance(self.to.until, Strategy):
            yield self.branch(_UNTIL)

    def _way(self, match: Match) -> str:
        if match.strategy is not self.to:
            return _UNTIL
        return _way(0 if match.filter is None else self.to.filters.index(match.filter))

    async def _process(self, frame: Frame, event: Event, index: int) -> Outcome:
        item = read_event(event, self.read)
        if self.foreach is None:
            return Outcome(item)
        return await self.foreach.iterate(frame, item, index)

    def lists(self) -> Iterator[TaskList]:
        """The tasks for each event."""
        if self.foreach is not None and self.foreach.do is not None:
            yield self.foreach.do


def _way(number: int) -> str:
    return f"event {number + 1}"
