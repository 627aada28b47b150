"""Paths of tasks: a task's reference, with the number of the iteration in each loop around it.

`/do/4/loop/for/2/do/0/getPet` is the task `/do/4/loop/do/0/getPet` in the third iteration. What
functions and extensions do stands behind the task that they do it for, such as
`/do/0/ask/use/functions/getPet/do/1/read`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

_STEP = re.compile(
    r"""
    (?P<list>
        /do | /for/(?P<iteration>\d+)/do | /try | /catch/do | /fork/branches
        | /foreach(?:/(?P<event>\d+))?/do
        | /use/extensions/\d+/[^/]+/(?P<when>before|after)
    )/(?P<place>\d+)/(?P<name>[^/]+)
    | /use/functions/(?P<function>[^/]+)
    | /(?P<elsewhere>call)(?=/|$)
    """,
    re.VERBOSE,
)
_NUMBERED = re.compile(r"(?<=^/use/extensions)/\d+")
_WITHOUT_NUMBERS = {"for": "/do", "foreach": "/foreach/do"}
_SHARED = frozenset({"function", "before", "after"})


class UnknownPath(ValueError):
    """The path isn't one of a task of a run."""


@dataclass(frozen=True, slots=True)
class Step:
    """A task on the way to another one, or that one itself.

    `list_path` is the path of its list, `around` that of the task that the list belongs to, or that
    it is done for; empty where it is the workflow's. `kind` is what it is to that task: of its do,
    for, try, catch, fork or foreach, of an extension's before or after, a function of the
    definition's, or one from elsewhere, which is a call. These two are in no list.
    `name` is escaped as in a JSON pointer; `iteration` is the number of a loop's, or of an event.
    """

    path: str
    list_path: str
    around: str
    kind: str
    name: str
    place: int | None
    iteration: int | None

    @property
    def is_shared(self) -> bool:
        """Whether it has a reference of its own, under `use`."""
        return self.kind in _SHARED

    @property
    def list_reference(self) -> str:
        """What its list adds to the reference of the task around it."""
        return _WITHOUT_NUMBERS.get(self.kind) or self.list_path.removeprefix(self.around)

    @property
    def reference(self) -> str:
        """What it adds to the reference of the task around it."""
        if self.place is None:
            return self.path.removeprefix(self.around)
        return f"{self.list_reference}/{self.place}/{self.name}"

    @property
    def names(self) -> str:
        """What it adds to the names that lead to the task around it."""
        if self.place is None:
            return self.reference
        return f"{_NUMBERED.sub('', self.list_reference)}/{self.name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskPath:
    """`pointer` is the path without iterations; `iterations` are their numbers, by their places."""

    pointer: str
    iterations: Mapping[int, int]

    def is_within(self, other: TaskPath) -> bool:
        """Whether it is the other's task, in every iteration that the other names."""
        return self.pointer == other.pointer and other.iterations.items() <= self.iterations.items()


def leading(path: str) -> tuple[Sequence[Step], str]:
    """The tasks that lead to what is at `path`, the outermost first, and what follows them."""
    found: list[Step] = []
    end = 0
    while match := _STEP.match(path, end):
        iteration = match["iteration"] or match["event"]
        found.append(
            Step(
                path=path[: match.end()],
                list_path=path[: match.end("list")] if match["list"] else path[: match.end()],
                around=path[:end],
                kind=_kind(match),
                name=match["name"] or match["function"] or "",
                place=None if match["place"] is None else int(match["place"]),
                iteration=None if iteration is None else int(iteration),
            )
        )
        end = match.end()
    return found, path[end:]


def steps(path: str) -> Sequence[Step]:
    """The tasks of a run that lead to the one at `path`, and that one; raises UnknownPath."""
    found, rest = leading(path)
    if rest or not found or found[0].is_shared:
        raise UnknownPath(path)
    return found


def names(path: str) -> str:
    """A task's path, or its reference, without numbers; within what is shared, from there on."""
    found, rest = leading(path)
    return "".join(step.names for step in _from_last_shared(found)) + rest


def read_task_path(path: str) -> TaskPath:
    """A path, or a reference, with all iterations, some of them or none."""
    found, rest = leading(path)
    return TaskPath(
        pointer="".join(step.reference for step in found) + rest,
        iterations={
            place: step.iteration for place, step in enumerate(found) if step.iteration is not None
        },
    )


def pointer_of(path: str) -> str:
    """The reference of the task at a path, as errors have it."""
    found, rest = leading(path)
    return "".join(step.reference for step in _from_last_shared(found)) + rest


def suffixes(path: str) -> Iterator[str]:
    """The path itself, then what stands in for it: within functions and extensions, theirs."""
    yield path
    for step in leading(path)[0]:
        if step.is_shared and step.around:
            yield path.removeprefix(step.around)


def _from_last_shared(found: Sequence[Step]) -> Sequence[Step]:
    shared = [place for place, step in enumerate(found) if step.is_shared]
    return found[shared[-1] :] if shared else found


def _kind(match: re.Match[str]) -> str:
    if match["function"] is not None:
        return "function"
    return match["elsewhere"] or match["when"] or match["list"].split("/")[1]
