"""Events as they come to a run."""

# Annotations are no texts here: Temporal reads them where it can't look up a module's names.
from collections.abc import Sequence
from dataclasses import dataclass

from biz.dsl.events.event import Event
from biz.dsl.events.interests import Interest


@dataclass(frozen=True, slots=True, kw_only=True)
class Listener:
    """A task that listens; `id` is its number in the run.

    It wants the events that satisfy one of `interests`.
    """

    id: int
    interests: Sequence[Interest]


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """An event that was accepted; `sequence` grows with each, and is the same for all runs."""

    sequence: int
    event: Event


@dataclass(frozen=True, slots=True, kw_only=True)
class EventPage:
    """Events in their order, complete up to the sequence `cursor`. There may be more behind it."""

    arrivals: Sequence[Arrival]
    cursor: int
    has_more: bool
