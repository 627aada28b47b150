"""DSL reference, "Do"."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from biz.dsl.model import Task, TaskList
from biz.dsl.reader import Node

if TYPE_CHECKING:
    from biz.dsl.frame import Frame, Outcome
    from biz.dsl.parser import Parser

REQUIRED = ("do",)
OPTIONAL = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class DoTask(Task):
    """Tasks in sequence; its output is the last one's."""

    do: TaskList

    @classmethod
    def parse(
        cls,
        fields: Mapping[str, Node],
        common: Mapping[str, Any],
        parser: Parser,
        variables: frozenset[str],
    ) -> DoTask:
        """Reads its own properties; `common` are those of every task."""
        return cls(do=parser.task_list(fields["do"], variables), **common)

    async def execute(self, frame: Frame) -> Outcome:
        """Does the tasks on its input."""
        return await frame.world.run_list(self.do, frame.input, f"{frame.path}/do", frame.local)

    def lists(self) -> Iterator[TaskList]:
        """Its tasks."""
        yield self.do
