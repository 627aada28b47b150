"""Cron expressions: the times that they name, and the calendars in UTC that stand for them."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import islice, takewhile

import pytest

from biz.dsl.cron import Calendar, calendars, cron_times
from biz.dsl.time_zones import time_zone

BERLIN = "Europe/Berlin"
YEARS = (2025, 2026)


def _times(expression: str, zone: str, after: str, count: int = 3) -> list[str]:
    moment = datetime.fromisoformat(after).replace(tzinfo=UTC)
    times = cron_times(expression, time_zone(zone), moment)
    return [time.strftime("%m-%dT%H:%M") for time in islice(times, count)]


@pytest.mark.parametrize(
    ("expression", "zone", "after", "times"),
    [
        ("0 0 * * *", "UTC", "2025-03-14T00:00", "03-15T00:00 03-16T00:00 03-17T00:00"),
        ("0 0 13 * 5", "UTC", "2025-06-12T00:00", "06-13T00:00 06-20T00:00 06-27T00:00"),
        ("0 0 */2 * 1", "UTC", "2025-06-01T00:00", "06-09T00:00 06-23T00:00 07-07T00:00"),
        ("0 3 * * *", BERLIN, "2025-03-29T00:00", "03-29T02:00 03-30T01:00 03-31T01:00"),
        # 2:30 doesn't exist on 30 March, and comes twice on 26 October.
        ("30 2 * * *", BERLIN, "2025-03-29T00:00", "03-29T01:30 03-30T01:00 03-31T00:30"),
        ("30 2 * * *", BERLIN, "2025-10-25T12:00", "10-26T00:30 10-27T01:30 10-28T01:30"),
        ("*/30 * * * *", BERLIN, "2025-10-26T00:10", "10-26T00:30 10-26T01:00 10-26T01:30"),
    ],
)
def test_times_in_a_time_zone(expression: str, zone: str, after: str, times: str) -> None:
    assert _times(expression, zone, after) == times.split()


def test_times_are_later_than_the_moment() -> None:
    after = datetime(2025, 3, 14, 0, 0, 0, 1, tzinfo=UTC)
    assert next(cron_times("* * * * *", time_zone("UTC"), after)).minute == 1


def test_what_moves_to_the_time_of_another_start_counts_once() -> None:
    expression = "0,30 2,3 * * *"
    times = _times(expression, BERLIN, "2025-03-30T00:00", 3)
    assert times == ["03-30T01:00", "03-30T01:30", "03-31T00:00"]


@pytest.mark.parametrize("zone", ["UTC", BERLIN, "America/Havana", "Asia/Kolkata", "Asia/Beirut"])
@pytest.mark.parametrize(
    "expression",
    [
        *("30 2 * * *", "0 0 13 * 5", "15 */2 1-7 * MON", "59 23 31 12 *", "0 0 29 2 *"),
        *("*/20 1-3 * 3,4,10,11 *", "5 0,23 * * SUN"),
    ],
)  # fmt: skip
def test_calendars_have_just_these_times(expression: str, zone: str) -> None:
    begin, end = datetime(YEARS[0], 1, 1, tzinfo=UTC), datetime(YEARS[-1] + 1, 1, 1, tzinfo=UTC)
    named = cron_times(expression, time_zone(zone), begin - timedelta(seconds=1))
    expected = list(takewhile(lambda moment: moment < end, named))
    found = calendars(expression, time_zone(zone), YEARS)
    assert sorted(_moments(found)) == expected
    assert len(found) < 150


def test_calendars_of_each_minute_are_made_quickly() -> None:
    found = calendars("* * * * *", time_zone(BERLIN), YEARS)
    assert sum(1 for _ in _moments(found)) == 2 * 365 * 24 * 60


def _moments(found: Sequence[Calendar]) -> Iterator[datetime]:
    for one in found:
        for day in one.days:
            for hour in one.hours:
                for minute in one.minutes:
                    yield datetime(one.year, one.month, day, hour, minute, tzinfo=UTC)
