"""DSL reference, "Schedule": when a workflow starts by itself.

A cron expression is one of Unix's: minute, hour, day of month, month and day of week, each a list
of numbers, names, ranges and steps; 0 and 7 are Sunday. Where both days are restricted, either
counts. What the standard leaves open stands under `schedule` in the document's metadata.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any

from cronsim import CronSim, CronSimError

from biz.dsl.durations import InvalidDuration, parse_duration, read_duration
from biz.dsl.events.strategies import Strategy, StrategyKind, read_strategy
from biz.dsl.reading.reader import Node
from biz.dsl.schemas import Schema
from biz.dsl.time_zones import is_time_zone

_WHEN = ("every", "cron", "after", "on")
_TIMED = frozenset({"every", "cron", "after"})
_VALUE = r"(?:\d{1,2}|[A-Za-z]{3})"
_TERM = rf"(?:\*|{_VALUE}(?:-{_VALUE})?)(?:/\d{{1,2}})?"
_FIELD = rf"{_TERM}(?:,{_TERM})*"
_CRON = re.compile(rf"\s*{_FIELD}(?:\s+{_FIELD}){{4}}\s*", re.ASCII)
_SOME_TIME = datetime(2024, 1, 1, tzinfo=UTC)
_SECOND = timedelta(seconds=1)


class Overlap(StrEnum):
    """What happens when a start is due while the run before is under way."""

    ALLOW = "allow"
    SKIP = "skip"
    BUFFER_ONE = "bufferOne"
    BUFFER_ALL = "bufferAll"
    CANCEL_OTHER = "cancelOther"
    TERMINATE_OTHER = "terminateOther"


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """A schedule; each way to start that it has counts for itself.

    `every` is from start to start, `after` from an end to the next start. `on` are the events that
    start a workflow; `read` says what it gets of them: data, envelope or raw. `time_zone` is
    cron's, `overlap` counts for `every` and `cron`, and `input` for all that isn't `on`.
    """

    every: timedelta | None = None
    cron: str | None = None
    after: timedelta | None = None
    on: Strategy | None = None
    read: str = "data"
    time_zone: str = "UTC"
    overlap: Overlap = Overlap.ALLOW
    input: Any = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Options:
    """What the metadata says."""

    time_zone: str = "UTC"
    overlap: Overlap = Overlap.ALLOW
    input: Any = None


def read_schedule(node: Node, document: Node, schema: object = None) -> Schedule:
    """The schedule of a definition; `schema` is that of its input."""
    fields = node.object(optional=(*_WHEN, "read"))
    if node.value == {}:
        node.error("invalid-schedule", f"must have one of {', '.join(_WHEN)}")
    if "read" in fields and "on" not in fields:
        node.error("missing-property", '"on" is missing: "read" is about its events')
    options = _read_options(document, frozenset(fields))
    if isinstance(schema, Schema) and _TIMED & fields.keys() and not node.is_trusted:
        _check_input(node, options.input, schema)
    return Schedule(
        every=_every(fields["every"]) if "every" in fields else None,
        cron=_cron(fields["cron"]) if "cron" in fields else None,
        after=_interval(fields["after"]) if "after" in fields else None,
        on=_on(fields["on"]) if "on" in fields else None,
        read=fields["read"].choice("data", "envelope", "raw") if "read" in fields else "data",
        time_zone=options.time_zone,
        overlap=options.overlap,
        input=options.input,
    )


def _every(node: Node) -> timedelta:
    interval = _interval(node)
    if interval % _SECOND:
        node.error("invalid-schedule", "must be whole seconds")
    return interval


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


def _on(node: Node) -> Strategy:
    strategy = read_strategy(node, frozenset())
    if isinstance(node.value, dict) and node.value.get(StrategyKind.ALL) == []:
        node.error("invalid-schedule", 'must have a filter in "all": no event would start it')
    return strategy


def _read_options(document: Node, when: frozenset[str]) -> _Options:
    """What `document.metadata.schedule` says; another `metadata` than an object is told before."""
    for name in ("metadata", "schedule"):
        if not isinstance(document.value, dict) or name not in document.value:
            return _Options()
        document = document.at(name)
    if not isinstance(document.value, dict):
        document.error("invalid-schedule", "must be an object of timeZone, overlap and input")
        return _Options()
    found: dict[str, Any] = {}
    for key in document.value:
        match key:
            case "timeZone":
                _require(document.at(key), when, ("cron",))
                found["time_zone"] = _time_zone(document.at(key))
            case "overlap":
                _require(document.at(key), when, ("every", "cron"))
                found["overlap"] = _overlap(document.at(key))
            case "input":
                _require(document.at(key), when, ("every", "cron", "after"))
                found["input"] = document.value[key]
            case _:
                document.at(key).error(
                    "invalid-schedule", "isn't known here; known are timeZone, overlap and input"
                )
    return _Options(**found)


def _require(node: Node, when: frozenset[str], wanted: Sequence[str]) -> None:
    if when.isdisjoint(wanted):
        names = " or ".join(f'"{name}"' for name in wanted)
        node.error("invalid-schedule", f"means nothing without {names}")


def _time_zone(node: Node) -> str:
    if not isinstance(node.value, str) or not is_time_zone(node.value):
        node.error("invalid-schedule", "must be a time zone of IANA's, such as Europe/Berlin")
        return "UTC"
    return node.value


def _overlap(node: Node) -> Overlap:
    if not isinstance(node.value, str) or node.value not in set(Overlap):
        node.error("invalid-schedule", f"must be one of {', '.join(Overlap)}")
        return Overlap.ALLOW
    return Overlap(node.value)


def _check_input(node: Node, input: Any, schema: Schema) -> None:
    for fault in schema.faults({} if input is None else input):
        place = f"{fault.pointer}: " if fault.pointer else ""
        message = f"input in metadata.schedule breaks input.schema: {place}{fault.message}"
        node.error("invalid-schedule", message)
