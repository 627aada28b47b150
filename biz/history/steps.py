"""How a history that grows is told to somebody, piece by piece: in order, whole, and to its end."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from biz.dsl.lifecycle import RUN_ENDS, LifecycleEvent, LifecycleType
from biz.executions.execution import ExecutionStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class Growth:
    """What a history holds beyond a place, and how its execution stands.

    `events` are in order, perhaps with gaps, since rows may be written out of order for a moment;
    `more` says that others follow. `last_sequence` is that of the history's last event, 0 where
    there is none, and `last_type` its type. `ended_at` is None while the execution lives.
    """

    events: Sequence[LifecycleEvent]
    more: bool
    last_sequence: int
    last_type: LifecycleType | None
    status: ExecutionStatus
    ended_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryEnd:
    """Nothing follows: how the execution ended, and the last event's sequence number."""

    status: ExecutionStatus
    last_sequence: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What comes next; `more` says that others are there already.

    `again` says after how many seconds a look may bring more without anything being written.
    """

    events: Sequence[LifecycleEvent] = ()
    more: bool = False
    end: HistoryEnd | None = None
    again: float | None = None


def next_step(growth: Growth, position: int, *, now: datetime, patience: timedelta) -> Step:
    """What of a history may be told to who has it up to `position`.

    What is missing is waited for; `patience` is how long, once the execution has ended. Where the
    run was cut off from outside, its end may never come.
    """
    told = list(_without_gap(growth.events, position))
    reached = told[-1].sequence if told else position
    more = growth.more and len(told) == len(growth.events)
    if growth.ended_at is None or more:
        return Step(events=told, more=more)
    end = HistoryEnd(status=growth.status, last_sequence=growth.last_sequence)
    if growth.last_type in RUN_ENDS and reached >= growth.last_sequence:
        return Step(events=told, end=end)
    left = growth.ended_at + patience - now
    if left > timedelta():
        return Step(events=told, again=min(left, patience).total_seconds())
    return Step(events=growth.events, more=growth.more, end=None if growth.more else end)


def _without_gap(events: Sequence[LifecycleEvent], position: int) -> Iterator[LifecycleEvent]:
    """The events up to the first one that isn't there, after what is known up to `position`."""
    for event in events:
        if event.sequence != position + 1:
            return
        yield event
        position = event.sequence
