"""DSL reference, "Switch"."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from biz.dsl.branches import Branch
from biz.dsl.expressions import Expression
from biz.dsl.frame import Outcome
from biz.dsl.model import Task
from biz.dsl.reading.reader import Node
from biz.dsl.values import read_expression

if TYPE_CHECKING:
    from biz.dsl.frame import Frame
    from biz.dsl.parser import TaskSource

REQUIRED = ("switch",)
OPTIONAL = ()

_NO_CASE = "no case matches"


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """DSL reference, "Switch Case"; the default one has no condition."""

    name: str
    when: Expression | None
    then: str
    pointer: str

    @property
    def way(self) -> str:
        """What it is called among the task's ways."""
        return f'case "{self.name}"'


@dataclass(frozen=True, slots=True, kw_only=True)
class SwitchTask(Task):
    """Goes where the first case that matches says; its output is its input."""

    cases: Sequence[Case]

    @classmethod
    def parse(cls, source: TaskSource) -> SwitchTask:
        """Reads its own properties."""
        node = source.fields["switch"]
        cases = [_read_case(name, item, source.variables) for name, item in node.named_items()]
        if node.value == []:
            node.error("empty", "must have at least one case")
        if len([case for case in cases if case.when is None]) > 1:
            node.error("unusable-value", 'only one case may be without "when"')
        return cls(cases=cases, **source.common)

    async def execute(self, frame: Frame) -> Outcome:
        """Matches the cases in order; the default one last, wherever it stands."""
        for case in self.cases:
            if case.when is not None and await frame.holds(case.when):
                frame.reach(case.way)
                return Outcome(frame.input, then=case.then)
        for case in self.cases:
            if case.when is None:
                frame.reach(case.way)
                return Outcome(frame.input, then=case.then)
        frame.reach(_NO_CASE)
        return Outcome(frame.input)

    def alternatives(self) -> Iterator[Branch]:
        """Its cases, and none of them where all have a condition."""
        yield from super(SwitchTask, self).alternatives()
        yield from (self.branch(case.way) for case in self.cases)
        if all(case.when is not None for case in self.cases):
            yield self.branch(_NO_CASE)

    def directives(self) -> Iterator[tuple[str, str]]:
        """Those of its cases, and its own."""
        yield from super(SwitchTask, self).directives()
        for case in self.cases:
            yield case.then, case.pointer

    def ways_on(self) -> Iterator[str]:
        """Those of its cases, and its own where none may match."""
        yield from (case.then for case in self.cases)
        if all(case.when is not None for case in self.cases):
            yield self.then


def _read_case(name: str, node: Node, variables: frozenset[str]) -> Case:
    fields = node.object(required=("then",), optional=("when",))
    when = read_expression(fields["when"], variables) if "when" in fields else None
    then = fields["then"]
    return Case(name=name, when=when, then=then.directive(), pointer=then.pointer)
