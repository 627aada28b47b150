"""What the run tasks of processes have in common (DSL reference, "Run")."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from biz.dsl.calls.process_call import ProcessCall, ProcessOutput
from biz.dsl.deferral import withhold
from biz.dsl.frame import Outcome
from biz.dsl.model import Evaluable, Task
from biz.dsl.reading.reader import Node
from biz.dsl.values import Literal, read_value

if TYPE_CHECKING:
    from biz.dsl.frame import Frame

PROPERTIES = ("stdin", "arguments", "environment")
"""Those that every process may have."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessTask(Task):
    """Runs a process.

    Its output is what the process gave, as `process_output` says. One that isn't `awaited` is only
    started; the output is the input then, without what reads secrets.
    """

    stdin: Evaluable
    arguments: Evaluable
    environment: Evaluable
    process_output: ProcessOutput
    awaited: bool

    async def execute(self, frame: Frame) -> Outcome:
        """Evaluates what the process is given, and has it run."""
        call = await self.call(
            frame,
            {
                "stdin": await frame.evaluate(self.stdin),
                "arguments": await frame.evaluate(self.arguments),
                "environment": await frame.evaluate(self.environment),
                "output": self.process_output,
                "awaited": self.awaited,
                "idempotency_key": frame.world.next_call_key(frame.path),
            },
        )
        output = await frame.world.call(call, frame.path)
        return Outcome(output if self.awaited else withhold(frame.input))

    @abstractmethod
    async def call(self, frame: Frame, common: Mapping[str, Any]) -> ProcessCall:
        """The call of its kind; `common` is what all of them have."""


def read_process(fields: Mapping[str, Node], variables: frozenset[str]) -> Mapping[str, Any]:
    """What every process may have."""
    return {
        "stdin": read_text(fields.get("stdin"), variables),
        "arguments": _read_arguments(fields.get("arguments"), variables),
        "environment": _read_environment(fields.get("environment"), variables),
    }


def read_text(node: Node | None, variables: frozenset[str]) -> Evaluable:
    """A string that may be an expression; null where it is left out."""
    if node is None:
        return Literal(None)
    node.string()
    return read_value(node, variables)


def _read_arguments(node: Node | None, variables: frozenset[str]) -> Evaluable:
    if node is None:
        return Literal([])
    for item in node.array():
        item.string()
    return read_value(node, variables)


def _read_environment(node: Node | None, variables: frozenset[str]) -> Evaluable:
    if node is None:
        return Literal({})
    node.mapping()
    return read_value(node, variables)
