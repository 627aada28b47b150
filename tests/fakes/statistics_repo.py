"""Statistics as they were given."""

from collections.abc import Sequence
from datetime import datetime

from biz.executions.execution import ExecutionQuery
from biz.statistics import Grid, Interval, TaskEnd, Totals


class FakeStatisticsRepo:
    """`biz.statistics.StatisticsRepo`; answers what it holds, whatever is asked.

    `grid` is the last one that was asked for.
    """

    def __init__(self) -> None:
        self.found = Totals(by_status={}, durations=None)
        self.first: datetime | None = None
        self.happened: Sequence[Interval] = ()
        self.ends: Sequence[TaskEnd] = ()
        self.grid: Grid | None = None

    async def totals(self, query: ExecutionQuery) -> Totals:
        return self.found

    async def first_created_at(self, query: ExecutionQuery) -> datetime | None:
        return self.first

    async def intervals(self, query: ExecutionQuery, grid: Grid) -> Sequence[Interval]:
        self.grid = grid
        return self.happened

    async def task_ends(
        self, query: ExecutionQuery, *, executions: int, limit: int
    ) -> Sequence[TaskEnd]:
        return self.ends[:limit]
