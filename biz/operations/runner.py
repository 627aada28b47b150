"""Works off operations, a few executions at a time.

What is done is taken off an operation's stored list, so a server that takes over from one that died
repeats a few executions at most. Verbs bear that.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

import structlog

from biz.errors import DomainError, OperationNotFound, Unavailable
from biz.lease import Lease, LeaseRepo
from biz.operations.operation import BatchAction, BatchFailure, BatchItem, Operation, OperationRepo
from biz.repetition import repeat

_AT_ONCE = 20
_OPERATIONS = 100
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchStep:
    """One execution of an operation. `request_id` is the same each time that it is repeated."""

    execution_id: str
    reason: str
    request_id: str


class BatchVerb(Protocol):
    """Does something to one execution. Repeating it changes nothing, and is no refusal."""

    async def __call__(self, step: BatchStep) -> object:
        """Raises a DomainError where the execution refuses."""
        ...


class OperationRunner:
    """Runs beside each server; an operation is worked off by one at a time."""

    def __init__(
        self,
        *,
        repo: OperationRepo,
        leases: LeaseRepo,
        verbs: Mapping[BatchAction, BatchVerb],
        clock: Callable[[], datetime],
        interval: timedelta,
        retention: timedelta,
    ) -> None:
        """`interval` is the time between two looks for operations that another server was asked
        for, or has left; `retention` how long an operation is kept after its end.
        """
        self._repo = repo
        self._leases = leases
        self._verbs = verbs
        self._clock = clock
        self._interval = interval
        self._retention = retention
        self._held: dict[str, Lease] = {}
        self._woken = asyncio.Event()

    def wake(self) -> None:
        """Has it look for operations at once."""
        self._woken.set()

    async def run(self) -> None:
        """Works off all operations, again and again, until cancelled."""
        await repeat(
            self._work_and_purge,
            what="working off operations",
            pause=self._interval,
            news=self._woken,
        )

    async def work(self) -> None:
        """Works off all operations that no other server has, in turns."""
        while ids := await self._repo.list_unfinished(limit=_OPERATIONS):
            if not any([await self._take_turn(id) for id in ids]):
                return

    async def _work_and_purge(self) -> None:
        await self.work()
        await self._repo.purge(ended_before=self._clock() - self._retention)

    async def _take_turn(self, id: str) -> bool:
        """Does the next few executions of an operation; False where another server has it."""
        lease = self._held.setdefault(
            id, Lease(repo=self._leases, name=f"operation/{id}", clock=self._clock)
        )
        if not await lease.hold():
            del self._held[id]
            return False
        try:
            operation = await self._repo.get(id)
        except OperationNotFound:
            operation = None
        if operation is None or operation.ended_at is not None:
            await self._leave(id)
        elif operation.cancel_requested_at is not None:
            await self._end(operation)
        elif items := await self._repo.next_items(id, limit=_AT_ONCE):
            await self._do(operation, items)
        else:
            await self._end(operation)
        return True

    async def _do(self, operation: Operation, items: Sequence[BatchItem]) -> None:
        verb = self._verbs[operation.action]
        answers = await asyncio.gather(
            *(self._try(verb, operation, item.execution_id) for item in items),
            return_exceptions=True,
        )
        outcomes: dict[BatchItem, BatchFailure | None] = {}
        put_off: BaseException | None = None
        for item, answer in zip(items, answers, strict=True):
            if isinstance(answer, BaseException):
                put_off = answer
            else:
                outcomes[item] = answer
        await self._repo.record(operation.id, outcomes)
        if put_off is not None:
            raise put_off

    async def _try(
        self, verb: BatchVerb, operation: Operation, execution_id: str
    ) -> BatchFailure | None:
        """How it refused, if it did. Raises Unavailable."""
        step = BatchStep(
            execution_id=execution_id,
            reason=operation.reason,
            request_id=f"{operation.id}/{execution_id}",
        )
        try:
            await verb(step)
        except Unavailable:
            raise
        except DomainError as error:
            return BatchFailure(
                execution_id=execution_id, reason=error.reason, message=error.message
            )
        except Exception:
            _log.exception("an operation failed at an execution", execution_id=execution_id)
            message = "the service failed; its log has more"
            return BatchFailure(execution_id=execution_id, reason="INTERNAL", message=message)
        return None

    async def _end(self, operation: Operation) -> None:
        await self._repo.end(operation.id, self._clock())
        await self._leave(operation.id)
        _log.info("an operation ended", id=operation.id, action=operation.action.value)

    async def _leave(self, id: str) -> None:
        await self._held.pop(id).give_back()
