from datetime import UTC, datetime, timedelta

import pytest

from app.failure import Failure
from app.time_argument import duration_argument, time_argument


@pytest.mark.parametrize(
    "text", ["2025-03-14T15:00", "2025-03-14T15:00Z", "2025-03-14T16:00+01:00"]
)
def test_a_time_is_utc_unless_it_says_otherwise(text: str) -> None:
    time = time_argument(text, name="--after")
    assert time is not None
    assert time.ToDatetime() == datetime(2025, 3, 14, 15)


def test_a_time_may_be_so_long_ago() -> None:
    time = time_argument("2h", name="--after")
    assert time is not None
    ago = datetime.now(UTC) - time.ToDatetime(tzinfo=UTC)
    assert timedelta(hours=2) <= ago < timedelta(hours=2, minutes=1)


@pytest.mark.parametrize(
    ("text", "seconds"), [("90s", 90), ("15m", 900), ("1h", 3600), ("7d", 7 * 86400)]
)
def test_a_duration_has_a_unit(text: str, seconds: int) -> None:
    duration = duration_argument(text, name="--interval")
    assert duration is not None
    assert duration.seconds == seconds


def test_an_empty_text_is_none() -> None:
    assert time_argument("", name="--after") is None
    assert duration_argument("", name="--interval") is None


@pytest.mark.parametrize("text", ["yesterday", "2025-13-01", "999999d", "1w"])
def test_what_is_no_time_is_refused_with_what_to_write(text: str) -> None:
    with pytest.raises(Failure, match=r"--after isn't a time: .*; write 2025-"):
        time_argument(text, name="--after")


@pytest.mark.parametrize("text", ["1", "h", "-1h", "1.5h"])
def test_what_is_no_duration_is_refused_with_what_to_write(text: str) -> None:
    with pytest.raises(Failure, match=r"--interval isn't a duration: .*; write 90s"):
        duration_argument(text, name="--interval")
