"""Finds functions that call themselves whatever their data."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from biz.dsl.model import Task, TaskList
from biz.dsl.reading.diagnostics import Diagnostics
from biz.dsl.tasks.call_function import FunctionCallTask
from biz.dsl.tasks.do import DoTask
from biz.dsl.tasks.fork import ForkTask
from biz.dsl.tasks.try_ import TryTask


def check_recursion(functions: Mapping[str, Task], diagnostics: Diagnostics) -> None:
    """Reports each function that surely comes to call itself, faults aside."""
    called = {name: list(_surely_called(task)) for name, task in functions.items()}
    for name, task in functions.items():
        if name in _reached(name, called):
            message = f'"{name}" calls itself always; let it do so under a condition (`if`)'
            diagnostics.error("endless-recursion", message, task.pointer)


def _reached(start: str, called: Mapping[str, list[str]]) -> set[str]:
    reached: set[str] = set()
    waiting = [start]
    while waiting:
        for name in called.get(waiting.pop(), ()):
            if name not in reached:
                reached.add(name)
                waiting.append(name)
    return reached


def _surely_called(task: Task) -> Iterator[str]:
    """The functions that a task calls each time that it is done."""
    if task.condition is not None:
        return
    match task:
        case FunctionCallTask():
            yield task.function
        case DoTask():
            yield from _surely_called_in(task.do)
        case TryTask():
            yield from _surely_called_in(task.try_)
        case ForkTask():
            for branch in task.branches.tasks:
                yield from _surely_called(branch)


def _surely_called_in(tasks: TaskList) -> Iterator[str]:
    for task in tasks.tasks:
        yield from _surely_called(task)
        if any(target != "continue" for target, _ in task.directives()):
            return
