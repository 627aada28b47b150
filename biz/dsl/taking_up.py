"""Checkpoints made anew: at any task of a run, with other data, for a changed definition."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Protocol

from biz.dsl.checkpoint import AT, DATA, ERROR, INDEX, INPUT, OUTPUT, RESULT, Checkpoint
from biz.dsl.model import TaskList, Workflow
from biz.dsl.reading.pointers import unescape
from biz.dsl.task_steps import Step, UnknownPath, leading, names, steps


class CannotTakeUp(Exception):
    """Nothing can take up there; the text says why, and what to do."""


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
    notes: dict[str, Any] = {}
    context: Any = None
    for step in way:
        found = await past.started(step.path)
        if found is None:
            raise CannotTakeUp(f"the history of the run doesn't know what went into {step.path}")
        data, context = found
        notes[step.path + DATA] = data
        notes |= await _notes_around(step, data, past, last, workflow)
    consumed = last.consumed if last else ()
    return Checkpoint(context=context, consumed=consumed, faulted=path, notes=notes)


async def _notes_around(
    step: Step, data: Any, past: Past, last: Checkpoint | None, workflow: Workflow
) -> Mapping[str, Any]:
    """What the list of a step, and the task that it belongs to, would have noted."""
    match step.kind:
        case "fork":
            return await _branches(step, past, last, workflow)
        case "foreach":
            raise CannotTakeUp(f"take up at {step.around}: its events are consumed by the run")
    notes: dict[str, Any] = {step.list_path + AT: unescape(step.name)}
    if step.kind == "for":
        notes |= {step.around + INDEX: step.iteration, step.around + RESULT: data}
    if step.kind == "catch":
        error = await past.caught(step.around)
        if error is None:
            raise CannotTakeUp(f"the history of the run doesn't know what {step.around} caught")
        notes[step.around + ERROR] = error
    return notes


async def _branches(
    step: Step, past: Past, last: Checkpoint | None, workflow: Workflow
) -> Mapping[str, Any]:
    notes: dict[str, Any] = {}
    for branch in _siblings(step, workflow):
        output = await past.completed(branch)
        if output is not None:
            notes[branch + OUTPUT] = output[0]
        elif last is not None:
            notes |= {key: note for key, note in last.notes.items() if key.startswith(f"{branch}/")}
    return notes


def _siblings(step: Step, workflow: Workflow) -> Sequence[str]:
    """The paths of the other branches of a fork."""
    places = _places(workflow.do)
    here, _, _ = names(step.path).rpartition("/")
    beside = {way.rpartition("/"): place for way, place in places.items()}
    return [
        f"{step.list_path}/{place}/{name}"
        for (fork, _, name), place in beside.items()
        if fork == here and name != step.name
    ]


def with_data(checkpoint: Checkpoint, data: Any) -> Checkpoint:
    """The same with other data for the task that is taken up; raises CannotTakeUp."""
    under_way = [checkpoint.faulted] if checkpoint.faulted else _innermost(checkpoint.notes)
    if len(under_way) != 1:
        raise CannotTakeUp("name the task that the input is for: not exactly one is under way")
    return replace(checkpoint, notes={**checkpoint.notes, under_way[0] + DATA: data})


def _innermost(notes: Mapping[str, Any]) -> Sequence[str]:
    """The tasks under way that have none under way within them."""
    paths = [key.removesuffix(DATA) for key in notes if key.endswith(DATA)]
    return [path for path in paths if path + INPUT not in notes]


def relocated(checkpoint: Checkpoint, workflow: Workflow) -> Checkpoint:
    """The same for a changed definition, whose tasks are found by their names.

    Raises CannotTakeUp where it lacks a task that was under way.
    """
    places = _places(workflow.do)
    return replace(
        checkpoint,
        faulted=_moved(checkpoint.faulted, places),
        notes={_moved(key, places): note for key, note in checkpoint.notes.items()},
    )


def _moved(path: str, places: Mapping[str, int]) -> str:
    found, rest = leading(path)
    moved = ""
    for step in found:
        way = names(step.path)
        if way not in places:
            raise CannotTakeUp(f"the newest definition has no task {way}, which was under way")
        moved += f"{step.list_path.removeprefix(step.around)}/{places[way]}/{step.name}"
    return moved + rest


def _places(tasks: TaskList) -> Mapping[str, int]:
    """The places of tasks in their lists, by the names that lead to them."""
    places: dict[str, int] = {}
    for place, task in enumerate(tasks.tasks):
        places[names(task.pointer)] = place
        for inner in task.lists():
            places |= _places(inner)
    return places
