"""DSL reference, "Call": calls of functions of the definition's own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from biz.dsl.frame import Outcome
from biz.dsl.model import Evaluable, Task
from biz.dsl.reader import Node
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
    def parse(cls, source: TaskSource) -> FunctionCallTask | None:
        """Reads its own properties."""
        arguments = read_arguments(source)
        reference = source.fields["call"]
        if not source.parser.functions.check(reference):
            return None
        return cls(
            function=reference.string(),
            functions=source.parser.functions.tasks,
            arguments=arguments,
            **source.common,
        )

    async def execute(self, frame: Frame) -> Outcome:
        """Does the function."""
        function = self.functions[self.function]
        data = frame.input if self.arguments is None else await frame.evaluate(self.arguments)
        path = f"{frame.path}{function.pointer}"
        outcome = await frame.walk.run_function(function, data, path)
        ended = outcome.ended or outcome.then == "end"
        return Outcome(outcome.output, ended=ended)


def read_arguments(source: TaskSource) -> Evaluable | None:
    """The value of `with`, if there is one."""
    node: Node | None = source.fields.get("with")
    if node is None:
        return None
    node.mapping()
    return read_value(node, source.variables)
