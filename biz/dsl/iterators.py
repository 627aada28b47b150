"""What is done for each item that comes (DSL reference, "Subscription Iterator")."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from biz.dsl import arguments
from biz.dsl.frame import Frame, Outcome
from biz.dsl.model import TaskList, Transformation
from biz.dsl.reading.reader import Node

if TYPE_CHECKING:
    from biz.dsl.parser import TaskSource


@dataclass(frozen=True, slots=True, kw_only=True)
class SubscriptionIterator:
    """Tasks for each item, on the input of the task that subscribes.

    `item` and `at` name the variables of the item and its index.
    """

    item: str
    at: str
    do: TaskList | None
    output: Transformation
    export: Transformation

    async def iterate(self, frame: Frame, item: Any, index: int) -> Outcome:
        """What comes of one item: what its tasks give, or else the item itself."""
        outcome = Outcome(item)
        local: Mapping[str, Any] = {**frame.local, self.item: item, self.at: index}
        if self.do is not None:
            path = f"{frame.path}/foreach/{index}/do"
            outcome = await frame.walk.run_list(self.do, frame.input, path, local)
            if outcome.ended:
                return outcome
        output = await frame.walk.produce(frame.within(local), self.output, outcome.output)
        await frame.walk.export(frame.within({**local, "output": output}), self.export, output)
        return Outcome(output)


def read_iterator(node: Node, source: TaskSource) -> SubscriptionIterator:
    """The iterator of a task."""
    fields = node.object(optional=("item", "at", "do", "output", "export"))
    parser = source.parser
    item = parser.variable(fields.get("item"), default="item")
    at = parser.variable(fields.get("at"), default="index")
    if item == at:
        node.error("invalid-variable", f'"item" and "at" are both "{item}"')
    inside = source.variables | {item, at}
    return SubscriptionIterator(
        item=item,
        at=at,
        do=parser.task_list(fields["do"], inside) if "do" in fields else None,
        output=parser.transformation(fields.get("output"), "as", inside),
        export=parser.transformation(fields.get("export"), "as", inside | arguments.TASK_EXPORT),
    )
