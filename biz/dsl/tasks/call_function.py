"""DSL reference, "Call": calls of functions of the definition's own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from biz.dsl.frame import Outcome
from biz.dsl.model import Evaluable, Task
from biz.dsl.reading.reader import Node
from biz.dsl.values import read_value

if TYPE_CHECKING:
    from biz.dsl.frame import Frame
    from biz.dsl.parser import TaskSource


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionCallTask(Task):
    """Does the task of a function on `with`, or on its own input where there is none.

    Its output is the function's.
    """

    function: str
    functions: Mapping[str, Task] = field(repr=False, compare=False)
    arguments: Evaluable | None

    @classmethod
    def parse(cls, source: TaskSource) -> FunctionCallTask:
        """Reads its own properties; `call` names a function that is there."""
        return cls(
            function=source.fields["call"].string(),
            functions=source.parser.functions.tasks,
            arguments=read_arguments(source),
            **source.common,
        )

    async def execute(self, frame: Frame) -> Outcome:
        """Does the function."""
        function = self.functions[self.function]
        return await call_function(
            function, self.arguments, f"{frame.path}{function.pointer}", frame
        )


async def call_function(
    function: Task, arguments: Evaluable | None, path: str, frame: Frame
) -> Outcome:
    """Does a function for the task of `frame`; `path` is that of the function's task."""
    data = await evaluate_arguments(arguments, frame)
    outcome = await frame.walk.run_function(function, data, path)
    return Outcome(outcome.output, ended=outcome.ended or outcome.then == "end")


async def evaluate_arguments(arguments: Evaluable | None, frame: Frame) -> Any:
    """What a function works on: the value of `with`, or the task's input where there is none."""
    return frame.input if arguments is None else await frame.evaluate(arguments)


def read_arguments(source: TaskSource) -> Evaluable | None:
    """The value of `with`, if there is one."""
    node: Node | None = source.fields.get("with")
    if node is None:
        return None
    node.mapping()
    return read_value(node, source.variables)
