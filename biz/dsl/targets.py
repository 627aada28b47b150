"""Checks where flow directives lead (DSL reference, "Flow Directive")."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice

from biz.dsl.diagnostics import Diagnostics
from biz.dsl.model import TaskList

DIRECTIVES = frozenset({"continue", "exit", "end"})
_SHOWN_TASKS = 20


def check_targets(lists: Iterable[TaskList], diagnostics: Diagnostics) -> None:
    """Reports each directive in these lists, and in those inside, that names no task beside it."""
    for outer in lists:
        for tasks in _lists(outer):
            _check(tasks, diagnostics)


def _lists(tasks: TaskList) -> Iterator[TaskList]:
    yield tasks
    for task in tasks.tasks:
        for inner in task.lists():
            yield from _lists(inner)


def _check(tasks: TaskList, diagnostics: Diagnostics) -> None:
    for task in tasks.tasks:
        for target, pointer in task.directives():
            if target not in DIRECTIVES and target not in tasks.places:
                known = ", ".join((*sorted(DIRECTIVES), *islice(tasks.places, _SHOWN_TASKS)))
                message = f'"{target}" is no task of this list; known are {known}'
                diagnostics.error("unknown-target", message, pointer)
