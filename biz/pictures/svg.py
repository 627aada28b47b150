"""Writes a picture as SVG: one document that needs nothing else, for light and dark pages.

Each task is a group with its reference as `data-task`. All text is escaped, and nothing in it is
active: no script, no link, no style of a definition's.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from xml.sax.saxutils import escape, quoteattr

from biz.pictures.icons import ICONS, STYLE
from biz.pictures.layout import Layout
from biz.pictures.outline import Outline
from biz.pictures.progress import RunProgress
from biz.pictures.progress_text import run_text
from biz.pictures.shapes import Block, Box, Icon, Line, Point, Shape, Text
from biz.pictures.text import fit, showable, width

_MARGIN = 28
_ROUND = 8
_ARROW = 5
_LONGEST = 1500
_TINTS = ("even", "odd")


def to_svg(outline: Outline, run: RunProgress | None = None) -> str:
    """The picture of a workflow, with what became of a run laid over it."""
    block = Layout(run.tasks if run is not None else None).whole(outline)
    name = f"{outline.title or outline.name} {outline.version}"
    lines = [line for line in (outline.summary, run_text(run) if run else "") if line]
    wide = max(block.width, 320, min(round(width(name, 18, is_bold=True)), 900))
    wide = max(wide, *(min(round(width(line, 12)), 900) for line in lines)) if lines else wide
    top = _MARGIN + 26 + 18 * len(lines) + 22
    size = wide + 2 * _MARGIN, top + block.height + _MARGIN
    return "\n".join(_document(block, name, lines, size, ((wide - block.width) // 2, top)))


def _document(
    block: Block, name: str, lines: Sequence[str], size: Point, offset: Point
) -> Iterator[str]:
    wide, high = size
    title = escape(showable(name))
    yield (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="workflow" width="{wide}" height="{high}" '
        f'viewBox="0 0 {wide} {high}" role="graphics-document document" '
        'aria-roledescription="flow chart">'
    )
    yield f"<title>{title}</title>"
    yield f"<desc>{escape(showable('. '.join(lines)) or title)}</desc>"
    yield f"<style>{STYLE}</style>"
    yield f'<rect class="page" width="{wide}" height="{high}"/>'
    heading = escape(fit(showable(name), wide - 2 * _MARGIN, 18, is_bold=True))
    yield f'<text class="title" x="{_MARGIN}" y="{_MARGIN + 16}">{heading}</text>'
    for number, line in enumerate(lines):
        text = escape(fit(showable(line), wide - 2 * _MARGIN, 12))
        yield f'<text class="about" x="{_MARGIN}" y="{_MARGIN + 38 + 18 * number}">{text}</text>'
    yield from _block(block, (offset[0] + _MARGIN, offset[1]))
    yield "</svg>\n"


def _block(block: Block, at: Point, depth: int = 0) -> Iterator[str]:
    is_task = block.reference is not None
    styles = quoteattr(f"{block.style} {_TINTS[depth % 2]}")
    if is_task:
        task = quoteattr(showable(block.reference or ""))
        yield f'<g class={styles} data-task={task} role="graphics-symbol">'
        yield f"<title>{escape(showable(block.title)[:_LONGEST])}</title>"
    elif block.style:
        yield f"<g class={styles}>"
    marks = [shape for shape in block.shapes if isinstance(shape, Icon) and shape.style == "mark"]
    for shape in block.shapes:
        if shape not in marks:
            yield _shape(shape, at)
    for (x, y), inner in block.blocks:
        yield from _block(inner, (at[0] + x, at[1] + y), depth + (1 if block.style else 0))
    for mark in marks:
        yield _shape(mark, at)
    if is_task or block.style:
        yield "</g>"


def _shape(shape: Shape, at: Point) -> str:
    match shape:
        case Text():
            return _text(shape, at)
        case Box():
            x, y = _moved(shape.at, at)
            return (
                f'<rect class="{shape.style}" x="{x}" y="{y}" width="{shape.width}" '
                f'height="{shape.height}" rx="{shape.radius}"/>'
            )
        case Icon():
            x, y = _moved(shape.at, at)
            drawn = ICONS.get(shape.name, "")
            return (
                f'<g class="{shape.style} {shape.name}" transform="translate({x} {y})">{drawn}</g>'
            )
        case Line():
            return _line(shape, at)


def _text(text: Text, at: Point) -> str:
    x, y = _moved(text.at, at)
    anchor = ' text-anchor="middle"' if text.is_centred else ""
    if len(text.spans) == 1:
        [span] = text.spans
        return f'<text class="{span.style}" x="{x}" y="{y}"{anchor}>{escape(span.text)}</text>'
    spans = "".join(
        f'<tspan class="{span.style}">{escape(span.text)}</tspan>' for span in text.spans
    )
    return f'<text x="{x}" y="{y}"{anchor}>{spans}</text>'


def _line(line: Line, at: Point) -> str:
    points = [_moved(point, at) for point in line.points]
    style = f"line {line.style}".strip()
    path = f'<path class="{style}" d="{_path(points)}"/>'
    if not line.has_arrow:
        return path
    return path + f'<path class="{style} head" d="{_head(points[-2], points[-1])}"/>'


def _path(points: Sequence[Point]) -> str:
    """Straight pieces, with the corners between them rounded."""
    parts = [f"M{points[0][0]} {points[0][1]}"]
    for before, corner, after in zip(points, points[1:], points[2:], strict=False):
        radius = min(_ROUND, _distance(before, corner) // 2, _distance(corner, after) // 2)
        begin, end = _towards(corner, before, radius), _towards(corner, after, radius)
        parts.append(f"L{begin[0]} {begin[1]}Q{corner[0]} {corner[1]} {end[0]} {end[1]}")
    parts.append(f"L{points[-1][0]} {points[-1][1]}")
    return "".join(parts)


def _head(before: Point, end: Point) -> str:
    x, y = end
    back = _towards(end, before, _ARROW + 2)
    if before[0] == x:
        return f"M{x} {y}L{x - _ARROW} {back[1]}L{x + _ARROW} {back[1]}Z"
    return f"M{x} {y}L{back[0]} {y - _ARROW}L{back[0]} {y + _ARROW}Z"


def _distance(one: Point, other: Point) -> int:
    return abs(one[0] - other[0]) + abs(one[1] - other[1])


def _towards(start: Point, end: Point, far: int) -> Point:
    """A place on the straight line between two."""

    def step(a: int, b: int) -> int:
        return a + min(far, abs(b - a)) * ((b > a) - (b < a))

    return step(start[0], end[0]), step(start[1], end[1])


def _moved(point: Point, by: Point) -> Point:
    return point[0] + by[0], point[1] + by[1]
