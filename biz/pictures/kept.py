"""What executions have done that others took up from, by their histories."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from biz.dsl.checkpoint import CannotTakeUp
from biz.dsl.lifecycle import LifecycleEvent, LifecycleType
from biz.dsl.relocation import Relocation
from biz.dsl.task_paths import leading

_ENDS = frozenset({LifecycleType.TASK_FAULTED, LifecycleType.TASK_CANCELLED})


class Kept:
    """The tasks that the next run doesn't do again; runs are added oldest first."""

    def __init__(self, relocation: Relocation) -> None:
        """`relocation` is for the definition of the run that they are kept for."""
        self._relocation = relocation
        self._done: dict[str, LifecycleEvent] = {}

    @property
    def done(self) -> Mapping[str, LifecycleEvent]:
        """Their last completions, by path."""
        return self._done

    def add(self, events: Iterable[LifecycleEvent], anew: str) -> None:
        """Adds a run in the order of its events; those of tasks that are gone are left out.

        `anew` is the task that the next one begins anew, empty where it goes on with all that was
        under way. What was done since that task last started isn't kept, but in branches beside it.
        """
        anew = self._moved(anew) or ""
        told = [replace(e, task=path) for e in events if e.task and (path := self._moved(e.task))]
        begun = [e.sequence for e in told if _is_start(e) and e.task == anew]
        end = begun[-1] if begun else math.inf
        forks = [(f"{s.list_path}/", s.path) for s in leading(anew)[0] if s.kind == "fork"]
        for event in told:
            if event.sequence >= end and not _is_beside(event.task, forks):
                continue
            if event.type is LifecycleType.TASK_COMPLETED:
                self._done[event.task] = event
            elif _is_start(event) or event.type in _ENDS:
                self._done.pop(event.task, None)
        if anew:
            for path in [path for path in self._done if f"{path}/".startswith(f"{anew}/")]:
                del self._done[path]

    def _moved(self, path: str) -> str | None:
        try:
            return self._relocation.moved(path)
        except CannotTakeUp:
            return None


def _is_start(event: LifecycleEvent) -> bool:
    return event.type is LifecycleType.TASK_STARTED


def _is_beside(path: str, forks: Sequence[tuple[str, str]]) -> bool:
    """Whether a task is in another branch of one of the forks, given by its list and its branch."""
    return any(
        path.startswith(branches) and not f"{path}/".startswith(f"{branch}/")
        for branches, branch in forks
    )
