"""Leases: of all servers of one database, one at a time does a piece of background work."""

import uuid
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Protocol

LEASE_DURATION = timedelta(seconds=30)
"""How long a server that died holds up the others."""


class LeaseRepo(Protocol):
    """Where leases are kept. Every method is one unit of work, and may be repeated."""

    async def take(self, name: str, *, holder: str, now: datetime, until: datetime) -> bool:
        """Takes a lease that is free, ran out, or is the holder's own; False where it isn't."""
        ...

    async def give_back(self, name: str, *, holder: str) -> None:
        """Frees a lease of the holder's; another's is left."""
        ...


class Lease:
    """One server's side of a lease: hold it before each step, and stop where it is lost.

    The times are the servers' own clocks'. Where these differ by more than the duration, two can
    hold a lease at once, so what is done under it must bear being done twice.
    """

    def __init__(self, *, repo: LeaseRepo, name: str, clock: Callable[[], datetime]) -> None:
        self._repo = repo
        self._name = name
        self._clock = clock
        self._holder = str(uuid.uuid4())
        self._renew_at: datetime | None = None

    async def hold(self) -> bool:
        """Whether this server has the lease; asks anew once a third of its time has passed."""
        now = self._clock()
        if self._renew_at is not None and now < self._renew_at:
            return True
        held = await self._repo.take(
            self._name, holder=self._holder, now=now, until=now + LEASE_DURATION
        )
        self._renew_at = now + LEASE_DURATION / 3 if held else None
        return held

    async def give_back(self) -> None:
        """Lets another server have it at once."""
        self._renew_at = None
        await self._repo.give_back(self._name, holder=self._holder)
