"""DSL reference, "Fork"."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from biz.dsl.concurrency import gather, race
from biz.dsl.frame import Outcome
from biz.dsl.model import Task, TaskList
from biz.dsl.pointers import child

if TYPE_CHECKING:
    from biz.dsl.frame import Frame
    from biz.dsl.parser import TaskSource

REQUIRED = ("fork",)
OPTIONAL = ()


class _Ended(Exception):
    """A branch has ended the workflow."""

    def __init__(self, outcome: Outcome) -> None:
        super().__init__()
        self.outcome = outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class ForkTask(Task):
    """Branches at once, each a task on the same input.

    Its output is an array of theirs in the order of their declaration; where they compete, it is
    the output of the first that completes. A branch that faults cancels the others and faults the
    task; where they compete, only the fault of all of them does.
    """

    branches: TaskList
    compete: bool

    @classmethod
    def parse(cls, source: TaskSource) -> ForkTask:
        """Reads its own properties."""
        fields = source.fields["fork"].object(required=("branches",), optional=("compete",))
        branches = source.parser.task_list(fields["branches"], source.variables)
        compete = fields["compete"].boolean() if "compete" in fields else False
        if compete and fields["branches"].value == []:
            fields["branches"].error("empty", "must have a branch that can win")
        # Branches don't follow one another, so that no directive can name one.
        return cls(branches=TaskList(branches.tasks, places={}), compete=compete, **source.common)

    async def execute(self, frame: Frame) -> Outcome:
        """Does the branches."""
        branches = [
            self._branch(frame, place, task) for place, task in enumerate(self.branches.tasks)
        ]
        try:
            return Outcome(await (race(branches) if self.compete else gather(branches)))
        except _Ended as ended:
            return ended.outcome

    async def _branch(self, frame: Frame, place: int, task: Task) -> object:
        path = child(f"{frame.path}/fork/branches/{place}", task.name)
        outcome = await frame.walk.run_task(task, frame.input, path, frame.local)
        if outcome.ended or outcome.then == "end":
            raise _Ended(Outcome(outcome.output, ended=True))
        return outcome.output

    def lists(self) -> Iterator[TaskList]:
        """Its branches."""
        yield self.branches
