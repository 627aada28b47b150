"""Times and durations that are given to a command."""

import re
from datetime import UTC, datetime, timedelta

from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp

from app.failure import Failure

_DURATION = re.compile(r"(\d{1,6})([smhd])")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


def time_argument(text: str, *, name: str) -> Timestamp | None:
    """A time such as 2025-03-14T15:00, in UTC unless it says otherwise, or how long ago: 24h.

    None for an empty text; raises Failure. `name` is what the command line calls it.
    """
    if not text:
        return None
    try:
        if ago := _timedelta(text):
            time = datetime.now(UTC) - ago
        else:
            time = datetime.fromisoformat(text)
    except (ValueError, OverflowError) as error:
        raise Failure(
            f"{name} isn't a time: {text}; write 2025-03-14T15:00 for UTC, or 24h for that long ago"
        ) from error
    message = Timestamp()
    message.FromDatetime(time if time.tzinfo else time.replace(tzinfo=UTC))
    return message


def duration_argument(text: str, *, name: str) -> Duration | None:
    """A duration such as 90s, 15m, 1h or 7d; None for an empty text. Raises Failure."""
    if not text:
        return None
    length = _timedelta(text)
    if length is None:
        raise Failure(f"{name} isn't a duration: {text}; write 90s, 15m, 1h or 7d")
    message = Duration()
    message.FromTimedelta(length)
    return message


def _timedelta(text: str) -> timedelta | None:
    found = _DURATION.fullmatch(text)
    return timedelta(**{_UNITS[found[2]]: int(found[1])}) if found else None
