"""Durations (DSL reference, "Duration"): inline, ISO 8601, or an expression that gives either."""

import re
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import isodate

from biz.dsl.expressions import Expression, is_evaluated
from biz.dsl.json_types import describe
from biz.dsl.model import Duration
from biz.dsl.reading.reader import Node
from biz.dsl.values import read_expression

UNITS = ("days", "hours", "minutes", "seconds", "milliseconds")
_LITERAL = re.compile(
    r"P(?!$)(\d+(?:\.\d+)?Y)?(\d+(?:\.\d+)?M)?(\d+(?:\.\d+)?W)?(\d+(?:\.\d+)?D)?"
    r"(T(?=\d)(\d+(?:\.\d+)?H)?(\d+(?:\.\d+)?M)?(\d+(?:\.\d+)?S)?)?",
    re.ASCII,
)
_LONGEST = timedelta(days=36_525)
_UNUSABLE = "unusable-duration"
_DAYS_A_YEAR = 365
_DAYS_A_MONTH = 30


_SHOWN_UNITS = (
    ("d", timedelta(days=1)),
    ("h", timedelta(hours=1)),
    ("min", timedelta(minutes=1)),
)


class InvalidDuration(Exception):
    """The value is no duration; the message says why. `code` is one of the diagnostics' codes."""

    def __init__(self, message: str, code: str = "invalid-duration") -> None:
        super().__init__(message)
        self.code = code


def parse_duration(value: Any) -> timedelta:
    """A duration from its JSON value; a year counts 365 days, a month 30.

    Raises InvalidDuration.
    """
    try:
        duration = _from_text(value) if isinstance(value, str) else _from_units(value)
    except (OverflowError, ArithmeticError):
        raise InvalidDuration("is too long", _UNUSABLE) from None
    if duration < timedelta():
        raise InvalidDuration("must not be negative", _UNUSABLE)
    if duration > _LONGEST:
        raise InvalidDuration("must not be longer than a hundred years", _UNUSABLE)
    return duration


def shown_duration(duration: timedelta) -> str:
    """A duration as errors tell it, such as "1 h 30 min" and "0 s"."""
    parts = []
    for unit, one in _SHOWN_UNITS:
        count, duration = divmod(duration, one)
        if count:
            parts.append(f"{count} {unit}")
    if duration or not parts:
        parts.append(f"{duration.total_seconds():g} s")
    return " ".join(parts)


async def resolve_duration(
    duration: Duration, evaluate: Callable[[Expression], Awaitable[Any]]
) -> timedelta:
    """The duration, evaluated where it is an expression. Raises InvalidDuration."""
    if duration.expression is None:
        return duration.fixed or timedelta()
    return parse_duration(await evaluate(duration.expression))


def read_duration(node: Node, variables: frozenset[str]) -> Duration:
    """A duration of a definition."""
    if isinstance(node.value, str) and is_evaluated(node.value):
        return Duration(expression=read_expression(node, variables))
    if isinstance(node.value, str | dict):
        if isinstance(node.value, dict):
            node.object(optional=UNITS)
            if set(node.value) - set(UNITS):
                return Duration(fixed=timedelta())
        try:
            return Duration(fixed=parse_duration(node.value))
        except InvalidDuration as error:
            node.error(error.code, f"a duration {error}")
    else:
        node.error(
            "wrong-type",
            "must be a duration: a text in ISO 8601, such as PT10S, or an object, such as "
            f"{{seconds: 10}}, not {describe(node.value)}",
        )
    return Duration(fixed=timedelta())


def _from_text(text: str) -> timedelta:
    if not _LITERAL.fullmatch(text):
        raise InvalidDuration('must be ISO 8601, such as "PT1M30S", or such as {seconds: 90}')
    parsed = isodate.parse_duration(text)
    if isinstance(parsed, timedelta):
        return parsed
    days = float(parsed.years) * _DAYS_A_YEAR + float(parsed.months) * _DAYS_A_MONTH
    return timedelta(days=days) + timedelta(seconds=parsed.tdelta.total_seconds())


def _from_units(value: Any) -> timedelta:
    if not isinstance(value, dict) or not value or set(value) - set(UNITS):
        raise InvalidDuration(f"must be ISO 8601, or an object of {', '.join(UNITS)}")
    for unit, number in value.items():
        if isinstance(number, bool) or not isinstance(number, int | float) or number % 1:
            raise InvalidDuration(f"must have a whole number of {unit}")
    return timedelta(**value)
