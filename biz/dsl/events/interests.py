"""A rough choice of events, made where they are kept: by texts that attributes must be."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeAlias

from biz.dsl.events.event import Event

Interest: TypeAlias = Mapping[str, str]
"""Attributes and the texts that they must be."""

EVERYTHING: Interest = {}


def admits(interests: Sequence[Interest], event: Event) -> bool:
    """Whether an event satisfies one of the interests."""
    return any(
        all(event.get(name) == text for name, text in interest.items()) for interest in interests
    )


def types_of(interests: Sequence[Interest]) -> Sequence[str] | None:
    """The types that an event must have one of, None for any; each once, in order."""
    types = [interest.get("type") for interest in interests]
    if None in types:
        return None
    return sorted({type for type in types if type is not None})
