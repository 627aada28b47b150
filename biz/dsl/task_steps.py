"""The tasks that lead to a task of a run, from its path, such as `/do/4/loop/for/2/do/0/getPet`."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

_STEP = re.compile(
    r"(?P<list>/do|/for/(?P<iteration>\d+)/do|/try|/catch/do|/fork/branches|/foreach(?:/\d+)?/do)"
    r"/(?P<place>\d+)/(?P<name>[^/]+)"
)
_STATIC = {"for": "/do", "foreach": "/foreach/do"}


class UnknownPath(ValueError):
    """The path isn't one of a task in a list of the definition."""


@dataclass(frozen=True, slots=True)
class Step:
    """A task on the way to another one, or that one itself.

    `list_path` is the path of its list, `around` that of the task which the list belongs to, empty
    where it is the workflow's. `kind` is what the list is to that task: do, for, try, catch, fork
    or foreach. `name` is escaped as in a JSON pointer; `iteration` is the number of a loop's.
    """

    path: str
    list_path: str
    around: str
    kind: str
    name: str
    iteration: int | None

    @property
    def static(self) -> str:
        """What it adds to the names that lead to a task: the same for its pointer."""
        return f"{_STATIC.get(self.kind, self.list_path.removeprefix(self.around))}/{self.name}"


def leading(path: str) -> tuple[Sequence[Step], str]:
    """The tasks that lead to what is at `path`, the outermost first, and what follows them."""
    found: list[Step] = []
    end = 0
    while match := _STEP.match(path, end):
        iteration = match["iteration"]
        found.append(
            Step(
                path=path[: match.end()],
                list_path=path[: match.end("list")],
                around=path[:end],
                kind=match["list"].split("/")[1],
                name=match["name"],
                iteration=None if iteration is None else int(iteration),
            )
        )
        end = match.end()
    return found, path[end:]


def steps(path: str) -> Sequence[Step]:
    """The tasks that lead to the one at `path`, with that one itself; raises UnknownPath."""
    found, rest = leading(path)
    if rest or not found:
        raise UnknownPath(path)
    return found


def names(path: str) -> str:
    """A task's path, or its pointer in the definition, without numbers."""
    found, rest = leading(path)
    return "".join(step.static for step in found) + rest
