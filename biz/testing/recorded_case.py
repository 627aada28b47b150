"""Makes a test of a run that is over: its history as the mocks, its end as what is expected."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from biz.dsl.dry_run import DryRun
from biz.dsl.errors import WorkflowError
from biz.dsl.events.event import EventRead, read_event
from biz.dsl.events.filters import EventFilter
from biz.dsl.events.matchers import Equal, Judged, Text
from biz.dsl.expressions import EvaluationError
from biz.dsl.json_types import is_equal
from biz.dsl.lifecycle import ABSENT, LifecycleEvent, LifecycleType
from biz.dsl.model import Task, Workflow
from biz.dsl.task_paths import pointer_of
from biz.dsl.tasks.call_asyncapi import SubscribeTask
from biz.dsl.tasks.call_external import ExternalFunctionCallTask
from biz.dsl.tasks.call_function import FunctionCallTask
from biz.dsl.tasks.emit import EmitTask
from biz.dsl.tasks.listen import ListenTask

_MUCH_LATER = timedelta(days=1)
"""How much longer a call takes that was cancelled: whatever cancelled it comes first again."""

_WHERE_TIME_COUNTS = ('"fork"', '"listen"', '"timeout"', '"limit"')
_ENDS = {
    LifecycleType.TASK_COMPLETED,
    LifecycleType.TASK_FAULTED,
    LifecycleType.TASK_CANCELLED,
}


class NotRecorded(Exception):
    """The history isn't that of a run which completed or faulted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedCase:
    """A case, as a test file has it. `notes` say what of the run the history doesn't tell."""

    case: Mapping[str, Any]
    notes: Sequence[str]


def record_case(
    workflow: Workflow, history: Sequence[LifecycleEvent], *, name: str
) -> RecordedCase:
    """The case of a run, all of whose lifecycle events are `history`. Raises NotRecorded."""
    return _Recording(workflow, history).case(name)


def call_counts(run: DryRun) -> Mapping[str, int]:
    """How many calls each task made, as a test file expects them."""
    counts: dict[str, int] = {}
    for call in run.calls:
        pointer = pointer_of(call.task)
        counts[pointer] = counts.get(pointer, 0) + 1
    return counts


def _error_json(error: WorkflowError) -> dict[str, Any]:
    """An error, as a test file has it."""
    return {key: value for key, value in error.to_json().items() if key != "instance"}


@dataclass(slots=True)
class _Recording:
    """One run that is made a case."""

    workflow: Workflow
    history: Sequence[LifecycleEvent]
    notes: list[str] = field(default_factory=list)

    def case(self, name: str) -> RecordedCase:
        if not self.history or self.history[0].type is not LifecycleType.WORKFLOW_STARTED:
            raise NotRecorded("its history doesn't begin with its start")
        start, end = self.history[0], self.history[-1]
        case = {
            "name": name,
            "input": None if start.input is ABSENT else start.input,
            "startTime": start.time.isoformat().replace("+00:00", "Z"),
            "mocks": self._mocks(),
            "events": self._events(start.time),
            "expect": _expectation(end),
        }
        return RecordedCase(
            case={key: value for key, value in case.items() if value not in ({}, [])},
            notes=self.notes,
        )

    def _mocks(self) -> Mapping[str, Any]:
        tasks = _tasks_by_pointer(self.workflow)
        shows_time = any(
            word in json.dumps(self.workflow.definition) for word in _WHERE_TIME_COUNTS
        )
        mocks: dict[str, list[Any]] = {}
        for path, ended in _ended_tasks(self.history):
            task = tasks.get(pointer_of(path))
            if isinstance(task, ExternalFunctionCallTask):
                note = f"the document of the function that {path} calls: give it as its mock"
                self._note(note)
            if task is None or not _is_call(task):
                continue
            answer = self._answer(task, ended)
            if shows_time and (delay := _delay(ended)):
                answer["delay"] = _duration_text(delay)
            mocks.setdefault(path, []).append(answer)
        return {
            path: answers[0] if len(answers) == 1 else answers for path, answers in mocks.items()
        }

    def _answer(self, task: Task, ended: LifecycleEvent) -> dict[str, Any]:
        if ended.error is not None:
            return {"error": _error_json(ended.error)}
        output = None if ended.output is ABSENT else ended.output
        if isinstance(task, SubscribeTask) and (task.foreach or task.output.value):
            self._note(f"the messages that {task.pointer} received: give them as its mock")
        elif task.output.value is not None:
            return {"result": output}
        return {"output": output}

    def _events(self, start: datetime) -> Sequence[Any]:
        """The events that came from outside, at the times at which they were consumed at last."""
        tasks = _tasks_by_pointer(self.workflow)
        inputs = _inputs(self.history)
        done = [
            (tasks.get(pointer_of(path)), path, ended)
            for path, ended in _ended_tasks(self.history)
            if ended.type is LifecycleType.TASK_COMPLETED
        ]
        emitted = [
            ended.output
            for task, _, ended in done
            if isinstance(task, EmitTask) and task.output.value is None
        ]
        found = [
            (ended.time, event)
            for task, path, ended in done
            if isinstance(task, ListenTask)
            for event in self._consumed(task, ended, inputs.get(path), emitted)
        ]
        found.sort(key=lambda item: item[0])
        return [
            {"at": _duration_text(max(time - start, timedelta())), "event": event}
            for time, event in found
        ]

    def _consumed(
        self, task: ListenTask, ended: LifecycleEvent, input: Any, emitted: list[Any]
    ) -> Iterator[Any]:
        """The events from outside that a listen has consumed."""
        items = ended.output if isinstance(ended.output, list) else [ended.output]
        is_known = task.foreach is None and task.output.value is None
        if not is_known:
            self._note(f"the data of the events that {task.pointer} consumed: give it there")
        for number, item in enumerate(items):
            if is_known and self._is_own(task, item, emitted):
                continue
            if is_known and task.read is EventRead.ENVELOPE:
                yield item
                continue
            filters = task.to.filters
            wanted = filters[min(number, len(filters) - 1)] if filters else None
            event = self._attributes(task, wanted, input)
            if is_known:
                event["data_base64" if task.read is EventRead.RAW else "data"] = item
            yield event

    def _is_own(self, task: ListenTask, item: Any, emitted: list[Any]) -> bool:
        """Whether an item is an event of the run's own, which is taken out of `emitted`."""
        for place, event in enumerate(emitted):
            if isinstance(event, dict) and is_equal(read_event(event, task.read), item):
                del emitted[place]
                return True
        return False

    def _attributes(
        self, task: ListenTask, wanted: EventFilter | None, input: Any
    ) -> dict[str, Any]:
        """Attributes that a filter lets through; those that only the run knew are noted."""
        event: dict[str, Any] = {"type": "event"}
        for name, matcher in (wanted.attributes if wanted else {}).items():
            if name in ("data", "data_base64"):
                continue
            if isinstance(matcher, Equal | Text):
                event[name] = matcher.expected
            elif isinstance(matcher, Judged):
                event[name] = self._judged(task, name, matcher, input)
        return event

    def _judged(self, task: ListenTask, name: str, matcher: Judged, input: Any) -> Any:
        variables = _Known({"workflow": self._workflow_argument(), "input": input})
        try:
            value = asyncio.run(matcher.expression.evaluate(None, variables))
        except (EvaluationError, KeyError):
            value = None
        if not isinstance(value, str):
            self._note(f'the attribute "{name}" of the events that {task.pointer} consumed')
            return ""
        return value

    def _workflow_argument(self) -> Mapping[str, Any]:
        return {"definition": self.workflow.definition, "input": self.history[0].input}

    def _note(self, note: str) -> None:
        if note not in self.notes:
            self.notes.append(note)


class _Known:
    """The arguments of expressions that a history tells."""

    def __init__(self, values: Mapping[str, Any]) -> None:
        self._values = values

    def __getitem__(self, name: str) -> Any:
        return self._values[name]

    async def charge(self, size: int) -> None:
        """Nothing else waits."""

    async def evaluate(self, program: str, data: str) -> Any:
        """What may not end isn't tried."""
        raise EvaluationError("it may not end")


def _expectation(end: LifecycleEvent) -> Mapping[str, Any]:
    if end.type is LifecycleType.WORKFLOW_COMPLETED:
        return {"output": None if end.output is ABSENT else end.output}
    if end.type is LifecycleType.WORKFLOW_FAULTED and end.error is not None:
        return {"error": end.error.to_json()}
    raise NotRecorded("it neither completed nor faulted")


def _is_call(task: Task) -> bool:
    return task.kind in ("call", "run") and not isinstance(
        task, FunctionCallTask | ExternalFunctionCallTask
    )


def _ended_tasks(history: Sequence[LifecycleEvent]) -> Iterator[tuple[str, LifecycleEvent]]:
    """The ends of tasks with their paths, in the order of their starts."""
    waiting: dict[str, list[LifecycleEvent]] = {}
    for event in reversed(history):
        if event.type in _ENDS:
            waiting.setdefault(event.task, []).append(event)
    for event in history:
        if event.type is LifecycleType.TASK_STARTED and waiting.get(event.task):
            yield event.task, waiting[event.task].pop()


def _inputs(history: Sequence[LifecycleEvent]) -> Mapping[str, Any]:
    return {
        event.task: event.input
        for event in history
        if event.type is LifecycleType.TASK_STARTED and event.input is not ABSENT
    }


def _delay(ended: LifecycleEvent) -> timedelta:
    took = ended.time - (ended.started_at or ended.time)
    return took + _MUCH_LATER if ended.type is LifecycleType.TASK_CANCELLED else took


def _duration_text(duration: timedelta) -> str:
    seconds = f"{duration.total_seconds():.6f}".rstrip("0").rstrip(".")
    return f"PT{seconds}S"


def _tasks_by_pointer(workflow: Workflow) -> Mapping[str, Task]:
    return {task.pointer: task for task in workflow.tasks()}
