"""DSL reference, "Extension": tasks that are done before and after each task of a kind.

The first extension is around all others. The tasks of an extension see the extended task as
`$task`, and are extended by none. Their output is dropped, and the extended task works on its own
input, unless a task of `before` says `exit`: then its output stands in place of what the extended
task gives.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from biz.dsl import arguments
from biz.dsl.checkpoint import BEFORE, RESULT
from biz.dsl.deferral import withhold
from biz.dsl.expressions import Expression
from biz.dsl.frame import Frame, Outcome
from biz.dsl.model import Task, TaskList
from biz.dsl.reading.reader import Node
from biz.dsl.values import read_expression

if TYPE_CHECKING:
    from biz.dsl.parser import Parser

_KINDS = (
    "call", "composite", "emit", "for", "listen", "raise", "run", "set", "switch", "try", "wait",
    "all",
)  # fmt: skip
_COMPOSITE = ("do", "fork")


@dataclass(frozen=True, slots=True, kw_only=True)
class Extension:
    """An extension; `kind` is that of the tasks it extends, "composite" or "all"."""

    pointer: str
    kind: str
    condition: Expression | None
    before: TaskList | None
    after: TaskList | None

    def lists(self) -> Iterator[TaskList]:
        """Its lists of tasks."""
        yield from (tasks for tasks in (self.before, self.after) if tasks is not None)

    async def applies(self, frame: Frame) -> bool:
        """Whether it extends the task of `frame`."""
        if not self.extends(frame.task):
            return False
        return self.condition is None or await frame.holds(self.condition)

    async def do_before(self, frame: Frame) -> Outcome | None:
        """Does its tasks; gives an outcome where the extended task isn't to be done."""
        if self.before is None:
            return None
        data = withhold(frame.input)
        outcome = await self._do(self.before, "before", frame, data, frame.variables["task"])
        return outcome if outcome.ended or outcome.exited else None

    async def do_after(self, frame: Frame, done: Outcome) -> Outcome:
        """Does its tasks, once the extended task is done; gives what then counts."""
        if self.after is None:
            return done
        task = {**frame.variables["task"], "output": done.output}
        outcome = await self._do(self.after, "after", frame, done.output, task)
        return outcome if outcome.ended else done

    async def _do(
        self, tasks: TaskList, which: str, frame: Frame, data: Any, extended: Any
    ) -> Outcome:
        path = f"{frame.path}{self.pointer}/{which}"
        return await frame.walk.without_extensions().run_list(tasks, data, path, {"task": extended})

    def extends(self, task: Task) -> bool:
        """Whether it is for tasks of this kind."""
        return self.kind in ("all", task.kind) or (
            self.kind == "composite" and task.kind in _COMPOSITE
        )


async def execute_extended(frame: Frame, extensions: Sequence[Extension]) -> Outcome:
    """Does a task's work within those extensions that apply to it; raises TaskFault."""
    if not extensions:
        return await frame.task.execute(frame)
    outermost, *others = extensions
    if not await outermost.applies(frame):
        return await execute_extended(frame, others)
    notes, path = frame.world.notes, f"{frame.path}{outermost.pointer}"
    if notes.take(path, BEFORE) is None:
        instead = await outermost.do_before(frame)
        if instead is not None:
            return Outcome(instead.output, ended=instead.ended)
    notes.put(path, BEFORE, True)
    noted = notes.take(path, RESULT)
    done = await execute_extended(frame, others) if noted is None else Outcome(*noted)
    if done.ended:
        return done
    notes.put(path, RESULT, [done.output, done.then])
    outcome = await outermost.do_after(frame, done)
    notes.drop(path, BEFORE, RESULT)
    return outcome


def read_extension(name: str, node: Node, parser: Parser) -> Extension:
    """An extension of a definition."""
    fields = node.object(required=("extend",), optional=("when", "before", "after"))
    return Extension(
        pointer=node.pointer,
        kind=fields["extend"].choice(*_KINDS),
        condition=read_expression(fields["when"], arguments.TASK) if "when" in fields else None,
        before=parser.task_list(fields["before"], frozenset()) if "before" in fields else None,
        after=parser.task_list(fields["after"], frozenset()) if "after" in fields else None,
    )
