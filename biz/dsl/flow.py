"""DSL, "Task Flow": where directives lead, followed through each list before anything runs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice

from biz.dsl.model import Task, TaskList
from biz.dsl.reading.diagnostics import Diagnostics

DIRECTIVES = frozenset({"continue", "exit", "end"})
_WAITING = ("listen", "run", "wait")
_SHOWN_TASKS = 20


def check_flow(outer: Iterable[TaskList], diagnostics: Diagnostics) -> None:
    """Reports directives that lead nowhere, tasks that none leads to, and loops without an end.

    Those in the lists inside of these lists too.
    """
    lists = [tasks for around in outer for tasks in _lists(around)]
    homes = {task.name: task.pointer for tasks in lists for task in tasks.tasks}
    for tasks in lists:
        _check_targets(tasks, homes, diagnostics)
    if diagnostics.has_errors:
        return
    for tasks in lists:
        if tasks.is_sequence:
            _check_sequence(tasks, diagnostics)


def _lists(tasks: TaskList) -> Iterator[TaskList]:
    yield tasks
    for task in tasks.tasks:
        for inner in task.lists():
            yield from _lists(inner)


def _check_targets(tasks: TaskList, homes: Mapping[str, str], diagnostics: Diagnostics) -> None:
    """A directive names a task of its own list (DSL reference, "Flow Directive")."""
    for task in tasks.tasks:
        for target, pointer in task.directives():
            if target in DIRECTIVES or target in tasks.places:
                continue
            known = ", ".join((*sorted(DIRECTIVES), *islice(tasks.places, _SHOWN_TASKS)))
            message = f'"{target}" is no task of this list; known are {known}'
            if target in homes:
                message += f"; the one at {homes[target]} can't be reached from here"
            diagnostics.error("unknown-target", message, pointer)


def _check_sequence(tasks: TaskList, diagnostics: Diagnostics) -> None:
    ways = [_ways(place, task, tasks) for place, task in enumerate(tasks.tasks)]
    reached = _reached(ways)
    for place, task in enumerate(tasks.tasks):
        if place not in reached:
            message = f'nothing leads to "{task.name}"; remove it, or name it in a "then"'
            diagnostics.warning("unreachable-task", message, task.pointer)
    loop = _endless(ways, reached)
    if loop and not any(_waits(tasks.tasks[place]) for place in loop):
        names = ", ".join(tasks.tasks[place].name for place in loop[:_SHOWN_TASKS])
        message = f"a loop without a way out in which nothing waits: {names}"
        diagnostics.warning("endless-loop", message, tasks.tasks[loop[0]].pointer)


def _ways(place: int, task: Task, tasks: TaskList) -> Sequence[int]:
    """The places that may follow a task; that behind the last one is out of the list."""
    out = len(tasks.tasks)
    ways = [*task.ways_on(), *(["continue"] if task.condition is not None else [])]
    found = [
        place + 1 if way == "continue" else out if way in DIRECTIVES else tasks.places[way]
        for way in ways
    ]
    return [*found, *([out] if not ways or _may_end(task) else [])]


def _may_end(task: Task) -> bool:
    """Whether a task inside of this one may end the workflow."""
    return any(
        "end" in inner.ways_on() or _may_end(inner)
        for tasks in task.lists()
        for inner in tasks.tasks
    )


def _waits(task: Task) -> bool:
    """Whether time may pass in a task by itself; a subscription is a call that does."""
    if task.kind in _WAITING or "subscription" in task.definition.get("with", ()):
        return True
    return any(_waits(inner) for tasks in task.lists() for inner in tasks.tasks)


def _reached(ways: Sequence[Sequence[int]]) -> set[int]:
    """The places that the first one leads to."""
    reached = set[int]()
    waiting = [0] if ways else []
    while waiting:
        place = waiting.pop()
        if place < len(ways) and place not in reached:
            reached.add(place)
            waiting.extend(ways[place])
    return reached


def _endless(ways: Sequence[Sequence[int]], reached: set[int]) -> Sequence[int]:
    """The places of loops that nothing leads out of, in their order."""
    leading = _inverse(ways, reached)
    inside = reached - set(_back(leading, len(ways)))
    sources = [place for place in inside if not inside & set(leading[place])]
    while sources:  # what only leads into a loop isn't in it
        inside -= set(sources)
        sources = [place for place in inside if not inside & set(leading[place])]
    return sorted(inside)


def _inverse(ways: Sequence[Sequence[int]], reached: set[int]) -> Mapping[int, Sequence[int]]:
    """The places that lead to each place."""
    leading: dict[int, list[int]] = {place: [] for place in range(len(ways) + 1)}
    for place in reached:
        for way in ways[place]:
            leading[way].append(place)
    return leading


def _back(leading: Mapping[int, Sequence[int]], end: int) -> Iterator[int]:
    """The places from which there is a way to the end."""
    found = {end}
    waiting = [end]
    while waiting:
        for place in leading[waiting.pop()]:
            if place not in found:
                found.add(place)
                waiting.append(place)
                yield place
