"""Calls of `activity:1.0.0@temporal` and `workflow:1.0.0@temporal`.

The built-in catalog `temporal` adds to the standard what it leaves to a runtime: a catalog that
needs no definition (DSL, "Default Catalog").
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from biz.dsl.calls.temporal_call import (
    LONGEST_NAME,
    RESERVED_QUEUE,
    ActivityCall,
    TemporalCall,
    TemporalRetries,
    WorkflowCall,
    is_coefficient,
    is_count,
    is_name,
)
from biz.dsl.durations import InvalidDuration, parse_duration, read_duration
from biz.dsl.expressions import is_evaluated
from biz.dsl.external.catalogs import CatalogedFunction
from biz.dsl.frame import Outcome
from biz.dsl.model import Duration, Evaluable, Task
from biz.dsl.reading.diagnostics import Diagnostics
from biz.dsl.reading.reader import Node
from biz.dsl.values import Literal, read_expression, read_value

if TYPE_CHECKING:
    from biz.dsl.frame import Frame
    from biz.dsl.parser import TaskSource

CATALOG = "temporal"
"""A definition may have one of this name itself, which then stands for it."""

_ACTIVITY_TIMEOUTS = ("scheduleToClose", "scheduleToStart", "startToClose", "heartbeat")
_WHOLE_TIMEOUTS = ("startToClose", "scheduleToClose")
"""Temporal wants one of these."""

_WORKFLOW_TIMEOUTS = ("execution", "run", "task")
_REQUIRED = ("name", "taskQueue")
_OPTIONAL = ("arguments", "timeouts", "retry")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Retry:
    values: Mapping[str, Evaluable]
    intervals: Mapping[str, Duration]

    async def resolve(self, frame: Frame) -> TemporalRetries:
        values = {name: await frame.evaluate(value) for name, value in self.values.items()}
        intervals = await _durations(self.intervals, frame)
        return TemporalRetries(
            maximum_attempts=values.get("maximumAttempts"),
            backoff_coefficient=values.get("backoffCoefficient"),
            non_retryable_error_types=values.get("nonRetryableErrorTypes"),
            initial_interval=intervals.get("initialInterval"),
            maximum_interval=intervals.get("maximumInterval"),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class TemporalCallTask(Task):
    """Calls what a worker of a team's own does; its output is the result, a JSON value."""

    function_name: Evaluable
    task_queue: Evaluable
    arguments: Evaluable
    timeouts: Mapping[str, Duration]
    retry: _Retry | None

    async def execute(self, frame: Frame) -> Outcome:
        """Makes the call."""
        call = await self._call(
            frame,
            idempotency_key=frame.world.next_call_key(frame.path),
            name=await frame.evaluate(self.function_name),
            task_queue=await frame.evaluate(self.task_queue),
            arguments=await frame.evaluate(self.arguments),
            timeouts=await _durations(self.timeouts, frame),
            retries=await self.retry.resolve(frame) if self.retry else None,
        )
        return Outcome(await frame.world.call(call, frame.path))

    @abstractmethod
    async def _call(self, frame: Frame, **values: Any) -> TemporalCall:
        """The call with these values, and those of its own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ActivityCallTask(TemporalCallTask):
    """Calls an activity."""

    @classmethod
    def parse(cls, source: TaskSource) -> ActivityCallTask:
        """Reads its own properties."""
        fields = _arguments(source)
        common = _read_common(fields, _ACTIVITY_TIMEOUTS, source)
        if "with" in source.fields and not set(_WHOLE_TIMEOUTS) & set(common["timeouts"]):
            message = f'"timeouts" with {" or ".join(_WHOLE_TIMEOUTS)} is missing'
            source.fields["with"].error("missing-property", message)
        return cls(**common, **source.common)

    async def _call(self, frame: Frame, **values: Any) -> ActivityCall:
        return ActivityCall(**values)


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkflowCallTask(TemporalCallTask):
    """Calls a workflow, as a child of this run."""

    id: Evaluable | None

    @classmethod
    def parse(cls, source: TaskSource) -> WorkflowCallTask:
        """Reads its own properties."""
        fields = _arguments(source, "id")
        common = _read_common(fields, _WORKFLOW_TIMEOUTS, source)
        id = _read_name(fields["id"], source.variables) if "id" in fields else None
        return cls(id=id, **common, **source.common)

    async def _call(self, frame: Frame, **values: Any) -> WorkflowCall:
        id = await frame.evaluate(self.id) if self.id is not None else None
        return WorkflowCall(id=id, **values)


def parse(source: TaskSource, reference: CatalogedFunction) -> Task | None:
    """The call of a function of the catalog, None where it has no such function."""
    match reference.name, reference.version:
        case "activity", "1.0.0":
            return ActivityCallTask.parse(source)
        case "workflow", "1.0.0":
            return WorkflowCallTask.parse(source)
    message = f'the catalog "{CATALOG}" has activity:1.0.0 and workflow:1.0.0'
    source.fields["call"].error("unknown-reference", message)
    return None


def _arguments(source: TaskSource, *optional: str) -> Mapping[str, Node]:
    if "with" not in source.fields:
        source.parser.missing(source.common["pointer"], "with")
        return Node(None, "", Diagnostics()).object(required=_REQUIRED)
    return source.fields["with"].object(required=_REQUIRED, optional=(*_OPTIONAL, *optional))


def _read_common(
    fields: Mapping[str, Node], timeouts: tuple[str, ...], source: TaskSource
) -> dict[str, Any]:
    variables = source.variables
    return {
        "function_name": _read_name(fields["name"], variables),
        "task_queue": _read_queue(fields["taskQueue"], variables),
        "arguments": (
            _read_arguments(fields["arguments"], variables)
            if "arguments" in fields
            else Literal([])
        ),
        "timeouts": (
            _read_durations(fields["timeouts"].object(optional=timeouts), variables)
            if "timeouts" in fields
            else {}
        ),
        "retry": _read_retry(fields["retry"], variables) if "retry" in fields else None,
    }


def _read_name(node: Node, variables: frozenset[str]) -> Evaluable:
    text = node.string()
    if is_evaluated(text):
        return read_expression(node, variables)
    if node.is_string and not is_name(text):
        node.error("invalid-value", f"must have 1 to {LONGEST_NAME} bytes")
    return Literal(text)


def _read_queue(node: Node, variables: frozenset[str]) -> Evaluable:
    if node.is_string and node.value.startswith(RESERVED_QUEUE):
        node.error("invalid-value", f'must not begin with "{RESERVED_QUEUE}"')
    return _read_name(node, variables)


def _read_arguments(node: Node, variables: frozenset[str]) -> Evaluable:
    """An array, or an expression that gives one."""
    if isinstance(node.value, str) and is_evaluated(node.value):
        return read_expression(node, variables)
    node.array()
    return read_value(node, variables)


def _read_durations(
    fields: Mapping[str, Node], variables: frozenset[str]
) -> Mapping[str, Duration]:
    """Durations by name; Temporal takes none of no length."""
    for node in fields.values():
        if _is_nothing(node.value):
            node.error("invalid-duration", "a duration must be longer than nothing here")
    return {name: read_duration(node, variables) for name, node in fields.items()}


def _is_nothing(duration: Any) -> bool:
    try:
        return not parse_duration(duration)
    except InvalidDuration:
        return False


async def _durations(durations: Mapping[str, Duration], frame: Frame) -> Mapping[str, timedelta]:
    found = {name: await frame.duration(duration) for name, duration in durations.items()}
    for name, duration in found.items():
        if not duration:
            raise frame.fault("expression", f"{name} must be longer than nothing")
    return found


def _read_retry(node: Node, variables: frozenset[str]) -> _Retry:
    fields = node.object(
        optional=(
            "maximumAttempts",
            "backoffCoefficient",
            "nonRetryableErrorTypes",
            "initialInterval",
            "maximumInterval",
        )
    )
    checks: Mapping[str, tuple[Callable[[Any], bool], str]] = {
        "maximumAttempts": (is_count, "must be a whole number from 1 on"),
        "backoffCoefficient": (is_coefficient, "must be a number from 1 on"),
    }
    for name, (is_valid, message) in checks.items():
        if name in fields and not _is_expression(fields[name]) and not is_valid(fields[name].value):
            fields[name].error("invalid-value", message)
    if "nonRetryableErrorTypes" in fields and not _is_expression(fields["nonRetryableErrorTypes"]):
        for item in fields["nonRetryableErrorTypes"].array():
            item.string()
    intervals = ("initialInterval", "maximumInterval")
    return _Retry(
        values={
            name: read_value(field, variables)
            for name, field in fields.items()
            if name not in intervals
        },
        intervals=_read_durations(
            {name: fields[name] for name in intervals if name in fields}, variables
        ),
    )


def _is_expression(node: Node) -> bool:
    return isinstance(node.value, str) and is_evaluated(node.value)
