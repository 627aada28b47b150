"""Paths of a run in another version of its definition: its tasks are found by their names."""

from __future__ import annotations

import re
from dataclasses import replace

from biz.dsl.checkpoint import BEFORE, CHILD, CannotTakeUp, Checkpoint
from biz.dsl.model import Workflow
from biz.dsl.task_paths import Step, leading, names

_EXTENSION = re.compile(r"/use/extensions/\d+/(?P<name>[^/]+)")


class Relocation:
    """Where the tasks of a run are in a definition."""

    def __init__(self, workflow: Workflow) -> None:
        self._steps = {
            names(task.pointer): leading(task.pointer)[0][-1] for task in workflow.tasks()
        }
        self._extensions = {
            extension.pointer.rpartition("/")[2]: extension.pointer
            for extension in workflow.extensions
        }

    def moved(self, path: str) -> str:
        """The path of the same thing; raises CannotTakeUp where the definition lacks it.

        What a function from elsewhere does stays where it is.
        """
        found, rest = leading(path)
        moved = ""
        for step in found:
            if step.kind == "call":
                return moved + path.removeprefix(step.around)
            moved += self._moved_step(step)
        return moved + _EXTENSION.sub(self._moved_extension, rest)

    def _moved_step(self, step: Step) -> str:
        way = names(step.path)
        if way not in self._steps:
            raise CannotTakeUp(f"the newest definition has no task {way}, which was under way")
        there = self._steps[way]
        if there.place is None:
            return step.reference
        list_path = there.list_path if there.is_shared else step.list_path.removeprefix(step.around)
        return f"{list_path}/{there.place}/{step.name}"

    def _moved_extension(self, match: re.Match[str]) -> str:
        if match["name"] not in self._extensions:
            raise CannotTakeUp(
                f"the newest definition has no extension {match['name']}, which was under way"
            )
        return self._extensions[match["name"]]


def renewed(checkpoint: Checkpoint) -> Checkpoint:
    """The same, where workflows that it had run take up in the versions that are named now."""
    notes = {
        key: [note[0], True] if key.endswith(CHILD) else note
        for key, note in checkpoint.notes.items()
    }
    return replace(checkpoint, notes=notes)


def relocated(checkpoint: Checkpoint, workflow: Workflow) -> Checkpoint:
    """The same for a changed definition.

    Raises CannotTakeUp where it lacks a task that was under way.
    """
    relocation = Relocation(workflow)
    notes = {}
    for key, note in checkpoint.notes.items():
        try:
            notes[relocation.moved(key)] = note
        except CannotTakeUp:
            if not key.endswith(BEFORE):  # of an extension that is gone
                raise
    return replace(checkpoint, faulted=relocation.moved(checkpoint.faulted), notes=notes)
