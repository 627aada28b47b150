"""DSL reference, "Set"."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from biz.dsl.frame import Outcome
from biz.dsl.model import Evaluable, Task
from biz.dsl.values import read_transformation_value

if TYPE_CHECKING:
    from biz.dsl.frame import Frame
    from biz.dsl.parser import TaskSource

REQUIRED = ("set",)
OPTIONAL = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SetTask(Task):
    """Sets the data: its output is what it sets."""

    value: Evaluable

    @classmethod
    def parse(cls, source: TaskSource) -> SetTask:
        """Reads its own properties."""
        node = source.fields["set"]
        if node.value == {}:
            node.error("empty", "must set at least one property")
        return cls(value=read_transformation_value(node, source.variables), **source.common)

    async def execute(self, frame: Frame) -> Outcome:
        """Evaluates what it sets."""
        return Outcome(await frame.evaluate(self.value))
