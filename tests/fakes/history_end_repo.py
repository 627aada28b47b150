"""Ends of histories in memory."""

from collections.abc import Sequence

from biz.executions.execution import Execution
from biz.executions.history_batch import HistoryBatch


class FakeHistoryEndRepo:
    """`biz.executions.history_end.HistoryEndRepo`; `closed` is what was added, by execution."""

    def __init__(self) -> None:
        self.open: dict[str, Execution] = {}
        self.closed: dict[str, HistoryBatch] = {}

    async def list_open(self, *, after_id: str, limit: int) -> Sequence[Execution]:
        return [self.open[id] for id in sorted(self.open) if id > after_id][:limit]

    async def close(self, execution: Execution, events: HistoryBatch, checkpoint: str) -> None:
        self.closed[execution.id] = events
        self.open.pop(execution.id, None)
