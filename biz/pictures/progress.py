"""How far a run has come, by its history: what is laid over a picture."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from biz.dsl.errors import WorkflowError
from biz.dsl.lifecycle import LifecycleEvent, LifecycleType
from biz.dsl.task_paths import pointer_of

_INNERMOST = re.compile(r"(?P<loop>.*)/(?:for|foreach)/\d+/do/")


class TaskState(StrEnum):
    """Where a task stands, or how it ended last; KEPT where a run before has done it."""

    RUNNING = "running"
    COMPLETED = "completed"
    FAULTED = "faulted"
    CANCELLED = "cancelled"
    KEPT = "kept"


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskProgress:
    """What became of one task of a definition, in all of its iterations.

    `places` are how many iterations of the tasks around it have reached it, `completed` in how
    many of them it has completed, `kept` in how many of these a run before has done it. `starts`
    counts those of retries and jumps too. `iterations` are its own. `took` is the time of all that
    ended, `since` when the last one started. `error` is the last one where it is faulted.
    """

    state: TaskState
    places: int
    completed: int
    kept: int
    starts: int
    attempts: int
    iterations: int
    took: timedelta
    since: datetime
    error: WorkflowError | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RunProgress:
    """What became of a run. `tasks` has those that were reached, by reference."""

    id: str
    status: str
    started_at: datetime | None
    ended_at: datetime | None
    error: WorkflowError | None
    tasks: Mapping[str, TaskProgress]


def task_progress(
    events: Iterable[LifecycleEvent],
    *,
    has_ended: bool,
    kept: Iterable[LifecycleEvent] = (),
) -> Mapping[str, TaskProgress]:
    """What became of each task; what runs yet when the run `has_ended` was cut off.

    `kept` are the completions of tasks by runs before, which it took over.
    """
    tallies: dict[str, _Tally] = {}
    for event in kept:
        _count_iterations(event.task, tallies)
        tallies.setdefault(pointer_of(event.task), _Tally()).keep(event)
    for event in events:
        if event.task and event.type is not LifecycleType.TASK_CREATED:
            reference = pointer_of(event.task)
            _count_iterations(event.task, tallies)
            tallies.setdefault(reference, _Tally()).add(event)
    return {
        reference: tally.progress(has_ended)
        for reference, tally in tallies.items()
        if tally.since is not None
    }


def _count_iterations(path: str, tallies: dict[str, _Tally]) -> None:
    """Counts the iteration that a task is in for the loop around it."""
    if found := _INNERMOST.match(path):
        loop = pointer_of(found.group("loop"))
        tallies.setdefault(loop, _Tally()).iterations.add(found.group())


_ENDS = {
    LifecycleType.TASK_COMPLETED: TaskState.COMPLETED,
    LifecycleType.TASK_FAULTED: TaskState.FAULTED,
    LifecycleType.TASK_CANCELLED: TaskState.CANCELLED,
}


@dataclass(slots=True)
class _Tally:
    """What was told of one task so far; `states` are the last ones, by path."""

    states: dict[str, TaskState] = field(default_factory=dict)
    iterations: set[str] = field(default_factory=set)
    starts: int = 0
    attempts: int = 1
    took: timedelta = timedelta()
    last: TaskState = TaskState.RUNNING
    since: datetime | None = None
    error: WorkflowError | None = None
    kept: dict[str, timedelta] = field(default_factory=dict)

    def keep(self, event: LifecycleEvent) -> None:
        """Counts what a run before has completed, unless it is done again."""
        self.last = self.states[event.task] = TaskState.KEPT
        self.since = event.started_at or event.time
        self.kept[event.task] = event.time - self.since

    def add(self, event: LifecycleEvent) -> None:
        """Counts an event of the task."""
        self.attempts = max(self.attempts, event.attempt)
        if event.type is LifecycleType.TASK_STARTED:
            self.states[event.task] = TaskState.RUNNING
            self.kept.pop(event.task, None)
            self.starts += 1
            self.since = event.time
        elif event.type in _ENDS:
            self.last = self.states[event.task] = _ENDS[event.type]
            self.error = event.error
            if event.started_at is not None:
                self.took += event.time - event.started_at

    def progress(self, has_ended: bool) -> TaskProgress:
        """What all of it comes to."""
        assert self.since is not None
        states = list(self.states.values())
        state = self.last
        if TaskState.RUNNING in states:
            state = TaskState.CANCELLED if has_ended else TaskState.RUNNING
        return TaskProgress(
            state=state,
            places=len(states),
            completed=states.count(TaskState.COMPLETED) + len(self.kept),
            kept=len(self.kept),
            starts=self.starts,
            attempts=self.attempts,
            iterations=len(self.iterations),
            took=sum(self.kept.values(), self.took),
            since=self.since,
            error=self.error if state is TaskState.FAULTED else None,
        )
