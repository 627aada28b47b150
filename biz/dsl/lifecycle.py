"""Lifecycle events (DSL, "Lifecycle Events"): what is told of a run and of its tasks."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import Enum, StrEnum
from typing import Any, Final

from biz.dsl.errors import WorkflowError


class _Absent(Enum):
    ABSENT = "absent"


ABSENT: Final = _Absent.ABSENT
"""Stands where an event has no value; null is one."""


class LifecycleType(StrEnum):
    """The standard's types of lifecycle events."""

    WORKFLOW_STARTED = "io.serverlessworkflow.workflow.started.v1"
    WORKFLOW_SUSPENDED = "io.serverlessworkflow.workflow.suspended.v1"
    WORKFLOW_RESUMED = "io.serverlessworkflow.workflow.resumed.v1"
    WORKFLOW_CANCELLED = "io.serverlessworkflow.workflow.cancelled.v1"
    WORKFLOW_FAULTED = "io.serverlessworkflow.workflow.faulted.v1"
    WORKFLOW_COMPLETED = "io.serverlessworkflow.workflow.completed.v1"
    TASK_CREATED = "io.serverlessworkflow.task.created.v1"
    TASK_STARTED = "io.serverlessworkflow.task.started.v1"
    TASK_SUSPENDED = "io.serverlessworkflow.task.suspended.v1"
    TASK_RESUMED = "io.serverlessworkflow.task.resumed.v1"
    TASK_RETRIED = "io.serverlessworkflow.task.retried.v1"
    TASK_CANCELLED = "io.serverlessworkflow.task.cancelled.v1"
    TASK_FAULTED = "io.serverlessworkflow.task.faulted.v1"
    TASK_COMPLETED = "io.serverlessworkflow.task.completed.v1"


RUN_ENDS = frozenset(
    {
        LifecycleType.WORKFLOW_COMPLETED,
        LifecycleType.WORKFLOW_FAULTED,
        LifecycleType.WORKFLOW_CANCELLED,
    }
)
"""One of them is the last event of a run."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LifecycleEvent:
    """One thing that happened; `sequence` counts them from 1 within a run.

    `task` is the task's path, with the numbers of iterations; empty for the run itself. `attempt`
    counts from 1 within the innermost `try` around the task. `started_at` is when the task or run
    started, at its end. `input` is what went in, at the start, before any transformation; `output`
    is what came out, at a good end. `context` is `$context` at that time. `iterations` is, at the
    start of a task directly in a loop over a list, how many iterations the loop has at most.
    """

    sequence: int
    type: LifecycleType
    time: datetime
    task: str = ""
    attempt: int = 1
    error: WorkflowError | None = None
    started_at: datetime | None = None
    input: Any = ABSENT
    output: Any = ABSENT
    context: Any = ABSENT
    iterations: int | None = None
