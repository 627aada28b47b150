from datetime import timedelta
from typing import Any

import pytest

from biz.dsl.durations import InvalidDuration, parse_duration, shown_duration


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("PT0S", 0),
        ("PT1S", 1),
        ("PT0.25S", 0.25),
        ("PT1.5M", 90),
        ("PT2H15M30S", 8130),
        ("P1D", 86_400),
        ("P1DT1S", 86_401),
        ("P2W", 1_209_600),
        ("P1M", 30 * 86_400),
        ("P1Y", 365 * 86_400),
        ("P1Y2M3W4DT5H6M7S", (365 + 60 + 21 + 4) * 86_400 + 5 * 3600 + 6 * 60 + 7),
        ("P100Y", 36_500 * 86_400),
        ({"milliseconds": 1}, 0.001),
        ({"seconds": 1, "minutes": 1, "hours": 1, "days": 1}, 90_061),
        ({"seconds": 90.0}, 90),
        ({"days": 36_525}, 36_525 * 86_400),
    ],
)
def test_a_duration_is(value: Any, seconds: float) -> None:
    assert parse_duration(value) == timedelta(seconds=seconds)


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [(0, "0 s"), (0.001, "0.001 s"), (90, "1 min 30 s"), (5400, "1 h 30 min"), (86_401, "1 d 1 s")],
)
def test_errors_tell_it_readably(seconds: float, shown: str) -> None:
    assert shown_duration(timedelta(seconds=seconds)) == shown


@pytest.mark.parametrize(
    "value",
    [
        *("", "P", "PT", "P1", "1D", "P1S", "PT1D", "-PT1S", "PT-1S", "+PT1S", "pt1s", "P1DT"),
        *(" PT1S", "PT1S ", "PT1S\n", "PT1,5S", "PT.5S", "P1Y1W1M", "PT\u0661S", "P1D1D", "soon"),
        *("P101Y", f"PT{'9' * 400}S", f"P{'9' * 5000}Y", f"P{'9' * 5000}D"),
        *({}, {"seconds": -1}, {"seconds": 0.5}, {"seconds": True}, {"seconds": None}),
        *({"seconds": "1"}, {"years": 1}, {"seconds": 1, "weeks": 1}, {"days": 36_526}),
        *({"days": 10**400}, {"milliseconds": 1e308}, {"seconds": float("inf")}),
        *(None, 1, True, [], ["PT1S"]),
    ],
    ids=lambda value: repr(value)[:30],
)  # fmt: skip
def test_no_duration_is(value: Any) -> None:
    with pytest.raises(InvalidDuration, match=r"is too long|must"):
        parse_duration(value)
