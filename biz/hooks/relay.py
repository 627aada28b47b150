"""Tells the hooks of a template that an execution of it has faulted: each once, and at least.

What is to be told stands in the database from the moment of the fault, so nothing is lost while no
worker runs. Who makes an attempt claims it first; a claim of one that died runs out.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol

import structlog

from biz.dsl.fault_hooks import FaultHook
from biz.errors import Unavailable
from biz.executions.execution import Execution
from biz.logs.log import ExecutionLog, LogLevel, LogSink

MAX_ATTEMPTS = 20
_FIRST_PAUSE = timedelta(seconds=1)
_LONGEST_PAUSE = timedelta(hours=1)
_PATIENCE = timedelta(seconds=30)
"""How long an attempt may take."""

_CLAIM = _PATIENCE * 2
"""How long nobody else makes one."""

_AT_ONCE = 16

_log = structlog.get_logger(__name__)


class DeliveryState(StrEnum):
    """How far a hook is told."""

    PENDING = "PENDING"
    DELIVERED = "DELIVERED"
    FAILED = "FAILED"


@dataclass(frozen=True, slots=True, kw_only=True)
class HookClaim:
    """An attempt to be made; `attempt` counts from 1.

    `position` is the hook's in the definition, from 0. Of the execution the definition and the
    output aren't told.
    """

    execution: Execution
    position: int
    hook: FaultHook
    attempt: int


class NotTold(Exception):
    """A hook couldn't be told; the text says why, without an address.

    One that `is_final` would never be.
    """

    def __init__(self, reason: str, *, is_final: bool = False) -> None:
        super().__init__(reason)
        self.is_final = is_final


class Teller(Protocol):
    """What tells a hook."""

    async def tell(self, claim: HookClaim) -> None:
        """Returns once the hook was told; it may be repeated. Raises NotTold."""
        ...


class FaultHookRepo(Protocol):
    """Where it stands who is to be told. Every method is one unit of work."""

    async def next_due(self) -> datetime | None:
        """When the first attempt is due, which may have passed; None where none is."""
        ...

    async def claim(self, *, now: datetime, until: datetime, limit: int) -> Sequence[HookClaim]:
        """Attempts that are due; nobody else gets them until `until`."""
        ...

    async def settle(
        self, claim: HookClaim, state: DeliveryState, *, due_at: datetime | None = None
    ) -> None:
        """How an attempt went; with `due_at` another one follows. A later claim isn't touched."""
        ...


class FaultHookRelay:
    """Runs beside each worker; any number of them may run at once."""

    def __init__(
        self,
        *,
        repo: FaultHookRepo,
        teller: Teller,
        log: LogSink,
        clock: Callable[[], datetime],
        interval: timedelta,
    ) -> None:
        """`interval` is the time between two looks for faults that others have written."""
        self._repo = repo
        self._teller = teller
        self._log = log
        self._clock = clock
        self._interval = interval
        self._under_way = 0
        self._woken = asyncio.Event()

    def wake(self) -> None:
        """Has it look for faults at once."""
        self._woken.set()

    async def run(self) -> None:
        """Tells all hooks, again and again, until cancelled."""
        async with asyncio.TaskGroup() as attempts:
            while True:
                self._woken.clear()
                pause = await self._look(attempts)
                with suppress(TimeoutError):
                    async with asyncio.timeout(pause.total_seconds()):
                        await self._woken.wait()

    async def _look(self, attempts: asyncio.TaskGroup) -> timedelta:
        """Begins what is due; gives the time until the next look."""
        try:
            now = self._clock()
            due = await self._repo.next_due()
            if due is None:
                return self._interval
            if due > now:
                return min(due - now, self._interval)
            if not (free := _AT_ONCE - self._under_way):
                return self._interval  # the end of an attempt wakes it
            claims = await self._repo.claim(now=now, until=now + _CLAIM, limit=free)
        except Unavailable as error:
            _log.warning("telling hooks of faults is put off", reason=error.reason)
            return self._interval
        except Exception:
            # Whatever it was, later faults still have their hooks.
            _log.exception("telling hooks of faults failed")
            return self._interval
        for claim in claims:
            self._under_way += 1
            attempts.create_task(self._attempt(claim))
        return timedelta() if claims else self._interval

    async def _attempt(self, claim: HookClaim) -> None:
        try:
            await self._tell(claim)
        except Unavailable as error:
            # The claim runs out, and then it is tried again.
            _log.warning("telling a hook of a fault is put off", reason=error.reason)
        finally:
            self._under_way -= 1
            self.wake()

    async def _tell(self, claim: HookClaim) -> None:
        try:
            if claim.attempt > MAX_ATTEMPTS:
                raise NotTold("the last attempt never ended", is_final=True)
            async with asyncio.timeout(_PATIENCE.total_seconds()):
                await self._teller.tell(claim)
        except NotTold as error:
            await self._put_off(claim, error)
        except TimeoutError:
            await self._put_off(claim, NotTold(f"it took longer than {_PATIENCE.seconds} s"))
        except Unavailable:
            raise
        except Exception:
            _log.exception("telling a hook of a fault failed", execution_id=claim.execution.id)
            await self._put_off(claim, NotTold("the service failed; its own log has more"))
        else:
            await self._repo.settle(claim, DeliveryState.DELIVERED)
            self._say(claim, LogLevel.INFO, "was told of the fault")

    async def _put_off(self, claim: HookClaim, error: NotTold) -> None:
        if error.is_final or claim.attempt >= MAX_ATTEMPTS:
            await self._repo.settle(claim, DeliveryState.FAILED)
            self._say(claim, LogLevel.ERROR, f"will not be told of the fault: {error}")
            return
        pause = min(_FIRST_PAUSE * 2 ** (claim.attempt - 1), _LONGEST_PAUSE)
        await self._repo.settle(claim, DeliveryState.PENDING, due_at=self._clock() + pause)
        message = f"couldn't be told of the fault: {error}; again in {pause.total_seconds():g} s"
        self._say(claim, LogLevel.WARNING, message)

    def _say(self, claim: HookClaim, level: LogLevel, what: str) -> None:
        self._log.write(
            ExecutionLog(
                execution_id=claim.execution.id,
                time=self._clock(),
                level=level,
                message=f"hook {claim.position} {what}",
                fields={"hook": claim.position, "attempt": claim.attempt},
            )
        )
