"""Leases in memory."""

from datetime import datetime


class FakeLeaseRepo:
    """`biz.lease.LeaseRepo`."""

    def __init__(self) -> None:
        self._leases: dict[str, tuple[str, datetime]] = {}

    async def take(self, name: str, *, holder: str, now: datetime, until: datetime) -> bool:
        owner, end = self._leases.get(name, (holder, now))
        if owner != holder and end > now:
            return False
        self._leases[name] = holder, until
        return True

    async def give_back(self, name: str, *, holder: str) -> None:
        if self._leases.get(name, ("", None))[0] == holder:
            del self._leases[name]
