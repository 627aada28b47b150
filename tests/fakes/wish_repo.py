"""What is asked of executions, in memory."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from biz.engine import RunOrder, Verb
from biz.executions.control import Wish
from biz.executions.execution import Execution, ExecutionStatus
from tests.fakes.execution_repo import FakeExecutionRepo

_STATUSES = {
    Verb.SUSPEND: ExecutionStatus.SUSPENDED,
    Verb.RESUME: ExecutionStatus.RUNNING,
    Verb.TERMINATE: ExecutionStatus.TERMINATED,
}


class FakeWishRepo:
    """`biz.executions.control.WishRepo` beside a repository of executions.

    Every wish is a new one, but where the execution has ended.
    """

    def __init__(self, executions: FakeExecutionRepo) -> None:
        self._executions = executions
        self._orders: dict[str, RunOrder] = {}
        self._sent: dict[str, int] = {}

    async def ask(self, id: str, verb: Verb, *, reason: str, now: datetime) -> Wish:
        execution = await self._executions.get(id)
        if not execution.status.is_end:
            sequence = self._orders[id].sequence + 1 if id in self._orders else 1
            self._orders[id] = RunOrder(sequence=sequence, verb=verb, reason=reason)
            status = _STATUSES.get(verb, execution.status)
            ended_at = now if status.is_end else None
            execution = replace(execution, status=status, ended_at=ended_at)
            self._executions.executions[id] = execution
        return self._wish(execution)

    async def list_unsent(self, *, after_id: str, limit: int) -> Sequence[Wish]:
        executions = map(self._executions.executions.__getitem__, sorted(self._orders))
        wishes = [self._wish(execution) for execution in executions]
        return [w for w in wishes if not w.is_sent and w.execution.id > after_id][:limit]

    async def mark_sent(self, id: str, sequence: int) -> None:
        self._sent[id] = sequence

    def _wish(self, execution: Execution) -> Wish:
        order = self._orders.get(execution.id, RunOrder(sequence=0, verb=Verb.RESUME))
        return Wish(
            execution=execution,
            order=order,
            was_started=execution.started_at is not None,
            is_sent=self._sent.get(execution.id, 0) >= order.sequence,
        )
