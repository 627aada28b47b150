"""Writes a picture as text of a Mermaid flowchart.

Each task is a node; one with tasks inside is the first node of a subgraph. What a definition says
stands in quotes, with all but letters, digits and harmless signs encoded.
"""

from __future__ import annotations

import re
from collections.abc import Generator, Iterator, Mapping, Sequence

from biz.pictures.outline import Exit, Outline, Role, Section, Step, Way
from biz.pictures.progress import RunProgress, TaskProgress, TaskState
from biz.pictures.progress_text import progress_text, run_text
from biz.pictures.text import showable

_LONGEST = 80
_HARMFUL = re.compile(r"[^\w ,/()=+:.-]|[-+.](?= )")
"""All but what means nothing to Mermaid; a list would begin with a sign before a space."""

_MARKS = {
    TaskState.COMPLETED: "✓",
    TaskState.FAULTED: "✗",
    TaskState.CANCELLED: "■",
    TaskState.RUNNING: "▶",
    TaskState.KEPT: "✓",
}
_SHAPES = {
    "emit": (">", "]"),
    "for": ("{{", "}}"),
    "listen": (">", "]"),
    "more": ("([", "])"),
    "raise": ("[/", "\\]"),
    "switch": ("{", "}"),
    "wait": ("([", "])"),
}
_BOX = ("[", "]")
_CHILD = ("[[", "]]")
_STYLES = (
    "classDef completed fill:#eefbf1,stroke:#1a7f37,color:#1f2328",
    "classDef faulted fill:#fff1f0,stroke:#cf222e,stroke-width:2px,color:#1f2328",
    "classDef running fill:#eef6ff,stroke:#0969da,stroke-width:3px,color:#1f2328",
    "classDef cancelled fill:#f3f4f6,stroke:#6e7781,stroke-dasharray:5 3,color:#1f2328",
    "classDef kept fill:#f6faf7,stroke:#6a8f75,stroke-dasharray:2 2,color:#1f2328",
)

_Tail = tuple[str, str]
"""A node that leads on to whatever follows, and the label of that way."""

_Drawn = Generator[str, None, list[_Tail]]
"""Lines of a part of the chart; what it returns leads out of the part."""


def to_mermaid(outline: Outline, run: RunProgress | None = None) -> str:
    """The flowchart of a workflow, with what became of a run laid over it."""
    return "\n".join(_lines(outline, run)) + "\n"


def _lines(outline: Outline, run: RunProgress | None) -> Iterator[str]:
    title = f"{outline.title or outline.name} {outline.version}"
    if run is not None:
        title += f": {run_text(run)}"
    yield "---"
    yield f'title: "{_yaml(title)}"'
    yield "---"
    yield "flowchart TD"
    chart = _Chart(run.tasks if run is not None else {})
    starts = ", ".join(outline.starts)
    yield f'  start(["start{": " + _encoded(starts) if starts else ""}"])'
    yield from chart.body(outline.main)
    for section in outline.beside:
        yield from chart.beside(section)
    if run is not None:
        yield from (f"  {style}" for style in _STYLES)


class _Chart:
    """The lines of one flowchart; nodes are numbered in the order of the definition."""

    def __init__(self, tasks: Mapping[str, TaskProgress]) -> None:
        self._tasks = tasks
        self._count = 0
        self._ends: list[_Tail] = []

    def body(self, section: Section) -> Iterator[str]:
        """All of the workflow's own tasks, from the start to the end."""
        tails = yield from self._section(section, [("start", "")], "  ")
        ends = [*tails, *self._ends]
        yield from self._edges(ends, "done", "  ")
        if ends:
            yield '  done(["end"])'

    def beside(self, section: Section) -> Iterator[str]:
        """A function, or tasks of an extension."""
        caption = section.captions[0]
        yield f'  subgraph {self._next("g")}["{_encoded(caption)}"]'
        yield from self._section(section, [], "    ")
        yield "  end"

    def _section(self, section: Section, before: Sequence[_Tail], indent: str) -> _Drawn:
        """The tasks of a list, `before` being what leads into it."""
        tails: list[_Tail] = []
        if not section.steps:
            return list(before)
        heads = [self._next("t") for _ in section.steps]
        entered = heads if section.role is Role.BRANCHES else heads[:1]
        for head in entered:
            yield from self._edges(before, head, indent)
        for head, step in zip(heads, section.steps, strict=True):
            done = yield from self._step(head, step, indent)
            for case in step.cases:
                label = f"{case.name}: {case.when}" if case.when else case.name
                leading = [(head, label)]
                yield from self._lead(leading, case.way, heads, tails, indent)
            for way in step.ways:
                leading = [(tail, label or way.label) for tail, label in done]
                yield from self._lead(leading, way, heads, tails, indent)
        return tails

    def _lead(
        self,
        leading: Sequence[_Tail],
        way: Way,
        heads: Sequence[str],
        tails: list[_Tail],
        indent: str,
    ) -> Iterator[str]:
        if way.to is Exit.END:
            self._ends.extend(leading)  # drawn outside of all subgraphs, as the end is
        elif isinstance(way.to, Exit) or way.to >= len(heads):
            tails.extend(leading)
        else:
            yield from self._edges(leading, heads[way.to], indent)

    def _step(self, head: str, step: Step, indent: str) -> _Drawn:
        """One task, `head` being its own node."""
        if not step.sections:
            yield indent + self._node(head, step)
            return [(head, "")]
        yield f'{indent}subgraph {self._next("g")}["{_encoded(step.name)}"]'
        inner = indent + "  "
        yield inner + self._node(head, step)
        first = step.sections[0]
        tails = yield from self._section(first, [(head, "")], inner)
        if first.role is Role.LOOP:
            for tail in tails:
                if tail[0] != head:
                    yield f"{inner}{tail[0]} -.->{_label(tail[1] or 'next')} {head}"
            tails = [(head, "done")]
        elif first.role is Role.BRANCHES:
            join = self._next("j")
            yield f'{inner}{join}(("join"))'
            yield from self._edges(tails, join, inner)
            tails = [(join, "")]
        for catch in step.sections[1:]:
            handler = self._next("c")
            captions = "<br/>".join(_encoded(line) for line in catch.captions)
            yield f'{inner}{handler}(["{captions}"])'
            yield f"{inner}{head} -.->{_label('error')} {handler}"
            caught = yield from self._section(catch, [(handler, "")], inner)
            tails = [*tails, *caught]
        yield indent + "end"
        return tails

    def _node(self, head: str, step: Step) -> str:
        opening, closing = _SHAPES.get(step.kind, _BOX)
        if step.what.startswith("run workflow"):
            opening, closing = _CHILD
        what = step.what + (f", at most {step.timeout}" if step.timeout else "")
        lines = [step.name, f"{what} {step.detail}".strip()]
        if step.condition:
            lines.append(f"if {step.condition}")
        progress = self._tasks.get(step.reference)
        style = ""
        if progress is not None:
            text = progress_text(progress, step.expected)
            lines.append(f"{_MARKS[progress.state]} {text}")
            style = f":::{progress.state}"
        label = "<br/>".join(_encoded(line) for line in lines)
        return f'{head}{opening}"{label}"{closing}{style}'

    def _edges(self, tails: Sequence[_Tail], head: str, indent: str) -> Iterator[str]:
        for tail, label in dict.fromkeys(tails):
            yield f"{indent}{tail} -->{_label(label)} {head}"

    def _next(self, letter: str) -> str:
        self._count += 1
        return f"{letter}{self._count}"


def _label(text: str) -> str:
    return f'|"{_encoded(text)}"|' if text else ""


def _encoded(text: str) -> str:
    shown = showable(text)
    if len(shown) > _LONGEST:
        shown = shown[: _LONGEST - 1] + "…"
    return _HARMFUL.sub(lambda found: f"#{ord(found.group())};", shown)


def _yaml(text: str) -> str:
    """The inside of a text in quotes in YAML."""
    return re.sub(
        r"[^\w .,:()-]",
        lambda found: f"\\U{ord(found.group()):08x}",
        showable(text)[: 3 * _LONGEST],
    )
