"""Mocks: what stands in for calls in a run in memory, by the tasks that make them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass, replace
from datetime import timedelta
from enum import Enum
from typing import Any

import isodate

from biz.dsl.calls.asyncapi_call import AsyncApiReception
from biz.dsl.calls.call import Call
from biz.dsl.calls.call_keys import task_of
from biz.dsl.errors import WorkflowError
from biz.dsl.external.external_schemas import ExternalSchema
from biz.dsl.memory_runtime import Answer
from biz.dsl.model import Workflow
from biz.dsl.task_paths import TaskPath, pointer_of, read_task_path, suffixes

_NOT_SENT = ("idempotency_key", "authentication", "deferral")
_FROM_ELSEWHERE = "/call"
_SHOWN_TASKS = 20


@dataclass(frozen=True, slots=True)
class Mock:
    """What successive calls answer; the last answer is for all that follow."""

    answers: Sequence[Answer]


@dataclass(frozen=True, slots=True, kw_only=True)
class MadeCall:
    """A call that a run made. `task` is the path of its task, `sent` what it was made with.

    `sent` is a JSON object, in which null stands for what reads secrets.
    """

    task: str
    kind: str
    sent: Mapping[str, Any]


class UnknownTask(Exception):
    """A text that is to name a task names none, or several."""


class MissingMock(Exception):
    """A call that nothing answers. No task of the run can catch it."""

    def __init__(self, call: MadeCall) -> None:
        super().__init__(call.task)
        pointer = pointer_of(call.task)
        detail = (
            f"no mock answers the call of {call.task} ({call.kind}); "
            f'give one under "{pointer}" in the mocks'
        )
        self.error = WorkflowError.standard("configuration", detail, instance=pointer)


class Mocks:
    """Answers the calls of one run; `calls` are those that were made, in order."""

    def __init__(self, mocks: Mapping[str, Mock], *, default: Answer | None = None) -> None:
        """`mocks` are by the references of tasks, with the numbers of iterations or without.

        `default` answers what has no mock, if given.
        """
        self._default = default
        # The more specific first, of equals the one whose iterations are further out.
        self._mocks = sorted(
            ((read_task_path(path), mock) for path, mock in mocks.items()),
            key=lambda item: (-len(item[0].iterations), sorted(item[0].iterations)),
        )
        self._counts = [0] * len(self._mocks)
        self.calls: list[MadeCall] = []
        self.missing: MissingMock | None = None

    def answer(self, call: Call) -> Answer:
        """What a call gives; raises MissingMock."""
        path = task_of(call.idempotency_key)
        if isinstance(call, AsyncApiReception) and call.is_close:
            return Answer(None)
        place = self._find(path)
        made = MadeCall(task=path, kind=call.KIND, sent=describe_call(call))
        self.calls.append(made)
        if place is None and self._default is not None:
            return self._default
        if place is None:
            self.missing = self.missing or MissingMock(made)
            raise self.missing
        answers = self._mocks[place][1].answers
        answer = answers[min(self._counts[place], len(answers) - 1)]
        self._counts[place] += 1
        if isinstance(call, AsyncApiReception) and answer.error is None:
            is_last = self._counts[place] >= len(answers)
            return replace(answer, output=_batch(answer.output, is_last=is_last))
        return answer

    def _find(self, path: str) -> int | None:
        """The place of the mock for a task; one for a function counts wherever it is called."""
        for suffix in suffixes(path):
            wanted = read_task_path(suffix)
            for place, (known, _) in enumerate(self._mocks):
                if wanted.is_within(known):
                    return place
        return None


def _batch(messages: Any, *, is_last: bool) -> Any:
    """What a reception gives: a subscription's mock is the array of its messages."""
    messages = messages if isinstance(messages, list) else [messages]
    return {"position": "", "messages": messages, "ended": is_last}


def describe_call(call: Call) -> Mapping[str, Any]:
    """What a call is made with, as a JSON object, without credentials."""
    return {
        field.name: _json(getattr(call, field.name))
        for field in fields(call)
        if field.name not in _NOT_SENT
    }


def all_pointers(workflow: Workflow) -> Sequence[str]:
    """The references of all tasks, and of the workflow's own schemas that are fetched."""
    pointers = [task.pointer for task in workflow.tasks()]
    for name, data in (("/input", workflow.input), ("/output", workflow.output)):
        if isinstance(data.schema, ExternalSchema):
            pointers.append(name)
    return pointers


def find_task(text: str, pointers: Iterable[str]) -> str:
    """The reference that a text means: itself, or that of the only task with this name.

    Raises UnknownTask.
    """
    pointers = list(pointers)
    if not text.startswith("/"):
        return _find_by_name(text, pointers)
    found = read_task_path(list(suffixes(text))[-1])
    if found.pointer in pointers or _is_elsewhere(found, pointers):
        return text
    shown = ", ".join(pointers[:_SHOWN_TASKS])
    raise UnknownTask(f"{text} is no task of the workflow; its tasks are {shown}")


def _find_by_name(name: str, pointers: Sequence[str]) -> str:
    escaped = name.replace("~", "~0").replace("/", "~1")
    found = [pointer for pointer in pointers if pointer.rpartition("/")[2] == escaped]
    if len(found) == 1:
        return found[0]
    if found:
        raise UnknownTask(f'several tasks are called "{name}": write one of {", ".join(found)}')
    names = ", ".join(pointer.rpartition("/")[2] for pointer in pointers[:_SHOWN_TASKS])
    raise UnknownTask(f'no task is called "{name}"; known are {names}')


def _is_elsewhere(path: TaskPath, pointers: Sequence[str]) -> bool:
    """Whether it is in a function that a task of these fetches; which it has, only a run tells."""
    return any(f"{path.pointer}/".startswith(f"{task}{_FROM_ELSEWHERE}/") for task in pointers)


def _json(value: Any) -> Any:
    if isinstance(value, timedelta):
        return isodate.duration_isoformat(value)
    if isinstance(value, Enum):
        return value.value
    if is_dataclass(value) and not isinstance(value, type):
        return {
            field.name: _json(getattr(value, field.name))
            for field in fields(value)
            if field.name not in _NOT_SENT
        }
    if isinstance(value, Mapping):
        return {key: _json(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_json(item) for item in value]
    return value
