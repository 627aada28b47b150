"""The time zones of IANA's database."""

from functools import cache
from zoneinfo import ZoneInfo, available_timezones

_NO_PLACES = frozenset({"localtime", "Factory"})
"""Names of some systems that say nothing on another one."""


def is_time_zone(name: str) -> bool:
    """Whether there is a time zone of this name."""
    return name in _names()


@cache
def time_zone(name: str) -> ZoneInfo:
    """A time zone that there is."""
    return ZoneInfo(name)


@cache
def _names() -> frozenset[str]:
    return frozenset(available_timezones() - _NO_PLACES)
