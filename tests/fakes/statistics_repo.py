"""Statistics as they were given."""

from datetime import datetime

from biz.executions.execution import ExecutionQuery
from biz.statistics import Counts, Durations, Grid, TaskSample


class FakeStatisticsRepo:
    """`biz.statistics.StatisticsRepo`; answers what it holds, whatever is asked.

    `grid` is the last one that was asked for.
    """

    def __init__(self) -> None:
        self.found = Counts(by_status={})
        self.took: Durations | None = None
        self.first: datetime | None = None
        self.sample = TaskSample(executions=0, tasks=())
        self.grid: Grid | None = None

    async def counts(self, query: ExecutionQuery, grid: Grid | None) -> Counts:
        self.grid = grid
        return self.found

    async def durations(self, query: ExecutionQuery) -> Durations | None:
        return self.took

    async def first_created_at(self, query: ExecutionQuery) -> datetime | None:
        return self.first

    async def task_sample(
        self, query: ExecutionQuery, *, executions: int, limit: int
    ) -> TaskSample:
        return self.sample
