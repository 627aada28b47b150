"""Where a run may go one way or another: what tests of a workflow are to reach."""

from __future__ import annotations

from dataclasses import dataclass

IF_HOLDS = '"if" holds'
IF_FAILS = '"if" doesn\'t hold'


@dataclass(frozen=True, slots=True)
class Branch:
    """One way of a task, by the task's reference."""

    task: str
    way: str
