"""Removes what is old or too much: ended executions, and before them their histories."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

import structlog

from biz.errors import ExecutionNotFound
from biz.lease import Lease
from biz.repetition import repeat
from biz.retention.removal import RemovalRepo

_BATCH = 100
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class RetentionPolicy:
    """How long, since its end, and of how many ended executions of a namespace something is kept.

    Zero means without limit.
    """

    age: timedelta = timedelta()
    count: int = 0


class RetentionRepo(RemovalRepo, Protocol):
    """Where executions are kept, for those who look for old ones."""

    async def list_namespaces(self) -> list[str]:
        """The namespaces that have executions."""
        ...

    async def list_ended(
        self, namespace: str, *, ended_before: datetime, with_history: bool, limit: int
    ) -> list[str]:
        """Ids of executions that ended before a time, the oldest first.

        `with_history` leaves out those whose history was removed.
        """
        ...

    async def list_beyond(
        self, namespace: str, *, count: int, with_history: bool, limit: int
    ) -> list[str]:
        """Likewise, of those that ended before the `count` last ones."""
        ...

    async def delete_history(self, id: str) -> None:
        """Removes the history of an ended execution, which stays itself; can be repeated.

        Raises ExecutionNotFound, ExecutionNotEnded.
        """
        ...


class RetentionSweeper:
    """Runs beside each server; one at a time sweeps."""

    def __init__(
        self,
        *,
        repo: RetentionRepo,
        lease: Lease,
        clock: Callable[[], datetime],
        interval: timedelta,
        executions: RetentionPolicy,
        histories: RetentionPolicy,
    ) -> None:
        """`interval` is the time between two sweeps."""
        self._repo = repo
        self._lease = lease
        self._clock = clock
        self._interval = interval
        self._executions = executions
        self._histories = histories

    async def run(self) -> None:
        """Sweeps again and again, until cancelled."""
        await repeat(self.sweep, what="removing what is old", pause=self._interval)

    async def sweep(self) -> None:
        """Removes all that is kept long enough, each execution by itself."""
        if RetentionPolicy() == self._executions == self._histories:
            return
        await self._remove(self._executions, self._repo.delete, with_history=False)
        await self._remove(self._histories, self._repo.delete_history, with_history=True)

    async def _remove(
        self,
        policy: RetentionPolicy,
        remove: Callable[[str], Awaitable[None]],
        *,
        with_history: bool,
    ) -> None:
        removed = 0
        async for id in self._due(policy, with_history=with_history):
            if not await self._lease.hold():
                break
            with suppress(ExecutionNotFound):  # somebody deleted it meanwhile
                await remove(id)
                removed += 1
        if removed:
            what = "histories" if with_history else "executions"
            _log.info(f"removed old {what}", count=removed)

    async def _due(self, policy: RetentionPolicy, *, with_history: bool) -> AsyncIterator[str]:
        """Each execution that is to be removed; it isn't found again once it is."""
        before = self._clock() - policy.age
        for namespace in await self._repo.list_namespaces():
            while policy.age and (
                ids := await self._repo.list_ended(
                    namespace, ended_before=before, with_history=with_history, limit=_BATCH
                )
            ):
                for id in ids:
                    yield id
            while policy.count and (
                ids := await self._repo.list_beyond(
                    namespace, count=policy.count, with_history=with_history, limit=_BATCH
                )
            ):
                for id in ids:
                    yield id
