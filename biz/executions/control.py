"""What can be asked of an execution while it runs: to be held, to go on, to end."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

import structlog

from biz.engine import Engine, RunOrder, Verb
from biz.errors import EngineUnavailable, ExecutionEnded, InvalidArgument
from biz.executions.execution import Execution, ExecutionStatus
from biz.executions.runs import ExecutionRuns
from biz.limits import MAX_REASON_LENGTH, check_length

_BATCH = 100

_CHILD_GRACE = timedelta(minutes=10)
"""So long after a child was stored the run around it may still start it."""

_ENDS_BY = {
    Verb.CANCEL: ExecutionStatus.CANCELLED,
    Verb.TERMINATE: ExecutionStatus.TERMINATED,
}
"""The end at which a verb has been done; at all others, and for all other verbs, it is refused."""

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What is asked of an execution; `order` is what its run is told.

    `was_started` says that its run has begun, `is_sent` that the engine knows of the wish.
    """

    execution: Execution
    order: RunOrder
    was_started: bool
    is_sent: bool


class WishRepo(Protocol):
    """Where it is kept what is asked of executions. Every method is one unit of work."""

    async def ask(self, id: str, verb: Verb, *, reason: str, now: datetime) -> Wish:
        """Stores a wish, and changes the execution as it says.

        A suspension and a resumption show at once, and a termination ends the execution. Where
        there is nothing to change, because it has been asked before or the execution has ended,
        gives what was asked last. After a cancellation nothing but a termination can be asked.

        Raises ExecutionNotFound.
        """
        ...

    async def list_unsent(self, *, after_id: str, limit: int) -> Sequence[Wish]:
        """Those that the engine may not know, in the order of their executions' ids."""
        ...

    async def mark_sent(self, id: str, sequence: int) -> None:
        """The engine knows of a wish, and so of all before it."""
        ...


class ExecutionControl:
    """Suspends, resumes, cancels and terminates executions.

    A wish is stored before it is sent, and sent again where the engine doesn't answer.
    """

    def __init__(
        self,
        *,
        repo: WishRepo,
        runs: ExecutionRuns,
        engine: Engine,
        clock: Callable[[], datetime],
    ) -> None:
        self._repo = repo
        self._runs = runs
        self._engine = engine
        self._clock = clock

    async def suspend(self, id: str, *, reason: str = "") -> Execution:
        """Holds an execution before its next task. What is in flight ends.

        Raises InvalidArgument, ExecutionNotFound, ExecutionEnded; so do the others.
        """
        return await self._do(id, Verb.SUSPEND, reason)

    async def resume(self, id: str, *, reason: str = "") -> Execution:
        """Lets a suspended execution go on."""
        return await self._do(id, Verb.RESUME, reason)

    async def cancel(self, id: str, *, reason: str = "") -> Execution:
        """Has an execution end CANCELLED soon."""
        return await self._do(id, Verb.CANCEL, reason)

    async def terminate(self, id: str, *, reason: str = "") -> Execution:
        """Ends an execution at once."""
        return await self._do(id, Verb.TERMINATE, reason)

    async def send_unsent(self) -> None:
        """Sends what the engine may not know. Raises EngineUnavailable."""
        after = ""
        while found := await self._repo.list_unsent(after_id=after, limit=_BATCH):
            for wish in found:
                await self._send(wish)
            after = found[-1].execution.id

    async def _do(self, id: str, verb: Verb, reason: str) -> Execution:
        if faults := list(check_length("reason", reason, MAX_REASON_LENGTH)):
            raise InvalidArgument(faults)
        wish = await self._repo.ask(id, verb, reason=reason, now=self._clock())
        status = wish.execution.status
        if status.is_end and _ENDS_BY.get(verb) is not status:
            raise ExecutionEnded(id, status)
        _log.info("control", execution_id=id, verb=verb, status=status, reason=reason)
        with suppress(EngineUnavailable):  # the reconciler sends it then
            await self._send(wish)
        return wish.execution

    async def _send(self, wish: Wish) -> None:
        """Raises EngineUnavailable."""
        if not wish.is_sent and await self._tell(wish):
            await self._repo.mark_sent(wish.execution.id, wish.order.sequence)

    async def _tell(self, wish: Wish) -> bool:
        """Tells the engine; False where the run is yet to be started by another one."""
        execution, order = wish.execution, wish.order
        if not wish.was_started and not execution.parent_id:
            await self._runs.start_with(execution, order)  # nobody can start it later, then
        if await self._deliver(execution.id, order) or wish.was_started or not execution.parent_id:
            return True
        return self._clock() - execution.created_at > _CHILD_GRACE

    async def _deliver(self, id: str, order: RunOrder) -> bool:
        if order.verb is Verb.TERMINATE:
            return await self._engine.terminate(id, order.reason)
        is_under_way = await self._engine.order(id, order)
        if order.verb is Verb.CANCEL:
            await self._engine.cancel(id)
        return is_under_way
