"""DSL reference, "For"."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any

from biz.dsl.branches import Branch
from biz.dsl.checkpoint import INDEX, ITEMS, RESULT
from biz.dsl.expressions import Expression
from biz.dsl.frame import Outcome
from biz.dsl.json_types import describe
from biz.dsl.model import Evaluable, Task, TaskList
from biz.dsl.values import read_expression, read_value

if TYPE_CHECKING:
    from biz.dsl.frame import Frame
    from biz.dsl.parser import TaskSource

REQUIRED = ("for", "do")
OPTIONAL = ("while",)

_BODY = "an iteration"


@dataclass(frozen=True, slots=True, kw_only=True)
class ForTask(Task):
    """Tasks for each item, on the output of the iteration before.

    Its output is that of the last iteration, or its input where there was none. `each` and `at`
    name the variables that hold the item and its index. `while_` is the condition that
    is evaluated before each iteration.
    """

    each: str
    at: str
    collection: Evaluable
    while_: Expression | None
    do: TaskList

    @classmethod
    def parse(cls, source: TaskSource) -> ForTask:
        """Reads its own properties."""
        loop = source.fields["for"].object(required=("in",), optional=("each", "at"))
        each = source.parser.variable(loop.get("each"), default="item")
        at = source.parser.variable(loop.get("at"), default="index")
        if each == at:
            source.fields["for"].error("invalid-variable", f'"each" and "at" are both "{each}"')
        inside = source.variables | {each, at}
        items = loop["in"]
        if isinstance(items.value, str):
            collection: Evaluable = read_expression(items, source.variables)
        else:
            for item in items.array():
                item.mapping()
            collection = read_value(items, source.variables)
        return cls(
            each=each,
            at=at,
            collection=collection,
            while_=(
                read_expression(source.fields["while"], inside)
                if "while" in source.fields
                else None
            ),
            do=source.parser.task_list(source.fields["do"], inside),
            **source.common,
        )

    async def execute(self, frame: Frame) -> Outcome:
        """Iterates; a collection that is no array is an expression error."""
        notes = frame.world.notes
        items = notes.take(frame.path, ITEMS)
        if items is None:
            items = await frame.evaluate(self.collection)
        if not isinstance(items, list):
            raise frame.fault("expression", f'"for.in" must give an array, not {describe(items)}')
        notes.put(frame.path, ITEMS, items)
        with frame.world.chronicle.loop(frame.path, len(items)):
            return await self._iterate(frame, items)

    async def _iterate(self, frame: Frame, items: list[Any]) -> Outcome:
        notes = frame.world.notes
        data = notes.take(frame.path, RESULT, frame.input)
        first = notes.take(frame.path, INDEX, 0)
        for index, item in islice(enumerate(items), first, None):
            notes.put(frame.path, INDEX, index)
            notes.put(frame.path, RESULT, data)
            local = {**frame.local, self.each: item, self.at: index}
            if self.while_ is not None:
                inside = frame.within(local)
                if not await inside.holds(self.while_, data):
                    break
            frame.reach(_BODY)
            path = f"{frame.path}/for/{index}/do"
            outcome = await frame.walk.run_list(self.do, data, path, local)
            if outcome.ended:
                return outcome
            data = outcome.output
        notes.drop(frame.path, ITEMS, INDEX, RESULT)
        return Outcome(data)

    def lists(self) -> Iterator[TaskList]:
        """Its tasks."""
        yield self.do

    def alternatives(self) -> Iterator[Branch]:
        """Its tasks."""
        yield from super(ForTask, self).alternatives()
        yield self.branch(_BODY)
