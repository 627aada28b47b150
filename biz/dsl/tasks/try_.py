"""DSL reference, "Try"."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from biz.dsl.branches import Branch
from biz.dsl.checkpoint import ERROR
from biz.dsl.durations import shown_duration
from biz.dsl.errors import TaskFault, WorkflowError, is_same_type
from biz.dsl.expressions import Expression
from biz.dsl.frame import Outcome
from biz.dsl.model import Task, TaskList
from biz.dsl.reading.reader import Node
from biz.dsl.retries import RetryPolicy, read_retry_policy
from biz.dsl.values import read_expression
from biz.dsl.world import OutOfTime

if TYPE_CHECKING:
    from datetime import datetime, timedelta

    from biz.dsl.frame import Frame
    from biz.dsl.parser import TaskSource

REQUIRED = ("try", "catch")
OPTIONAL = ()

_CAUGHT = "an error is caught"
_GIVEN_UP = "an error is handled in place of another try"

_FILTERS = ("type", "status", "instance", "title", "detail")


@dataclass(frozen=True, slots=True, kw_only=True)
class Catch:
    """DSL reference, "Catch"; `variable` is what the error is called in its expressions."""

    errors: Mapping[str, Any]
    variable: str
    when: Expression | None
    except_when: Expression | None
    retry: RetryPolicy | None
    do: TaskList | None
    then: str | None

    async def catches(self, error: WorkflowError, frame: Frame) -> bool:
        """Whether an error is caught; `frame` has it in scope."""
        values = error.to_json()
        for name, expected in self.errors.items():
            if name == "type" and is_same_type(str(values["type"]), str(expected)):
                continue
            if values.get(name) != expected:
                return False
        if self.when is not None and not await frame.holds(self.when):
            return False
        return self.except_when is None or not await frame.holds(self.except_when)


@dataclass(frozen=True, slots=True, kw_only=True)
class TryTask(Task):
    """Tasks whose errors are caught: tried again, handled, or both.

    Its output is that of the tasks, or of those that handle the error; without either, its input.
    """

    try_: TaskList
    catch: Catch

    @classmethod
    def parse(cls, source: TaskSource) -> TryTask:
        """Reads its own properties."""
        return cls(
            try_=source.parser.task_list(source.fields["try"], source.variables),
            catch=_read_catch(source.fields["catch"], source),
            **source.common,
        )

    async def execute(self, frame: Frame) -> Outcome:
        """Tries, and tries again while the policy has it."""
        started_at = frame.world.active_now()
        limit = self.catch.retry.attempt if self.catch.retry else None
        inside = self._with_error(frame, None)
        retries = 0
        handled = frame.world.notes.take(frame.path, ERROR)
        if handled is not None:
            return await self._handle(frame, WorkflowError.from_json(handled))
        while True:
            longest = await inside.duration(limit) if limit else None
            try:
                with frame.world.chronicle.attempt(frame.path, retries + 1):
                    return await self._attempt(frame, longest)
            except TaskFault as found:
                fault = found
            inside = self._with_error(frame, fault.error)
            if not await self.catch.catches(fault.error, inside):
                raise fault
            frame.reach(_CAUGHT)
            retries += 1
            is_over = not await self._is_tried_again(inside, retries, started_at)
            if is_over and self.catch.retry is not None and self.catch.do is None:
                raise fault
            frame.world.notes.forget(f"{frame.path}/try")
            if is_over:
                return await self._handle(frame, fault.error)

    def _with_error(self, frame: Frame, error: WorkflowError | None) -> Frame:
        """The frame with the last error in scope, null before the first one."""
        value = None if error is None else error.to_json()
        return frame.within({**frame.local, self.catch.variable: value})

    async def _attempt(self, frame: Frame, longest: timedelta | None) -> Outcome:
        work = frame.walk.run_list(self.try_, frame.input, f"{frame.path}/try", frame.local)
        if longest is None:
            return await work
        try:
            return await frame.world.limit(longest, work)
        except OutOfTime:
            detail = f"the attempt took longer than {shown_duration(longest)}"
            raise frame.fault("timeout", detail) from None

    async def _is_tried_again(self, frame: Frame, retry: int, started_at: datetime) -> bool:
        """Waits for a retry; False where there is no policy, or it leaves none."""
        policy = self.catch.retry
        if policy is None or not await policy.applies(frame):
            return False
        if policy.count is not None and retry > policy.count:
            return False
        pause = await policy.pause(frame, retry)
        if policy.total is not None:
            end = started_at + await frame.duration(policy.total)
            if frame.world.active_now() + pause >= end:
                return False
        if pause:
            await frame.world.sleep(pause, frame.path)
        return True

    async def _handle(self, frame: Frame, error: WorkflowError) -> Outcome:
        if self.catch.retry is not None:
            frame.reach(_GIVEN_UP)
        if self.catch.do is None:
            return Outcome(frame.input, then=self.catch.then)
        inside = self._with_error(frame, error)
        frame.world.notes.put(frame.path, ERROR, error.to_json())
        outcome = await frame.walk.run_list(
            self.catch.do, frame.input, f"{frame.path}/catch/do", inside.local
        )
        if outcome.ended:
            return outcome
        frame.world.notes.drop(frame.path, ERROR)
        return Outcome(outcome.output, then=self.catch.then)

    def lists(self) -> Iterator[TaskList]:
        """Its tasks, and those that handle its errors."""
        yield self.try_
        if self.catch.do is not None:
            yield self.catch.do

    def alternatives(self) -> Iterator[Branch]:
        """That an error is caught, and that it is handled after retries."""
        yield from super(TryTask, self).alternatives()
        yield self.branch(_CAUGHT)
        if self.catch.retry is not None and self.catch.do is not None:
            yield self.branch(_GIVEN_UP)

    def ways_on(self) -> Iterator[str]:
        """Its own, and that of its catch."""
        yield self.then
        if self.catch.then is not None:
            yield self.catch.then

    def directives(self) -> Iterator[tuple[str, str]]:
        """Its own, and that of its catch."""
        yield from super(TryTask, self).directives()
        if self.catch.then is not None:
            yield self.catch.then, f"{self.pointer}/catch/then"


def _read_catch(node: Node, source: TaskSource) -> Catch:
    fields = node.object(optional=("errors", "as", "when", "exceptWhen", "retry", "do", "then"))
    variable = source.parser.variable(fields.get("as"), default="error")
    inside = source.variables | {variable}
    return Catch(
        errors=_read_filter(fields["errors"]) if "errors" in fields else {},
        variable=variable,
        when=read_expression(fields["when"], inside) if "when" in fields else None,
        except_when=(
            read_expression(fields["exceptWhen"], inside) if "exceptWhen" in fields else None
        ),
        retry=_read_retry(fields["retry"], source, inside) if "retry" in fields else None,
        do=source.parser.task_list(fields["do"], inside) if "do" in fields else None,
        then=fields["then"].directive() if "then" in fields else None,
    )


def _read_retry(node: Node, source: TaskSource, variables: frozenset[str]) -> RetryPolicy | None:
    if isinstance(node.value, str):
        return source.parser.use.retries.get(node, variables)
    return read_retry_policy(node, variables)


def _read_filter(node: Node) -> Mapping[str, Any]:
    fields = node.object(optional=("with",), is_open=True)
    if "with" not in fields:
        return {}
    filters = fields["with"].mapping()
    if fields["with"].value == {}:
        fields["with"].error("empty", "must name at least one property of an error")
    for name, value in filters.items():
        if name == "status":
            value.integer()
        elif name in _FILTERS:
            value.string()
        else:
            known = ", ".join(_FILTERS)
            value.warning("unmatched-filter", f'no error has "{name}"; known are {known}')
    return {name: value.value for name, value in filters.items()}
