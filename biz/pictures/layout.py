"""Lays out an outline: sequences from top to bottom, branches side by side, jumps in lanes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from biz.pictures.card import Card, card, header
from biz.pictures.lanes import Lane, assign_lanes
from biz.pictures.outline import Exit, Outline, Role, Section, Step, Way
from biz.pictures.progress import TaskProgress
from biz.pictures.shapes import Block, Box, Icon, Line, Point, Shape, Span, Text
from biz.pictures.text import width

GAP = 30
_PADDING = 16
_BRANCH_GAP = 24
_WIDEST_ROW = 1300
_FEW = 4
_LANE_ROOM = 6
_DOCK = 13
_BAR = 5
_BAR_GAP = 18
_ROW_GAP = 28
_LOOP = 18
_PILL_GAP = 20
_PILL_HEIGHT = 20
_SMALL = 11


class Layout:
    """Makes blocks of the parts of an outline; `tasks` are laid over it, if any."""

    def __init__(self, tasks: Mapping[str, TaskProgress] | None) -> None:
        self._tasks = tasks

    def whole(self, outline: Outline) -> Block:
        """The workflow's tasks, and beside them its functions and extensions."""
        main = self._column(outline.main, is_outermost=True, starts=outline.starts)
        beside = [self._aside(section) for section in outline.beside]
        if not beside:
            return main
        return _side_by_side([main, _stack(beside)], gap=3 * _BRANCH_GAP)

    def _step(self, step: Step) -> Block:
        progress = self._tasks.get(step.reference) if self._tasks is not None else None
        drawn = card(step, progress, is_run=self._tasks is not None)
        if not step.sections:
            return drawn.block()
        bodies = [self._body(step, section) for section in step.sections]
        if len(bodies) == 2:
            return _try(drawn, bodies[0], bodies[1], step.sections[1])
        return _framed(drawn, bodies[0])

    def _body(self, step: Step, section: Section) -> Block:
        if section.role is Role.BRANCHES:
            return self._branches(section, is_race="wins" in step.what)
        column = self._column(section)
        return _looped(column, section) if section.role is Role.LOOP else column

    def _aside(self, section: Section) -> Block:
        return _framed(header(section.captions[0], section.role), self._column(section))

    def _branches(self, section: Section, *, is_race: bool) -> Block:
        if not section.steps:
            return _nothing()
        blocks = [_with_exits(self._step(step), step.ways) for step in section.steps]
        goes_on = [any(not isinstance(w.to, Exit) for w in step.ways) for step in section.steps]
        rows = list(_rows(list(zip(blocks, goes_on, strict=True))))
        trunk = _PADDING if len(rows) > 1 else 0
        widest = max(_row_width(row) for row in rows)
        shapes: list[Shape] = []
        placed: list[tuple[Point, Block]] = []
        join = "bar race" if is_race else "bar"
        top = 0
        bars: list[tuple[int, int]] = []
        for row in rows:
            tallest = max(block.height for block, _ in row)
            begin, bottom = top + _BAR + _BAR_GAP, top + _BAR + 2 * _BAR_GAP + tallest
            x = trunk + (widest - _row_width(row)) // 2
            for block, leads_on in row:
                axis = x + block.axis
                shapes.append(Line(points=[(axis, top + _BAR), (axis, begin)]))
                if leads_on:
                    points = [(axis, begin + block.height), (axis, bottom)]
                    shapes.append(Line(points=points, style="dashed" if is_race else ""))
                placed.append(((x, begin), block))
                x += block.width + _BRANCH_GAP
            for y, style in ((top, "bar"), (bottom, join)):
                bar = Box(at=(trunk, y), width=widest, height=_BAR, radius=2, style=style)
                shapes.append(bar)
            bars.append((top, bottom))
            top = bottom + _BAR + _ROW_GAP
        right = widest + 2 * trunk
        if trunk:
            for x, edge, which in ((0, trunk, 0), (right, trunk + widest, 1)):
                middles = [pair[which] + _BAR // 2 for pair in bars]
                ends = [(x, middles[0]), (x, middles[-1])]
                shapes.append(Line(points=ends, style="trunk", has_arrow=False))
                shapes += [
                    Line(points=[(x, y), (edge, y)], style="trunk", has_arrow=False)
                    for y in middles
                ]
        height = top - _ROW_GAP
        return Block(width=right, height=height, axis=right // 2, shapes=shapes, blocks=placed)

    def _column(
        self, section: Section, *, is_outermost: bool = False, starts: Sequence[str] = ()
    ) -> Block:
        if not section.steps and not is_outermost:
            return _nothing()
        steps = section.steps
        blocks = [_with_exits(self._step(step), step.ways) for step in steps]
        blocks = [_with_case_exits(b, s) for b, s in zip(blocks, steps, strict=True)]
        ways = [list(step.all_ways()) for step in steps]
        if is_outermost:
            blocks, ways = _with_terminals(blocks, ways, starts)
        jumps = [
            (place, index, way.to)
            for place, leading in enumerate(ways)
            for index, way in enumerate(leading)
            if isinstance(way.to, int) and way.to != place + 1 and way.to < len(blocks)
        ]
        return _stacked(blocks, ways, jumps)


def _stacked(
    blocks: Sequence[Block], ways: Sequence[Sequence[Way]], jumps: Sequence[tuple[int, int, int]]
) -> Block:
    """Blocks one under another, an arrow to each that follows the one before, others in lanes."""
    tops: list[int] = []
    y = 0
    for block in blocks:
        tops.append(y)
        y += block.height + GAP
    axis = max(block.axis for block in blocks)
    rights = [block.width - block.axis for block in blocks]
    lefts = [block.axis for block in blocks]
    forward = _lanes([j for j in jumps if j[2] > j[0]], blocks, tops, rights)
    backward = _lanes([j for j in jumps if j[2] <= j[0]], blocks, tops, lefts)
    axis = max([axis, *(x + _LANE_ROOM for x, _ in backward)])
    wide = axis + max([*rights, *(x + _LANE_ROOM for x, _ in forward)])
    shapes: list[Shape] = []
    placed: list[tuple[Point, Block]] = []
    for place, block in enumerate(blocks):
        placed.append(((axis - block.axis, tops[place]), block))
        following = [way for way in ways[place] if way.to == place + 1]
        if following and place + 1 < len(blocks):
            shapes += _arrow_down(axis, tops[place] + block.height, following)
    for lanes, side in ((forward, 1), (backward, -1)):
        for reach, lane in lanes:
            x = axis + side * reach
            end = tops[lane.target] + _DOCK
            target = _edge(placed[lane.target], side)
            for place, begin in lane.sources:
                source = _edge(placed[place], side)
                points = [(source, begin), (x, begin), (x, end), (target, end)]
                shapes.append(Line(points=points, style="jump"))
    return Block(width=wide, height=y - GAP, axis=axis, shapes=shapes, blocks=placed)


def _arrow_down(axis: int, top: int, ways: Sequence[Way]) -> Iterator[Shape]:
    yield Line(points=[(axis, top), (axis, top + GAP)])
    if label := ", ".join(way.label for way in ways if way.label):
        yield Text(at=(axis + 8, top + GAP // 2 + 3), spans=[Span(text=label, style="note")])


def _lanes(
    jumps: Sequence[tuple[int, int, int]],
    blocks: Sequence[Block],
    tops: Sequence[int],
    reaches: Sequence[int],
) -> Sequence[tuple[int, Lane]]:
    """Those of jumps in one direction, each with its place; one for all that lead to a block."""
    sources: dict[int, list[tuple[int, int]]] = {}
    for place, index, target in jumps:
        sources.setdefault(target, []).append((place, tops[place] + _port(blocks[place], index)))
    lanes = [
        Lane(
            target=target,
            sources=tuple(found),
            start=min(tops[target] + _DOCK, *(y for _, y in found)),
            end=max(tops[target] + _DOCK, *(y for _, y in found)),
        )
        for target, found in sources.items()
    ]
    return assign_lanes(lanes, lambda places: max(reaches[place] for place in places))


def _port(block: Block, index: int) -> int:
    """The height at which a way leaves: cases have their own, what remains is at the bottom."""
    if index < len(block.ports):
        return block.ports[index]
    return max(block.height - _DOCK - (index - len(block.ports)) * 8, _DOCK + 8)


def _edge(placed: tuple[Point, Block], side: int) -> int:
    (x, _), block = placed
    return x + (block.body if side > 0 else block.left)


def _with_exits(block: Block, ways: Sequence[Way]) -> Block:
    """With a sign at the right for each of a step's own ways that lead out."""
    exits = [way for way in ways if isinstance(way.to, Exit)]
    shapes: list[Shape] = []
    reach = block.width
    for number, way in enumerate(exits):
        y = block.height - _DOCK - number * (_PILL_HEIGHT + 2)
        pill, end = _pill(str(way.to), block.body, max(y, _DOCK))
        shapes += pill
        reach = max(reach, end)
    return _around(block, shapes, reach)


def _with_case_exits(block: Block, step: Step) -> Block:
    """With a sign at the right for each case that leads out."""
    shapes: list[Shape] = []
    reach = block.width
    for case, y in zip(step.cases, block.ports, strict=True):
        if isinstance(case.way.to, Exit):
            pill, end = _pill(str(case.way.to), block.body, y)
            shapes += pill
            reach = max(reach, end)
    return _around(block, shapes, reach)


def _around(block: Block, shapes: Sequence[Shape], reach: int) -> Block:
    if not shapes:
        return block
    return Block(
        width=reach,
        height=block.height,
        axis=block.axis,
        left=block.left,
        body=block.body,
        ports=block.ports,
        shapes=shapes,
        blocks=[((0, 0), block)],
    )


def _pill(text: str, x: int, y: int) -> tuple[Sequence[Shape], int]:
    wide = round(width(text, _SMALL)) + 16
    left = x + _PILL_GAP
    return (
        Line(points=[(x, y), (left, y)], style="jump"),
        Box(
            at=(left, y - _PILL_HEIGHT // 2),
            width=wide,
            height=_PILL_HEIGHT,
            radius=_PILL_HEIGHT // 2,
            style=f"pill {text}",
        ),
        Text(at=(left + wide // 2, y + 4), spans=[Span(text=text, style="note")], is_centred=True),
    ), left + wide


def _with_terminals(
    blocks: Sequence[Block], ways: Sequence[Sequence[Way]], starts: Sequence[str]
) -> tuple[list[Block], list[list[Way]]]:
    """With a start before all, and an end behind them, where one leads there."""
    start = _terminal("start", starts)
    shifted = [
        [replace(way, to=way.to + 1) if isinstance(way.to, int) else way for way in leading]
        for leading in ways
    ]
    around = [start, *blocks]
    leads_out = not blocks or any(way.to == len(around) for leading in shifted for way in leading)
    if leads_out:
        around.append(_terminal("end", ()))
    return around, [[Way(to=1)], *shifted, *([[]] if leads_out else [])]


def _terminal(name: str, captions: Sequence[str]) -> Block:
    size = 24
    shapes: list[Shape] = [Icon(at=(0, 0), name=name, style="terminal")]
    wide = size
    for number, caption in enumerate(captions):
        spans = [Span(text=caption, style="note")]
        shapes.append(Text(at=(size + 8, 16 + 14 * number), spans=spans))
        wide = max(wide, size + 8 + round(width(caption, _SMALL)))
    return Block(
        width=wide,
        height=max(size, 14 * len(captions) + 8),
        axis=size // 2,
        body=size,
        shapes=shapes,
    )


def _framed(drawn: Card, body: Block) -> Block:
    wide = max(drawn.width, body.width + 2 * _PADDING)
    place = ((wide - body.width) // 2, drawn.height + 4)
    return drawn.frame(wide, place[1] + body.height + _PADDING, [(place, body)])


def _try(drawn: Card, body: Block, handlers: Block, catch: Section) -> Block:
    """What is tried, and beside it or under it what is done about its errors."""
    panel = _panel(catch, handlers if catch.steps else None)
    top = drawn.height + 4
    if catch.steps:
        gap = 44
        inner = body.width + gap + panel.width
        wide = max(drawn.width, inner + 2 * _PADDING)
        x = (wide - inner) // 2
        high = max(body.height, panel.height)
        right = x + body.width + gap
        y = top + 19
        line = Line(points=[(x + body.width + 6, y), (right, y)], style="error")
        blocks = [((x, top), body), ((right, top), panel)]
        return drawn.frame(wide, top + high + _PADDING, blocks, [line])
    inner = max(body.width, panel.width)
    wide = max(drawn.width, inner + 2 * _PADDING)
    x = (wide - body.width) // 2
    under = top + body.height + GAP
    axis = x + body.axis
    line = Line(points=[(axis, under - GAP + 4), (axis, under)], style="error")
    blocks = [((x, top), body), (((wide - panel.width) // 2, under), panel)]
    return drawn.frame(wide, under + panel.height + _PADDING, blocks, [line])


def _panel(catch: Section, handlers: Block | None) -> Block:
    lines = [
        Text(at=(12, 23 + 16 * number), spans=[Span(text=caption, style="note")])
        for number, caption in enumerate(catch.captions)
    ]
    height = 16 * len(lines) + 18
    wide = 24 + max(round(width(caption, _SMALL)) for caption in catch.captions)
    blocks: list[tuple[Point, Block]] = []
    if handlers is not None:
        wide = max(wide, handlers.width + 2 * _PADDING)
        blocks.append((((wide - handlers.width) // 2, height + 2), handlers))
        height += handlers.height + _PADDING + 2
    box = Box(at=(0, 0), width=wide, height=height, radius=8, style="catch")
    return Block(
        width=wide,
        height=height,
        axis=wide // 2,
        body=wide,
        shapes=[box, *lines],
        blocks=blocks,
    )


def _looped(column: Block, section: Section) -> Block:
    """With a line from its end back to its begin."""
    place = (_LOOP, _LOOP)
    axis = _LOOP + column.axis
    bottom = _LOOP + column.height
    last = section.steps[-1:]
    shapes: list[Shape] = [Line(points=[(axis, 4), (axis, _LOOP)])]
    if last and any(way.to == len(section.steps) for way in last[0].all_ways()):
        points = [(axis, bottom), (axis, bottom + 10), (4, bottom + 10), (4, 4), (axis, 4)]
        shapes = [Line(points=[*points, (axis, _LOOP)], style="loop")]
    return Block(
        width=column.width + 2 * _LOOP,  # on both sides, so that it stays in the middle
        height=bottom + 12,
        axis=axis,
        shapes=shapes,
        blocks=[(place, column)],
    )


def _nothing() -> Block:
    text = "nothing to do"
    wide = round(width(text, _SMALL))
    shapes = [Text(at=(0, 14), spans=[Span(text=text, style="note")])]
    return Block(width=wide, height=20, axis=wide // 2, shapes=shapes)


def _rows(
    branches: Sequence[tuple[Block, bool]],
) -> Iterator[Sequence[tuple[Block, bool]]]:
    """Branches in rows that aren't too wide, as even as can be."""
    whole = _row_width(branches)
    usual = _WIDEST_ROW if len(branches) > _FEW else _WIDEST_ROW * 2
    limit = max(usual, max(block.width for block, _ in branches))
    count = -(-whole // limit)
    each = -(-len(branches) // count)
    for first in range(0, len(branches), each):
        yield branches[first : first + each]


def _row_width(row: Sequence[tuple[Block, bool]]) -> int:
    return sum(block.width for block, _ in row) + _BRANCH_GAP * (len(row) - 1)


def _side_by_side(blocks: Sequence[Block], *, gap: int) -> Block:
    placed: list[tuple[Point, Block]] = []
    x = 0
    for block in blocks:
        placed.append(((x, 0), block))
        x += block.width + gap
    height = max(block.height for block in blocks)
    return Block(width=x - gap, height=height, axis=blocks[0].axis, blocks=placed)


def _stack(blocks: Sequence[Block]) -> Block:
    placed: list[tuple[Point, Block]] = []
    y = 0
    for block in blocks:
        placed.append(((0, y), block))
        y += block.height + GAP
    return Block(width=max(block.width for block in blocks), height=y - GAP, axis=0, blocks=placed)
