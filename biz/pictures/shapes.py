"""What a drawing is made of: shapes at places in blocks, which are placed in each other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

Point: TypeAlias = tuple[int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """A piece of text in one style."""

    text: str
    style: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """A line of text from its left end, at the height of its baseline."""

    at: Point
    spans: Sequence[Span]
    is_centred: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Box:
    """A rectangle from its upper left corner."""

    at: Point
    width: int
    height: int
    radius: int
    style: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A line through points, with round corners, and an arrow at its end."""

    points: Sequence[Point]
    style: str = ""
    has_arrow: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Icon:
    """A small sign of a name, about its upper left corner."""

    at: Point
    name: str
    style: str


Shape: TypeAlias = Text | Box | Line | Icon


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """A part of a drawing. Lines come in at the top and go on from the bottom, at `axis`.

    `body` is how far its own box reaches to the right, where other lines dock, `left` where that
    begins; what is around belongs to its lines. A block of a task has its `reference`, what it
    says when pointed at, and its styles.
    """

    width: int
    height: int
    axis: int
    left: int = 0
    body: int = 0
    shapes: Sequence[Shape] = ()
    blocks: Sequence[tuple[Point, Block]] = ()
    reference: str | None = None
    title: str = ""
    style: str = ""
    ports: Sequence[int] = field(default_factory=tuple)
    """Heights at which its cases go on."""
