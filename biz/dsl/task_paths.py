"""Paths of tasks: a task's reference, with the number of the iteration in each loop around it.

`/do/4/loop/for/2/do/0/getPet` is the task `/do/4/loop/do/0/getPet` in the third iteration.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

_LOOPS = ("for", "foreach")
_NAMED = ("functions",)
"""What a name follows without an index."""

_SHARED = re.compile(r"/use/(?:functions|extensions)/")


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskPath:
    """`pointer` is the path without iterations; `iterations` are their numbers, by their places."""

    pointer: str
    iterations: Mapping[int, int]

    def is_within(self, other: TaskPath) -> bool:
        """Whether it is the other's task, in every iteration that the other names."""
        return self.pointer == other.pointer and other.iterations.items() <= self.iterations.items()


def read_task_path(path: str) -> TaskPath:
    """A path, or a reference, with all iterations, some of them or none."""
    kept: list[str] = []
    iterations: dict[int, int] = {}
    parts = iter(path.split("/")[1:])
    for part in parts:
        if part in _LOOPS and (number := next(parts, None)) is not None:
            is_iteration = number.isdecimal()
            if part == "foreach" or not is_iteration:
                kept.append(part)
            if is_iteration:
                iterations[len(kept)] = int(number)
            else:
                kept.append(number)
            continue
        kept.append(part)
        if part.isdecimal() or part in _NAMED:  # a name follows, whatever it is
            kept.extend(name for name in (next(parts, None),) if name is not None)
    return TaskPath(pointer="".join(f"/{part}" for part in kept), iterations=iterations)


def pointer_of(path: str) -> str:
    """The reference of the task at a path, as errors have it."""
    return read_task_path(list(suffixes(path))[-1]).pointer


def suffixes(path: str) -> Iterator[str]:
    """The path itself, then what stands in for it: within functions and extensions, theirs."""
    yield path
    for found in _SHARED.finditer(path, 1):
        yield path[found.start() :]
