"""DSL reference, "Schedule": when a workflow starts by itself.

A cron expression is one of Unix's: minute, hour, day of month, month and day of week, each a list
of numbers, names, ranges and steps; 0 and 7 are Sunday. Where both days are restricted, either
counts.
"""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from cronsim import CronSim, CronSimError

from biz.dsl.durations import InvalidDuration, parse_duration, read_duration
from biz.dsl.events.strategies import Strategy, read_strategy
from biz.dsl.reading.reader import Node

_WHEN = ("every", "cron", "after", "on")
_VALUE = r"(?:\d{1,2}|[A-Za-z]{3})"
_TERM = rf"(?:\*|{_VALUE}(?:-{_VALUE})?)(?:/\d{{1,2}})?"
_FIELD = rf"{_TERM}(?:,{_TERM})*"
_CRON = re.compile(rf"\s*{_FIELD}(?:\s+{_FIELD}){{4}}\s*", re.ASCII)
_SOME_TIME = datetime(2024, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """A schedule; each way to start that it has counts for itself.

    `every` is from start to start, `after` from an end to the next start. `on` are the events that
    start a workflow; `read` says what it gets of them: data, envelope or raw.
    """

    every: timedelta | None = None
    cron: str | None = None
    after: timedelta | None = None
    on: Strategy | None = None
    read: str = "data"


def read_schedule(node: Node) -> Schedule:
    """The schedule of a definition."""
    fields = node.object(optional=(*_WHEN, "read"))
    if node.value == {}:
        node.error("invalid-schedule", f"must have one of {', '.join(_WHEN)}")
    if "read" in fields and "on" not in fields:
        node.error("missing-property", '"on" is missing: "read" is about its events')
    return Schedule(
        every=_interval(fields["every"]) if "every" in fields else None,
        cron=_cron(fields["cron"]) if "cron" in fields else None,
        after=_interval(fields["after"]) if "after" in fields else None,
        on=read_strategy(fields["on"], frozenset()) if "on" in fields else None,
        read=fields["read"].choice("data", "envelope", "raw") if "read" in fields else "data",
    )


def _interval(node: Node) -> timedelta:
    duration = read_duration(node, frozenset())
    if duration.expression is not None:
        node.error("invalid-schedule", "must be fixed, since there is no data to evaluate it on")
    elif _is_nothing(node.value):
        node.error("invalid-schedule", "must be longer than nothing")
    return duration.fixed or timedelta()


def _is_nothing(value: Any) -> bool:
    with suppress(InvalidDuration):
        return not parse_duration(value)
    return False


def _cron(node: Node) -> str:
    text = node.string()
    if not node.is_string:
        return text
    if not _CRON.fullmatch(text):
        message = 'must have the five fields of cron, such as "0 0 * * MON" (0:00 on Mondays)'
        node.error("invalid-schedule", message)
        return text
    try:
        CronSim(text, _SOME_TIME)
    except CronSimError as error:
        node.error("invalid-schedule", f"cron can't read it: {str(error).lower()}")
    return text
