"""DSL reference, "Fork"."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from biz.dsl.checkpoint import OUTPUT
from biz.dsl.concurrency import gather, race
from biz.dsl.frame import Outcome
from biz.dsl.lifecycle import ABSENT
from biz.dsl.model import Task, TaskList
from biz.dsl.reading.pointers import child

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
    the output of the first that completes, its input where none is done. A branch that faults
    cancels the others and faults the task; where they compete, only the fault of all that are
    done does.
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
            fields["branches"].error("unusable-value", "must have a branch that can win")
        # Branches don't follow one another, so that no directive can name one.
        return cls(branches=TaskList(branches.tasks, places={}), compete=compete, **source.common)

    async def execute(self, frame: Frame) -> Outcome:
        """Does the branches."""
        places = range(len(self.branches.tasks))
        if self.compete:
            branches = [self._branch(frame, place) for place in places]
            outcome = await race(branches, wins=lambda outcome: not outcome.skipped)
            if not outcome.ended:
                frame.world.notes.forget(f"{frame.path}/fork")
            return Outcome(outcome.output, ended=outcome.ended)
        try:
            outputs = await gather([self._output(frame, place) for place in places])
        except _Ended as ended:
            return ended.outcome
        for place in places:
            frame.world.notes.drop(self._path(frame, place), OUTPUT)
        return Outcome(outputs)

    def _path(self, frame: Frame, place: int) -> str:
        return child(f"{frame.path}/fork/branches/{place}", self.branches.tasks[place].name)

    async def _branch(self, frame: Frame, place: int) -> Outcome:
        task = self.branches.tasks[place]
        path = self._path(frame, place)
        outcome = await frame.walk.run_task(task, frame.input, path, frame.local)
        return replace(outcome, ended=outcome.ended or outcome.then == "end")

    async def _output(self, frame: Frame, place: int) -> object:
        notes, path = frame.world.notes, self._path(frame, place)
        output = notes.take(path, OUTPUT, ABSENT)
        if output is ABSENT:
            outcome = await self._branch(frame, place)
            if outcome.ended:
                raise _Ended(outcome)
            output = outcome.output
        notes.put(path, OUTPUT, output)
        return output

    def lists(self) -> Iterator[TaskList]:
        """Its branches."""
        yield self.branches
