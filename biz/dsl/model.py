"""A parsed workflow: what the interpreter walks. Frozen, and free of JSON but for users' data."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Protocol

from biz.dsl.branches import IF_FAILS, IF_HOLDS, Branch
from biz.dsl.expressions import Expression, Variables
from biz.dsl.schemas import Schema

if TYPE_CHECKING:
    from biz.dsl.extensions import Extension
    from biz.dsl.external.external_schemas import ExternalSchema
    from biz.dsl.fault_hooks import FaultHook
    from biz.dsl.frame import Frame, Outcome
    from biz.dsl.schedule import Schedule


class Evaluable(Protocol):
    """A value of a definition that may hold runtime expressions."""

    async def evaluate(self, data: Any, variables: Variables) -> Any:
        """The value on `data`, a Deferred where secrets are read; raises EvaluationError."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """DSL reference, "Document"."""

    dsl: str
    namespace: str
    name: str
    version: str
    title: str = ""
    summary: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Transformation:
    """`input`, `output` or `export`: an expression and a schema, each if any.

    DSL reference, "Input", "Output", "Export". `value` stands for `from` or `as`.
    """

    value: Evaluable | None = None
    schema: Schema | ExternalSchema | None = None


IDENTITY = Transformation()


@dataclass(frozen=True, slots=True, kw_only=True)
class Duration:
    """DSL reference, "Duration": fixed, or an expression that gives ISO 8601."""

    fixed: timedelta | None = None
    expression: Expression | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Task(ABC):
    """What all tasks have (DSL reference, "Task"); each kind adds its own.

    `kind` is the property that tells it, such as "call". `pointer` is the task's reference, a JSON
    pointer such as `/do/0/getPet`. `definition` is the task as written.
    """

    kind: str
    name: str
    pointer: str
    definition: Mapping[str, Any]
    condition: Expression | None = None
    input: Transformation = IDENTITY
    output: Transformation = IDENTITY
    export: Transformation = IDENTITY
    timeout: Duration | None = None
    then: str = "continue"

    @abstractmethod
    async def execute(self, frame: Frame) -> Outcome:
        """Does the task's work; raises TaskFault."""

    def directives(self) -> Iterator[tuple[str, str]]:
        """The flow directives that it may follow, each with its pointer."""
        if "then" in self.definition:
            yield self.then, f"{self.pointer}/then"

    def ways_on(self) -> Iterator[str]:
        """The flow directives of which it follows one when it is done."""
        yield self.then

    def lists(self) -> Iterator[TaskList]:
        """The lists of tasks inside it."""
        return iter(())

    def alternatives(self) -> Iterator[Branch]:
        """The ways that a run may take at this task; its kind adds its own."""
        if self.condition is not None:
            yield self.branch(IF_HOLDS)
            yield self.branch(IF_FAILS)

    def branch(self, way: str) -> Branch:
        """One of its ways."""
        return Branch(self.pointer, way)


@dataclass(frozen=True, slots=True)
class TaskList:
    """Tasks in the order of their declaration, with the place of each name."""

    tasks: Sequence[Task]
    places: Mapping[str, int]

    @property
    def is_sequence(self) -> bool:
        """Whether its tasks follow one another; branches of a fork don't, so none has a place."""
        return bool(self.places)


@dataclass(frozen=True, slots=True, kw_only=True)
class Workflow:
    """DSL reference, "Workflow". `definition` is the whole as written.

    `on_fault` says who is told of a fault. `secrets` are the names of those that it may read.
    """

    document: Document
    do: TaskList
    functions: Mapping[str, Task]
    extensions: Sequence[Extension]
    input: Transformation
    output: Transformation
    timeout: Duration | None
    schedule: Schedule | None
    on_fault: Sequence[FaultHook]
    secrets: Sequence[str]
    definition: Mapping[str, Any]

    def lists(self) -> Iterator[TaskList]:
        """All lists of tasks that aren't inside of a task; a function is one of its own."""
        yield self.do
        for function in self.functions.values():
            yield TaskList([function], places={})
        for extension in self.extensions:
            yield from extension.lists()

    def tasks(self) -> Iterator[Task]:
        """All tasks, each before those inside of it."""
        for tasks in self.lists():
            yield from _within(tasks)


def _within(tasks: TaskList) -> Iterator[Task]:
    for task in tasks.tasks:
        yield task
        for inner in task.lists():
            yield from _within(inner)
