"""The events of a run: each is fetched once for all that look for the same, and consumed once."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from operator import attrgetter

from biz.dsl.events.arrivals import Arrival, EventPage
from biz.dsl.events.interests import Interest

_sequence = attrgetter("sequence")


@dataclass(slots=True)
class Stream:
    """What has come for some interests and isn't consumed; `cursor` is how far was looked."""

    cursor: int = 0
    arrivals: list[Arrival] = field(default_factory=list)

    def after(self, sequence: int) -> Arrival | None:
        """The first one later than `sequence`."""
        place = bisect_right(self.arrivals, sequence, key=_sequence)
        return self.arrivals[place] if place < len(self.arrivals) else None


class Inbox:
    """Shared by all tasks of a run that listen."""

    def __init__(self, consumed: Iterable[int] = ()) -> None:
        """`consumed` are the sequences of events that the run has consumed before."""
        self._consumed = set(consumed)
        self._streams: dict[tuple[tuple[tuple[str, str], ...], ...], Stream] = {}

    @property
    def consumed(self) -> Sequence[int]:
        """The sequences of the events that the run has consumed."""
        return sorted(self._consumed)

    def stream(self, interests: Sequence[Interest]) -> Stream:
        """The stream of these interests."""
        key = tuple(tuple(sorted(interest.items())) for interest in interests)
        return self._streams.setdefault(key, Stream())

    def add(self, stream: Stream, page: EventPage) -> None:
        """Adds what was fetched after the stream's cursor, or after an earlier one."""
        stream.arrivals += [
            arrival
            for arrival in page.arrivals
            if arrival.sequence > stream.cursor and arrival.sequence not in self._consumed
        ]
        stream.cursor = max(stream.cursor, page.cursor)

    def claim(self, arrival: Arrival) -> bool:
        """Consumes an event; False where another task of the run was faster."""
        if arrival.sequence in self._consumed:
            return False
        self._consumed.add(arrival.sequence)
        for stream in self._streams.values():
            place = bisect_right(stream.arrivals, arrival.sequence, key=_sequence) - 1
            if place >= 0 and stream.arrivals[place].sequence == arrival.sequence:
                del stream.arrivals[place]
        return True
