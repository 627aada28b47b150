"""Lanes beside a column, in which jumps go without lying on each other."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

MAX_LANES = 200
"""Jumps beyond these share one lane, outside of all others."""

WIDTH = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Lane:
    """The jumps to one block: from each source, a block and a height, all between two heights."""

    target: int
    sources: Sequence[tuple[int, int]]
    start: int
    end: int

    @property
    def places(self) -> range:
        """The blocks that it passes, with those at its ends."""
        places = [self.target, *(place for place, _ in self.sources)]
        return range(min(places), max(places) + 1)


def assign_lanes(
    lanes: Sequence[Lane], reach: Callable[[range], int]
) -> Sequence[tuple[int, Lane]]:
    """Each with its distance from the axis, the shorter ones further in.

    `reach` says how far blocks reach out, which a lane passes outside of.
    """
    ordered = sorted(lanes, key=lambda lane: (lane.end - lane.start, lane.start))
    assigned: list[tuple[int, Lane]] = []
    for lane in ordered[:MAX_LANES]:
        passed = [x for x, other in assigned if _overlap(lane, other)]
        free = reach(lane.places)
        assigned.append((max([free, *passed]) + WIDTH, lane))
    rest = ordered[MAX_LANES:]
    if rest:
        last = max(x for x, _ in assigned)
        whole = range(min(r.places.start for r in rest), max(r.places.stop for r in rest))
        outside = max(last, reach(whole)) + WIDTH
        assigned += [(outside, lane) for lane in rest]
    return assigned


def _overlap(one: Lane, other: Lane) -> bool:
    return one.start <= other.end and other.start <= one.end
