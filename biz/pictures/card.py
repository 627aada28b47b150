"""What is written of a task: a box for one without tasks inside, the head of a frame for others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from biz.pictures.outline import Case, Exit, Role, Step
from biz.pictures.progress import TaskProgress, TaskState
from biz.pictures.progress_text import progress_text
from biz.pictures.shapes import Block, Box, Icon, Line, Point, Shape, Span, Text
from biz.pictures.text import fit, showable, width

_LEFT = 46
_RIGHT = 14
_TOP = 21
_ROW = 17
_CASE = 24
_NAME = 13
_SMALL = 11
_LEAST = 150
_MOST = 320
_MOST_HEAD = 460
_ICON = (11, 11)
_TILE = 26

_MARKS = {
    TaskState.COMPLETED: "check",
    TaskState.FAULTED: "cross",
    TaskState.CANCELLED: "stop",
    TaskState.RUNNING: "play",
    TaskState.KEPT: "check",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """A head of a size; `shapes` are in it, `ports` the heights of the cases under it."""

    reference: str | None
    title: str
    style: str
    width: int
    height: int
    shapes: Sequence[Shape]
    cases: Sequence[Case]
    mark: str

    def block(self) -> Block:
        """A box of its own, with the cases under the head."""
        height = self.height + _CASE * len(self.cases)
        return self._block("node", self.width, height, (), ())

    def frame(
        self,
        width: int,
        height: int,
        blocks: Sequence[tuple[Point, Block]],
        shapes: Sequence[Shape] = (),
    ) -> Block:
        """A frame around blocks, which are placed under the head."""
        return self._block("frame", width, height, blocks, shapes)

    def _block(
        self,
        style: str,
        width: int,
        height: int,
        blocks: Sequence[tuple[Point, Block]],
        shapes: Sequence[Shape],
    ) -> Block:
        box = Box(at=(0, 0), width=width, height=height, radius=10, style="body")
        ports = [self.height + _CASE * n + _CASE // 2 for n in range(len(self.cases))]
        rows = [
            shape
            for case, port in zip(self.cases, ports, strict=True)
            for shape in _case(case, port, width)
        ]
        mark = [Icon(at=(width - 10, -10), name=self.mark, style="mark")] if self.mark else []
        return Block(
            width=width,
            height=height,
            axis=width // 2,
            body=width,
            shapes=[box, *self.shapes, *rows, *shapes, *mark],
            blocks=blocks,
            reference=self.reference,
            title=self.title,
            style=f"{style} {self.style}",
            ports=ports,
        )


def card(step: Step, progress: TaskProgress | None, *, is_run: bool) -> Card:
    """That of a task; `progress` is what became of it in a run, None where it wasn't reached."""
    most = _MOST_HEAD if step.sections else _MOST
    rows = [[Span(text=fit(showable(step.name), most, _NAME, is_bold=True), style="name")]]
    rows.append(_work(step, most))
    if step.condition:
        rows.append(_labelled("if", showable(step.condition), most, "condition"))
    state = "" if progress is None else progress_text(progress, step.expected)
    if progress is not None:
        text = fit(showable(state), most, _SMALL, is_bold=True)
        rows.append([Span(text=text, style="state")])
    wide = max(_span_width(row) for row in rows)
    cases = [_case_width(case) for case in step.cases]
    size = max([_LEAST, round(_LEFT + wide + _RIGHT), *cases])
    shapes: list[Shape] = [
        Box(at=_ICON, width=_TILE, height=_TILE, radius=7, style="tile"),
        Icon(at=(_ICON[0] + 5, _ICON[1] + 5), name=step.kind, style="kind"),
    ]
    shapes += [Text(at=(_LEFT, _TOP + _ROW * number), spans=row) for number, row in enumerate(rows)]
    run_style = "unreached" if progress is None else str(progress.state)
    return Card(
        reference=step.reference,
        title=_title(step, state if progress is not None or not is_run else "not reached"),
        style=f"{step.kind} {run_style}" if is_run else step.kind,
        width=size,
        height=_TOP + _ROW * (len(rows) - 1) + 11,
        shapes=shapes,
        cases=step.cases,
        mark=_MARKS[progress.state] if progress is not None else "",
    )


def header(caption: str, role: Role) -> Card:
    """The head of what stands beside a workflow's tasks."""
    text = fit(showable(caption), _MOST_HEAD, _NAME, is_bold=True)
    row = [Span(text=text, style="name")]
    return Card(
        reference=None,
        title="",
        style=f"beside {role}",
        width=round(_span_width(row)) + 2 * _RIGHT,
        height=34,
        shapes=[Text(at=(_RIGHT, 23), spans=row)],
        cases=(),
        mark="",
    )


def _work(step: Step, most: int) -> list[Span]:
    """What the task does, in words and by its definition."""
    what = step.what + (f", at most {step.timeout}" if step.timeout else "")
    what = fit(showable(what), most, _SMALL)
    if not step.detail:
        return [Span(text=what, style="what")]
    return _labelled(what, showable(step.detail), most, "what")


def _labelled(label: str, code: str, most: int, style: str) -> list[Span]:
    rest = max(most - width(label, _SMALL) - 8, 60)
    return [
        Span(text=f"{label}\N{NO-BREAK SPACE} ", style=style),
        Span(text=fit(code, rest, _SMALL, is_mono=True), style="code"),
    ]


def _case(case: Case, port: int, wide: int) -> list[Shape]:
    name = fit(showable(case.name), 140, _SMALL, is_bold=True)
    spans = [Span(text=name, style="case")]
    if case.when:
        code = fit(showable(case.when), 240, _SMALL, is_mono=True)
        spans += [Span(text="\N{NO-BREAK SPACE} ", style="case"), Span(text=code, style="code")]
    top = port - _CASE // 2
    rule = Line(points=[(0, top), (wide, top)], style="rule", has_arrow=False)
    return [rule, Text(at=(_RIGHT, port + 4), spans=spans)]


def _case_width(case: Case) -> int:
    name = fit(showable(case.name), 140, _SMALL, is_bold=True)
    code = fit(showable(case.when), 240, _SMALL, is_mono=True)
    bold = width(name, _SMALL, is_bold=True)
    return round(2 * _RIGHT + bold + 8 + width(code, _SMALL, is_mono=True))


def _span_width(row: Sequence[Span]) -> float:
    return sum(
        width(
            span.text,
            _NAME if span.style == "name" else _SMALL,
            is_bold=span.style in ("name", "case", "state"),
            is_mono=span.style == "code",
        )
        for span in row
    )


def _title(step: Step, state: str) -> str:
    """All that the card has to say, uncut."""
    lines = [f"{step.name}: {step.what} {step.detail}".strip()]
    if step.condition:
        lines.append(f"if {step.condition}")
    if step.timeout:
        lines.append(f"at most {step.timeout}")
    lines += [f"{case.name}: {_where(case)}" for case in step.cases]
    if state:
        lines.append(state)
    return "; ".join(lines)


def _where(case: Case) -> str:
    leads = f" leads to {case.way.to}" if isinstance(case.way.to, Exit) else ""
    return (case.when or "otherwise") + leads
