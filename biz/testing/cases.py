"""Tests of a workflow: cases, each a dry run and what is expected of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from biz.dsl.dry_run import Ending, Rehearsal, TimedEvent
from biz.dsl.lifecycle import ABSENT
from biz.dsl.mocks import Mock


@dataclass(frozen=True, slots=True, kw_only=True)
class CallExpectation:
    """What is expected of one task's calls.

    `sent` is an object that every call matches, or an array of objects, one for each call in order.
    """

    count: int | None = None
    sent: Any = ABSENT


@dataclass(frozen=True, slots=True, kw_only=True)
class Expectation:
    """What is expected of a run. What isn't set isn't looked at, but for the ending.

    Tasks are told by their references.
    """

    ending: Ending = Ending.COMPLETED
    output: Any = ABSENT
    error: Mapping[str, Any] = field(default_factory=dict)
    duration: timedelta | None = None
    run: Sequence[str] = ()
    not_run: Sequence[str] = ()
    calls: Mapping[str, CallExpectation] = field(default_factory=dict)
    emitted: Sequence[Any] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One case; `line` is where it stands in its file."""

    name: str
    line: int
    input: Any
    start: datetime
    mocks: Mapping[str, Mock]
    events: Sequence[TimedEvent]
    expect: Expectation

    def rehearsal(self, config: str) -> Rehearsal:
        """The dry run of the case."""
        return Rehearsal(
            config=config,
            input=self.input,
            start=self.start,
            mocks=self.mocks,
            events=self.events,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseFile:
    """The cases of one file; `config` is the definition that they are of."""

    config: str
    cases: Sequence[Case]
