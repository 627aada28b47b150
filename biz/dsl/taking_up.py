"""Checkpoints made anew: at any task of a run, with other data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Protocol

from biz.dsl.checkpoint import (
    AT,
    BEFORE,
    CONTEXT,
    DATA,
    ERROR,
    EVENT,
    INDEX,
    INPUT,
    OUTPUT,
    OUTPUTS,
    RESULT,
    CannotTakeUp,
    Checkpoint,
)
from biz.dsl.model import Workflow
from biz.dsl.reading.pointers import unescape
from biz.dsl.task_paths import Step, UnknownPath, leading, names, steps


class Past(Protocol):
    """What a run's history says of its tasks, by path; None where nothing is known.

    Values are of the last time that a task was done.
    """

    async def started(self, path: str) -> tuple[Any, Any] | None:
        """What went into a task, and `$context` at that time."""
        ...

    async def completed(self, path: str) -> tuple[Any] | None:
        """What came out of a task."""
        ...

    async def caught(self, path: str) -> Mapping[str, Any] | None:
        """The error that the `try` task at `path` caught."""
        ...


async def checkpoint_at(
    path: str, past: Past, last: Checkpoint | None, workflow: Workflow
) -> Checkpoint:
    """Where a run stood when the task at `path` last started.

    Branches beside it that are done keep what they gave, others go on where they were by `last`,
    where the run stood at its end. Raises CannotTakeUp.
    """
    try:
        way = steps(path)
    except UnknownPath:
        raise CannotTakeUp(
            f"{path} isn't the path of a task that can be taken up, as its history prints it"
        ) from None
    around = _Around(past, last, workflow)
    notes: dict[str, Any] = {}
    for step in way:
        found = await past.started(step.path)
        if found is None:
            raise CannotTakeUp(f"the history of the run doesn't know what went into {step.path}")
        data, context = found
        notes |= {step.path + DATA: data, step.path + CONTEXT: context}
        notes |= await around.notes(step, data)
    return Checkpoint(consumed=last.consumed if last else (), faulted=path, notes=notes)


class _Around:
    """What a run would have noted around the tasks that lead to another one."""

    def __init__(self, past: Past, last: Checkpoint | None, workflow: Workflow) -> None:
        self._past = past
        self._last = last
        self._workflow = workflow
        self._tasks = {names(task.pointer): task for task in workflow.tasks()}

    async def notes(self, step: Step, data: Any) -> Mapping[str, Any]:
        """Those of the list of a step, and of the task that it belongs to."""
        notes = dict(self._extensions(step))
        match step.kind:
            case "fork":
                return {**notes, **await self._branches(step)}
            case "function" | "call":
                return notes
            case "after":
                raise CannotTakeUp(
                    f"take up at {step.around}: what it gave before that isn't in the history"
                )
            case "for":
                notes |= {step.around + INDEX: step.iteration, step.around + RESULT: data}
            case "foreach":
                notes |= self._event(step)
            case "catch":
                notes[step.around + ERROR] = await self._error(step)
        return notes | {step.list_path + AT: unescape(step.name)}

    def _extensions(self, step: Step) -> Mapping[str, Any]:
        """What extensions do before the task around a step is done, but for the one it is in."""
        task = self._tasks.get(names(step.around))
        if task is None:
            return {}
        within = step.list_path.removeprefix(step.around).rpartition("/")[0]
        notes = {}
        for extension in self._workflow.extensions:
            if step.kind == "before" and extension.pointer == within:
                break
            if extension.extends(task):
                notes[step.around + extension.pointer + BEFORE] = True
        return notes

    async def _error(self, step: Step) -> Mapping[str, Any]:
        error = await self._past.caught(step.around)
        if error is None:
            raise CannotTakeUp(f"the history of the run doesn't know what {step.around} caught")
        return error

    async def _branches(self, step: Step) -> Mapping[str, Any]:
        notes: dict[str, Any] = {}
        for branch in self._siblings(step):
            output = await self._past.completed(branch)
            if output is not None:
                notes[branch + OUTPUT] = output[0]
            elif self._last is not None:
                notes |= _beneath(branch, self._last.notes)
        return notes

    def _siblings(self, step: Step) -> Sequence[str]:
        """The paths of the other branches of a fork."""
        fork = self._tasks.get(names(step.around))
        if fork is None:
            raise CannotTakeUp(f"take up at {step.around}: its branches are of another document")
        [branches] = fork.lists()
        paths = (leading(branch.pointer)[0][-1] for branch in branches.tasks)
        return [
            f"{step.list_path}/{beside.place}/{beside.name}"
            for beside in paths
            if beside.name != step.name
        ]

    def _event(self, step: Step) -> Mapping[str, Any]:
        """What a task that listens had consumed, where the event of a step was its last one."""
        notes = self._last.notes if self._last else {}
        _, number = notes.get(step.around + EVENT, (None, None))
        if number != step.iteration or len(notes[step.around + OUTPUTS]) != number:
            raise CannotTakeUp(
                f"take up at {step.around}, or at the event that was being processed at the end: "
                "those before are consumed"
            )
        return {key: note for key, note in notes.items() if key.startswith(f"{step.around}/#")}


def _beneath(path: str, notes: Mapping[str, Any]) -> Mapping[str, Any]:
    return {key: note for key, note in notes.items() if key.startswith(f"{path}/")}


def with_data(checkpoint: Checkpoint, data: Any) -> Checkpoint:
    """The same with other data for the task that is taken up, which begins anew with them.

    Raises CannotTakeUp.
    """
    under_way = [checkpoint.faulted] if checkpoint.faulted else _innermost(checkpoint.notes)
    if len(under_way) != 1:
        raise CannotTakeUp("name the task that the input is for: not exactly one is under way")
    [path] = under_way
    notes = {key: note for key, note in checkpoint.notes.items() if not key.startswith(f"{path}/")}
    context = {key: checkpoint.notes[key] for key in [path + CONTEXT] if key in checkpoint.notes}
    return replace(checkpoint, notes={**notes, **context, path + DATA: data})


def _innermost(notes: Mapping[str, Any]) -> Sequence[str]:
    """The tasks under way that have none under way within them."""
    paths = [key.removesuffix(DATA) for key in notes if key.endswith(DATA)]
    return [path for path in paths if path + INPUT not in notes]
