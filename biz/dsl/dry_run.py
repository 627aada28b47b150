"""A dry run: a workflow in memory, on a virtual clock, with mocks in place of calls."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from functools import lru_cache
from typing import Any

import jq

from biz.dsl.branches import Branch
from biz.dsl.errors import TaskFault, WorkflowError
from biz.dsl.events.event import Event
from biz.dsl.expressions import EvaluationError
from biz.dsl.lifecycle import ABSENT, LifecycleEvent, LifecycleType
from biz.dsl.memory_runtime import Answer, MemoryRuntime, run_in_memory
from biz.dsl.mocks import MadeCall, MissingMock, Mock, Mocks
from biz.dsl.reading.pointers import find
from biz.dsl.reading.source import read
from biz.dsl.sizes import json_size
from biz.dsl.task_paths import pointer_of
from biz.dsl.validator import load_workflow
from biz.dsl.virtual_time import Stalled

MAX_TRACE = 10_000
"""So many lifecycle events a dry run may have."""

MAX_TRACE_BYTES = 2_000_000
"""Later events go without their inputs and outputs once those have so many."""

_RUN_ID = "dry-run"
_CACHED_PROGRAMS = 256


class Ending(StrEnum):
    """How a dry run ended. WAITING is for an event that never comes."""

    COMPLETED = "completed"
    FAULTED = "faulted"
    WAITING = "waiting"
    UNMOCKED = "unmocked"


@dataclass(frozen=True, slots=True, kw_only=True)
class TimedEvent:
    """An event from outside, at a time after the start."""

    after: timedelta
    event: Event


@dataclass(frozen=True, slots=True, kw_only=True)
class Rehearsal:
    """What is to be run. `config` is a definition without errors.

    `mocks` are by the references of tasks, with the numbers of iterations or without; `default`
    answers the calls that have none, if given.
    """

    config: str
    input: Any
    start: datetime
    mocks: Mapping[str, Mock] = field(default_factory=dict)
    events: Sequence[TimedEvent] = ()
    default: Answer | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DryRun:
    """What came of it. `output` is there where it completed, `error` where it faulted or a mock
    is missing. `duration` is that of the virtual clock. `branches` are the ways that it took.
    """

    ending: Ending
    output: Any
    error: WorkflowError | None
    duration: timedelta
    trace: Sequence[LifecycleEvent]
    calls: Sequence[MadeCall]
    emitted: Sequence[Event]
    branches: Sequence[Branch]

    @property
    def current_tasks(self) -> Sequence[str]:
        """The paths of the tasks that haven't ended, without those that others are done in."""
        open_: dict[str, None] = {}
        for event in self.trace:
            if event.type is LifecycleType.TASK_STARTED:
                open_[event.task] = None
            elif event.type in _ENDS:
                open_.pop(event.task, None)
        return [task for task in open_ if not any(other.startswith(f"{task}/") for other in open_)]


class LimitReached(Exception):
    """The run goes too far to be done in memory; the message says how."""


_ENDS = (LifecycleType.TASK_COMPLETED, LifecycleType.TASK_FAULTED, LifecycleType.TASK_CANCELLED)


class _BoundedRuntime(MemoryRuntime):
    """Ends a run that goes on and on."""

    _room = MAX_TRACE_BYTES

    def record(self, event: LifecycleEvent) -> None:
        """Keeps it, up to a number of them; with input and output up to a size of all of them."""
        if len(self.events) >= MAX_TRACE:
            raise LimitReached(f"more than {MAX_TRACE} lifecycle events")
        for value in (event.input, event.output):
            if value is not ABSENT and self._room >= 0:
                self._room -= json_size(value)
        if self._room < 0:
            event = replace(event, input=ABSENT, output=ABSENT)
        super().record(replace(event, context=ABSENT))


def rehearse(rehearsal: Rehearsal) -> DryRun:
    """Does a dry run; raises LimitReached.

    It may take any time and memory: to be called where it can be stopped, and where no event loop
    runs.
    """
    workflow = load_workflow(_fitting(rehearsal))
    mocks = Mocks(rehearsal.mocks, default=rehearsal.default)
    runtime = _BoundedRuntime(
        answer=mocks.answer,
        evaluate=_evaluate,
        start=rehearsal.start,
        id=_RUN_ID,
        events=[(timed.after, timed.event) for timed in rehearsal.events],
    )
    output, error = None, None
    ending = Ending.COMPLETED
    try:
        output = run_in_memory(workflow, rehearsal.input, runtime)
    except TaskFault as fault:
        ending, error = Ending.FAULTED, fault.error
    except Stalled:
        ending = Ending.WAITING
    except MissingMock:
        pass
    except OverflowError:
        raise LimitReached("the virtual clock goes beyond the year 9999") from None
    except RecursionError:
        raise LimitReached("tasks or values stand too deep in each other") from None
    if mocks.missing is not None:  # also where something else came of the run then
        ending, output, error = Ending.UNMOCKED, None, mocks.missing.error
    return DryRun(
        ending=ending,
        output=output,
        error=error,
        duration=runtime.now() - rehearsal.start,
        trace=runtime.events,
        calls=mocks.calls,
        emitted=runtime.emitted,
        branches=list(runtime.reached),
    )


def _fitting(rehearsal: Rehearsal) -> str:
    """The definition, without `output.as` where a mock gives the task's output itself."""
    pointers = {
        pointer_of(path)
        for path, mock in rehearsal.mocks.items()
        if any(answer.is_result for answer in mock.answers)
    }
    if not pointers:
        return rehearsal.config
    definition = read(rehearsal.config).value
    for pointer in pointers:
        task = find(definition, pointer)
        if isinstance(task, dict) and isinstance(task.get("output"), dict):
            task["output"].pop("as", None)
    return json.dumps(definition)


_compile = lru_cache(maxsize=_CACHED_PROGRAMS)(jq.compile)


def _evaluate(program: str, data: str) -> Any:
    try:
        return next(iter(_compile(program).input_text(data)), None)
    except ValueError as error:
        raise EvaluationError(str(error)) from None
