"""Cron expressions in a time zone: the times that they name, and calendars in UTC for them.

DSL reference, "Schedule". The days are Debian's cron's: where neither day begins with a star,
either counts, else both. So are the changes of clocks: what is at a fixed time is neither left out
nor done twice, and what comes again and again goes by the time that really passes.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import takewhile
from typing import TypeAlias
from zoneinfo import ZoneInfo

from cronsim import CronSim

_DAY = timedelta(days=1)
_MINUTES_A_DAY = 24 * 60
Minutes: TypeAlias = frozenset[int]
"""Minutes of a day."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Calendar:
    """The times of which each part is one of these."""

    minutes: Sequence[int]
    hours: Sequence[int]
    days: Sequence[int]
    month: int
    year: int


def cron_times(expression: str, zone: ZoneInfo, after: datetime) -> Iterator[datetime]:
    """The times in UTC that are later than `after`, in order. Raises CronSimError."""
    last = after
    for local in CronSim(expression, after.astimezone(zone)):
        moment = local.astimezone(UTC)
        if moment > last:
            yield moment
            last = moment


def calendars(expression: str, zone: ZoneInfo, years: Sequence[int]) -> Sequence[Calendar]:
    """The times of whole years of UTC. Raises CronSimError."""
    found: dict[tuple[int, int, Minutes], list[int]] = defaultdict(list)
    for day, minutes in sorted(_days(expression, zone, years).items()):
        if day.year in years:
            found[day.year, day.month, minutes].append(day.day)
    return [
        Calendar(minutes=within, hours=hours, days=days, month=month, year=year)
        for (year, month, minutes), days in found.items()
        for within, hours in _hours_by_minutes(minutes).items()
    ]


def _days(expression: str, zone: ZoneInfo, years: Sequence[int]) -> Mapping[date, Minutes]:
    """The minutes of each day of UTC."""
    cron = CronSim(expression, datetime(years[0], 1, 1, tzinfo=UTC))
    local_minutes = frozenset(hour * 60 + minute for hour in cron.hours for minute in cron.minutes)
    shifts: dict[timedelta, Mapping[int, Minutes]] = {}
    found: dict[date, Minutes] = defaultdict(frozenset)
    day = date(years[0], 1, 1) - _DAY
    while day <= date(years[-1], 12, 31) + _DAY:
        begin, end = _midnight(day, zone), _midnight(day + _DAY, zone)
        offset = begin.utcoffset() or timedelta()
        if offset != end.utcoffset():
            for moment in _moments(expression, zone, begin, end):
                found[moment.date()] |= {moment.hour * 60 + moment.minute}
        elif _counts(cron, day):
            if offset not in shifts:
                shifts[offset] = _shifted(local_minutes, offset)
            for days, minutes in shifts[offset].items():
                found[day + days * _DAY] |= minutes
        day += _DAY
    return found


def _moments(expression: str, zone: ZoneInfo, begin: datetime, end: datetime) -> Iterator[datetime]:
    """The times of a day on which the clocks change."""
    before = begin.astimezone(UTC) - timedelta(seconds=1)
    return takewhile(
        lambda moment: moment < end.astimezone(UTC), cron_times(expression, zone, before)
    )


def _counts(cron: CronSim, day: date) -> bool:
    if day.month not in cron.months:
        return False
    is_day = day.day in cron.days
    weekday = day.isoweekday()
    is_weekday = weekday in cron.weekdays or (weekday == 7 and 0 in cron.weekdays)
    return (is_day and is_weekday) if cron.day_and else (is_day or is_weekday)


def _shifted(local: Minutes, offset: timedelta) -> Mapping[int, Minutes]:
    """Minutes of a local day as those of UTC, by how many days later they are there."""
    found: dict[int, set[int]] = defaultdict(set)
    for minute in local:
        days, within = divmod(minute - offset // timedelta(minutes=1), _MINUTES_A_DAY)
        found[days].add(within)
    return {days: frozenset(minutes) for days, minutes in found.items()}


def _hours_by_minutes(minutes: Minutes) -> Mapping[tuple[int, ...], Sequence[int]]:
    """The hours that have the same minutes."""
    of_hours: dict[int, list[int]] = defaultdict(list)
    for minute in sorted(minutes):
        of_hours[minute // 60].append(minute % 60)
    hours: dict[tuple[int, ...], list[int]] = defaultdict(list)
    for hour, within in of_hours.items():
        hours[tuple(within)].append(hour)
    return hours


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time(), tzinfo=zone)
