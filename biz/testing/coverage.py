"""Which ways of a workflow its tests have taken."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from biz.dsl.branches import Branch
from biz.dsl.dry_run import DryRun
from biz.dsl.model import TaskList, Workflow


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """All ways of a workflow, and those that no run has taken, in the order of the definition."""

    all: Sequence[Branch]
    unreached: Sequence[Branch]


def cover(workflow: Workflow, runs: Iterable[DryRun]) -> Coverage:
    """What runs of a workflow have reached."""
    reached = {branch for run in runs for branch in run.branches}
    known = [branch for tasks in workflow.lists() for branch in _branches(tasks)]
    return Coverage(all=known, unreached=[branch for branch in known if branch not in reached])


def _branches(tasks: TaskList) -> Iterator[Branch]:
    for task in tasks.tasks:
        yield from task.alternatives()
        for inner in task.lists():
            yield from _branches(inner)
