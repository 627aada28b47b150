"""Executions in memory."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from biz.errors import BusinessKeyInUse, ExecutionNotFound, RequestIdReused
from biz.executions.execution import (
    Execution,
    ExecutionEnd,
    ExecutionProgress,
    ExecutionQuery,
    ExecutionStatus,
    NewExecution,
)
from biz.executions.history_batch import NO_HISTORY, HistoryBatch, HistoryEntry
from biz.idempotency import RequestKey
from biz.paging import Rows, Slice

_KEPT = [name for name in NewExecution.__slots__ if name not in {"hooks", "hook_of"}]


class FakeExecutionRepo:
    """`biz.executions.execution.ExecutionRepo`; `asked` holds the last list's query and slice.

    `events` are the histories by execution, `made` what each was made of.
    """

    def __init__(self) -> None:
        self.executions: dict[str, Execution] = {}
        self.made: dict[str, NewExecution] = {}
        self.asked: tuple[ExecutionQuery, Slice] | None = None
        self.events: dict[str, list[HistoryEntry]] = {}
        self._sequences: dict[str, int] = {}
        self._requests: dict[tuple[str, str, str], tuple[str, str]] = {}

    async def create(self, execution: NewExecution, request: RequestKey | None) -> Execution:
        if request and (known := await self.find_by_request(request)):
            return known
        for other in self.executions.values():
            if (
                execution.business_key
                and not other.status.is_end
                and (other.namespace, other.business_key)
                == (execution.namespace, execution.business_key)
            ):
                raise BusinessKeyInUse(execution.business_key, other.id)
        stored = Execution(
            status=ExecutionStatus.PENDING,
            output=None,
            error=None,
            current_tasks=(),
            started_at=None,
            ended_at=None,
            **{name: getattr(execution, name) for name in _KEPT},
        )
        self.executions[stored.id] = stored
        self.made[stored.id] = execution
        return await self.bind_request(request, stored.id) if request else stored

    async def get(self, id: str) -> Execution:
        if id not in self.executions:
            raise ExecutionNotFound(id)
        return self.executions[id]

    async def find_by_request(self, request: RequestKey) -> Execution | None:
        known = self._requests.get((request.namespace, request.rpc, request.request_id))
        if known is None:
            return None
        digest, id = known
        if digest != request.digest:
            raise RequestIdReused(request.request_id)
        return self.executions[id]

    async def bind_request(self, request: RequestKey, id: str) -> Execution:
        if known := await self.find_by_request(request):
            return known
        key = (request.namespace, request.rpc, request.request_id)
        self._requests[key] = (request.digest, id)
        return self.executions[id]

    async def list(self, query: ExecutionQuery, slice: Slice) -> Rows[Execution]:
        self.asked = (query, slice)
        return Rows(items=list(self.executions.values()), place=None)

    async def list_pending(self, *, created_before: datetime, limit: int) -> Sequence[Execution]:
        return [
            execution
            for execution in self.executions.values()
            if execution.status is ExecutionStatus.PENDING
            and execution.created_at < created_before
            and not execution.parent_id
        ][:limit]

    async def list_live(self, *, after_id: str, limit: int) -> Sequence[str]:
        live = [e.id for e in self.executions.values() if not e.status.is_end and e.id > after_id]
        return sorted(live)[:limit]

    async def record_progress(
        self, id: str, progress: ExecutionProgress, events: HistoryBatch = NO_HISTORY
    ) -> None:
        await self.record_events(id, events)
        known = self.executions.get(id)
        if known and not known.status.is_end and self._sequences.get(id, -1) < progress.sequence:
            self._sequences[id] = progress.sequence
            self.executions[id] = replace(
                known,
                status=progress.status,
                current_tasks=progress.current_tasks,
                started_at=known.started_at or progress.at,
            )

    async def record_end_from_outside(self, id: str, end: ExecutionEnd) -> None:
        await self.record_end(id, end)

    async def record_events(self, id: str, events: HistoryBatch) -> None:
        self.events.setdefault(id, []).extend(events.entries)

    async def record_end(
        self, id: str, end: ExecutionEnd, events: HistoryBatch = NO_HISTORY
    ) -> None:
        await self.record_events(id, events)
        known = self.executions.get(id)
        if known and not known.status.is_end:
            self.executions[id] = replace(
                known,
                status=end.status,
                output=end.output,
                error=end.error,
                ended_at=end.ended_at,
                current_tasks=(),
            )
