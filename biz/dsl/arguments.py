"""The arguments of runtime expressions (DSL, "Runtime expression arguments")."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from biz.dsl import deferral
from biz.dsl.expressions import CLOCK
from biz.dsl.model import Task, Workflow
from biz.dsl.world import World

WORKFLOW = frozenset({"workflow", "runtime"})
"""What `input.from` of a workflow sees."""

WORKFLOW_OUTPUT = WORKFLOW | {"context"}
"""What `output.as` of a workflow sees."""

TASK_INPUT = WORKFLOW_OUTPUT | {"task"}
"""What `if` and `input.from` of a task see."""

TASK = TASK_INPUT | {"input"}
"""What a task's own properties and `output.as` see."""

SECRETS = frozenset({deferral.SECRETS})
"""What `input.from` of a task that an activity does sees besides, and authentications."""

LEFT_TO_ACTIVITIES = deferral.LEFT_TO_ACTIVITIES
"""What the own properties of a task that an activity does see besides."""

TASK_EXPORT = TASK | {"output"}
"""What `export.as` of a task sees."""


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class WorkflowArguments:
    """The arguments at workflow level; each is made when an expression asks for it.

    The interpreter sets `context` anew with each export, for the tasks under way too.
    """

    def __init__(
        self,
        *,
        workflow: Workflow,
        raw_input: Any,
        world: World,
    ) -> None:
        self._workflow = workflow
        self._raw_input = raw_input
        self._world = world
        self.context: Any = None

    def __getitem__(self, name: str) -> Any:
        """The value of an argument."""
        if name == CLOCK:
            return self._world.now().timestamp()
        match name:
            case "context":
                return self.context
            case "workflow":
                return {
                    "id": self._world.run.id,
                    "definition": self._workflow.definition,
                    "input": self._raw_input,
                    "startedAt": describe_time(self._world.run.started_at),
                }
            case "runtime":
                return {
                    "name": self._world.run.runtime_name,
                    "version": self._world.run.runtime_version,
                    "metadata": dict(self._world.run.runtime_metadata),
                }
        raise KeyError(name)

    async def charge(self, size: int) -> None:
        """See Variables."""
        await self._world.charge(size)

    async def evaluate(self, program: str, data: str) -> Any:
        """See Variables."""
        return await self._world.evaluate(program, data)


class TaskArguments:
    """The arguments of one task.

    The interpreter sets `input`, `raw_output` and `output` as they come to be.
    """

    __slots__ = (
        "_around", "_local", "_raw_input", "_started_at", "_task", "input", "output", "raw_output",
    )  # fmt: skip

    def __init__(
        self,
        *,
        around: WorkflowArguments,
        task: Task,
        raw_input: Any,
        started_at: datetime,
        local: Mapping[str, Any],
    ) -> None:
        self._around = around
        self._task = task
        self._raw_input = raw_input
        self._started_at = started_at
        self._local = local
        self.input: Any = None
        self.raw_output: Any = None
        self.output: Any = None

    def __getitem__(self, name: str) -> Any:
        """The value of an argument, or of a variable of a loop around the task."""
        if name in self._local:
            return self._local[name]
        match name:
            case "input":
                return self.input
            case "output":
                return self.output
            case "task":
                return {
                    "name": self._task.name,
                    "reference": self._task.pointer,
                    "definition": self._task.definition,
                    "input": self._raw_input,
                    "output": self.raw_output,
                    "startedAt": describe_time(self._started_at),
                }
        return self._around[name]

    async def charge(self, size: int) -> None:
        """See Variables."""
        await self._around.charge(size)

    async def evaluate(self, program: str, data: str) -> Any:
        """See Variables."""
        return await self._around.evaluate(program, data)


def describe_time(moment: datetime) -> dict[str, Any]:
    """DSL, "DateTime Descriptor"; milliseconds, UTC."""
    milliseconds = (moment - _EPOCH) // timedelta(milliseconds=1)
    return {
        "iso8601": moment.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "epoch": {"seconds": milliseconds // 1000, "milliseconds": milliseconds},
    }
