"""What a task sees while it runs, and what it leaves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, Protocol

from biz.dsl.deferral import Deferred
from biz.dsl.durations import InvalidDuration, resolve_duration
from biz.dsl.errors import TaskFault, WorkflowError
from biz.dsl.expressions import EvaluationError, Expression, Variables
from biz.dsl.model import Duration, Evaluable, Task, TaskList, Transformation
from biz.dsl.world import World


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a task or a list leaves: its output, and where to go.

    `then` is a flow directive in place of the task's own. `ended` says that a task in it ended
    the whole workflow, `exited` that a task of the list left it by `exit`, `skipped` that the
    task's condition didn't hold.
    """

    output: Any
    then: str | None = None
    ended: bool = False
    exited: bool = False
    skipped: bool = False


class Walk(Protocol):
    """How a task has others done; the interpreter stands behind it.

    `path` is where they are done, `local` are the variables in scope besides those of the run.
    """

    async def run_list(
        self, tasks: TaskList, data: Any, path: str, local: Mapping[str, Any]
    ) -> Outcome:
        """Does the tasks of a list on `data`, as their flow directives say."""
        ...

    async def run_task(self, task: Task, data: Any, path: str, local: Mapping[str, Any]) -> Outcome:
        """Does one task on `data`; `path` is its own."""
        ...

    async def run_function(self, function: Task, data: Any, path: str) -> Outcome:
        """Does the task of a function on `data`; faults where functions call each other too deep.

        It sees no variable of the task that calls it.
        """
        ...

    def load_function(self, document: Any, name: str, pointer: str) -> Task:
        """The task of a document that was found to be a function; `pointer` is to be its own."""
        ...

    def without_extensions(self) -> Walk:
        """The same walk, in which no task is extended."""
        ...

    async def produce(self, frame: Frame, output: Transformation, data: Any) -> Any:
        """The output that `output` makes of `data`; faults the task where it is invalid."""
        ...

    async def export(self, frame: Frame, export: Transformation, output: Any) -> None:
        """Sets the context that `export` makes of an output; faults where it is invalid."""
        ...


@dataclass(frozen=True, slots=True)
class Frame:
    """One task being done.

    `input` is the transformed input, `variables` are the arguments of its expressions, of which
    `local` are those of the tasks around it. `path` is the task's reference with the numbers of
    iterations.
    """

    task: Task
    input: Any
    variables: Variables
    local: Mapping[str, Any]
    path: str
    walk: Walk
    world: World

    async def evaluate(self, evaluable: Evaluable, data: Any = ...) -> Any:
        """Evaluates on the task's input, or on `data`; faults the task where that fails.

        What reads secrets gives a Deferred, which is good for nothing but a field of a call.
        """
        try:
            return await evaluable.evaluate(self.input if data is ... else data, self.variables)
        except EvaluationError as error:
            raise self.fault("expression", str(error)) from None

    async def holds(self, condition: Expression, data: Any = ...) -> bool:
        """Whether a condition gives something else than false and null, as in jq."""
        value = await self.evaluate(condition, data)
        if isinstance(value, Deferred):
            raise self.fault("expression", "a condition can't read secrets")
        return value is not None and value is not False

    async def duration(self, duration: Duration) -> timedelta:
        """A duration, evaluated where it is an expression."""
        try:
            return await resolve_duration(duration, self.evaluate)
        except InvalidDuration as error:
            raise self.fault("expression", f"the duration {error}") from None

    def reach(self, way: str) -> None:
        """Tells that the run takes one of the task's ways."""
        self.world.reach(self.task.branch(way))

    def within(self, local: Mapping[str, Any]) -> Frame:
        """The same task, with other variables for its expressions."""
        return replace(self, local=local, variables=_Extended(self.variables, local))

    def fault(self, kind: str, detail: str) -> TaskFault:
        """A standard error of this task, to be raised."""
        return TaskFault(WorkflowError.standard(kind, detail, instance=self.task.pointer))


@dataclass(frozen=True, slots=True)
class _Extended:
    """Arguments with some more in front."""

    variables: Variables
    local: Mapping[str, Any]

    def __getitem__(self, name: str) -> Any:
        return self.local[name] if name in self.local else self.variables[name]

    async def charge(self, size: int) -> None:
        await self.variables.charge(size)

    async def evaluate(self, program: str, data: str) -> Any:
        return await self.variables.evaluate(program, data)
