"""What a picture of a workflow shows, free of how it is drawn."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum


class Exit(StrEnum):
    """A way out of a list of tasks: out of the list alone, or of the whole workflow."""

    EXIT = "exit"
    END = "end"


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """Where a step leads: to the place of a step in its section, behind the last one, or out."""

    to: int | Exit
    label: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A case of a switch; `when` is empty for the default one."""

    name: str
    when: str
    way: Way


class Role(StrEnum):
    """How the steps of a section belong together."""

    SEQUENCE = "sequence"
    LOOP = "loop"
    BRANCHES = "branches"
    TRY = "try"
    CATCH = "catch"
    FUNCTION = "function"
    EXTENSION = "extension"


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """A list of tasks; `captions` are the lines above it."""

    role: Role
    steps: Sequence[Step]
    captions: Sequence[str] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One task; `reference` is empty where it stands for tasks that are left out.

    `what` says in words what it does, `detail` with what, often as an expression. `condition` is
    that of its `if`. `ways` are those it may go on by, besides those of its cases. `expected` is
    the number of its iterations where the definition tells.
    """

    reference: str
    name: str
    kind: str
    what: str
    detail: str = ""
    condition: str = ""
    timeout: str = ""
    ways: Sequence[Way] = ()
    cases: Sequence[Case] = ()
    sections: Sequence[Section] = ()
    expected: int | None = None

    def all_ways(self) -> Iterator[Way]:
        """Its own, and those of its cases."""
        yield from (case.way for case in self.cases)
        yield from self.ways


@dataclass(frozen=True, slots=True, kw_only=True)
class Outline:
    """A whole workflow: its tasks, and beside them its functions and extensions.

    `starts` say what starts it by itself.
    """

    namespace: str
    name: str
    version: str
    title: str
    summary: str
    starts: Sequence[str]
    main: Section
    beside: Sequence[Section]
