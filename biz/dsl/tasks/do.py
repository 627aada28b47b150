"""DSL reference, "Do"."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from biz.dsl.model import Task, TaskList

if TYPE_CHECKING:
    from biz.dsl.frame import Frame, Outcome
    from biz.dsl.parser import TaskSource

REQUIRED = ("do",)
OPTIONAL = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class DoTask(Task):
    """Tasks in sequence; its output is the last one's."""

    do: TaskList

    @classmethod
    def parse(cls, source: TaskSource) -> DoTask:
        """Reads its own properties."""
        return cls(
            do=source.parser.task_list(source.fields["do"], source.variables), **source.common
        )

    async def execute(self, frame: Frame) -> Outcome:
        """Does the tasks on its input."""
        return await frame.walk.run_list(self.do, frame.input, f"{frame.path}/do", frame.local)

    def lists(self) -> Iterator[TaskList]:
        """Its tasks."""
        yield self.do
