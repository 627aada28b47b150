"""Statistics: how many executions there are, how they ended, how long they and their tasks took.

A percentile is a value that occurs (nearest rank): p95 is the least one that at least 95 of 100
don't exceed.
"""

from __future__ import annotations

import asyncio
import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Protocol

from biz.errors import InvalidArgument, Violation
from biz.executions.execution import ExecutionQuery, ExecutionStatus

PERCENTILES = (0.5, 0.95, 0.99, 1.0)
MAX_INTERVALS = 1000
MAX_INTERVAL = timedelta(days=366)
MAX_TASK_EXECUTIONS = 1000
MAX_TASK_ENDS = 50_000
MAX_TASKS = 10

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_ITERATION = re.compile(r"/(for|foreach)/\d+/do(?=/)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Durations:
    """Percentiles of how long something took, and the longest."""

    p50: timedelta
    p95: timedelta
    p99: timedelta
    max: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class Totals:
    """How executions stand; `durations` are of those that have ended, None where none has."""

    by_status: Mapping[ExecutionStatus, int]
    durations: Durations | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Grid:
    """`count` stretches of time in a row, each `length` long, the first from `start` on."""

    start: datetime
    length: timedelta
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """How many executions started, completed and faulted from `start` on."""

    start: datetime
    started: int = 0
    completed: int = 0
    faulted: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskEnd:
    """The end of a task; `task` is its path, with the numbers of iterations."""

    execution_id: str
    template_id: int
    task: str
    is_fault: bool
    duration: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskStatistics:
    """How one task of a template does; `task` is its reference, without numbers of iterations."""

    template_id: int
    task: str
    count: int
    faulted: int
    durations: Durations


@dataclass(frozen=True, slots=True, kw_only=True)
class Statistics:
    """`success_rate` is the share of completed ones among those that ended; None without any.

    The tasks are those of the newest executions, `task_executions` of them.
    """

    total: int
    by_status: Mapping[ExecutionStatus, int]
    success_rate: float | None
    durations: Durations | None
    intervals: Sequence[Interval]
    slowest_tasks: Sequence[TaskStatistics]
    failing_tasks: Sequence[TaskStatistics]
    task_executions: int


class StatisticsRepo(Protocol):
    """What is counted where executions are kept. Labels and the like count in a query too."""

    async def totals(self, query: ExecutionQuery) -> Totals: ...

    async def first_created_at(self, query: ExecutionQuery) -> datetime | None:
        """When the oldest execution was accepted, None without any."""
        ...

    async def intervals(self, query: ExecutionQuery, grid: Grid) -> Sequence[Interval]:
        """The stretches of the grid in which something happened, in order."""
        ...

    async def task_ends(
        self, query: ExecutionQuery, *, executions: int, limit: int
    ) -> Sequence[TaskEnd]:
        """Tasks that completed or faulted in the newest `executions`; at most `limit`.

        Those of an execution stand together, and only the last execution's may be cut.
        """
        ...


class StatisticsUsecase:
    """What callers can learn of many executions at once."""

    def __init__(self, *, repo: StatisticsRepo, clock: Callable[[], datetime]) -> None:
        self._repo = repo
        self._clock = clock

    async def get(self, query: ExecutionQuery, *, interval: timedelta | None = None) -> Statistics:
        """Figures of the executions that match; with `interval`, over time too.

        Raises InvalidArgument for times in the wrong order, and for an interval that is out of
        range, or too short for the time that it divides.
        """
        if faults := list(_faults(query, interval)):
            raise InvalidArgument(faults)
        grid = await self._grid(query, interval) if interval else None
        totals, intervals, ends = await asyncio.gather(
            self._repo.totals(query),
            self._intervals(query, grid),
            self._repo.task_ends(query, executions=MAX_TASK_EXECUTIONS, limit=MAX_TASK_ENDS + 1),
        )
        whole = _whole_executions(ends)
        # In a thread, since there may be many.
        tasks = await asyncio.to_thread(_task_statistics, whole)
        failing = [task for task in tasks if task.faulted]
        return Statistics(
            total=sum(totals.by_status.values()),
            by_status={
                status: totals.by_status[status]
                for status in ExecutionStatus
                if totals.by_status.get(status)
            },
            success_rate=_success_rate(totals.by_status),
            durations=totals.durations,
            intervals=intervals,
            slowest_tasks=sorted(tasks, key=_slowness, reverse=True)[:MAX_TASKS],
            failing_tasks=sorted(failing, key=_failures, reverse=True)[:MAX_TASKS],
            task_executions=len({end.execution_id for end in whole}),
        )

    async def _grid(self, query: ExecutionQuery, length: timedelta) -> Grid | None:
        """The intervals of a query, None where there is no time to divide."""
        first = query.created_after or await self._repo.first_created_at(query)
        now = self._clock()
        last = min(query.created_before or now, now)
        if first is None or first >= last:
            return None
        first = max(first, _EPOCH)
        start = first - (first - _EPOCH) % length
        count = -((start - last) // length)
        if count > MAX_INTERVALS:
            message = (
                f"divides the time into {count} intervals, and at most {MAX_INTERVALS} are "
                "answered: choose a longer interval or less time"
            )
            raise InvalidArgument(
                [Violation(field="interval", code="too-many-intervals", message=message)]
            )
        return Grid(start=start, length=length, count=count)

    async def _intervals(self, query: ExecutionQuery, grid: Grid | None) -> Sequence[Interval]:
        if grid is None:
            return ()
        found = {interval.start: interval for interval in await self._repo.intervals(query, grid)}
        starts = (grid.start + grid.length * number for number in range(grid.count))
        return [found.get(start) or Interval(start=start) for start in starts]


def percentiles(ordered: Sequence[int]) -> list[int]:
    """The values of PERCENTILES; `ordered` ascends and isn't empty."""
    # To thousandths, since 0.95 times a whole number isn't always what it should be.
    return [ordered[-(-round(share * 1000) * len(ordered) // 1000) - 1] for share in PERCENTILES]


def to_durations(microseconds: Sequence[int]) -> Durations:
    """Those of PERCENTILES, in that order."""
    p50, p95, p99, longest = (timedelta(microseconds=value) for value in microseconds)
    return Durations(p50=p50, p95=p95, p99=p99, max=longest)


def _faults(query: ExecutionQuery, interval: timedelta | None) -> Iterator[Violation]:
    after, before = query.created_after, query.created_before
    if after and before and before <= after:
        message = "must be later than created_after"
        yield Violation(field="created_before", code="out-of-range", message=message)
    if interval is not None and not timedelta() < interval <= MAX_INTERVAL:
        message = "must be positive, and at most 366 days"
        yield Violation(field="interval", code="out-of-range", message=message)


def _success_rate(by_status: Mapping[ExecutionStatus, int]) -> float | None:
    ended = sum(count for status, count in by_status.items() if status.is_end)
    return by_status.get(ExecutionStatus.COMPLETED, 0) / ended if ended else None


def _whole_executions(ends: Sequence[TaskEnd]) -> Sequence[TaskEnd]:
    """Without an execution that the limit has cut, unless it is the only one."""
    if len(ends) <= MAX_TASK_ENDS:
        return ends
    cut = ends[-1].execution_id
    return [end for end in ends if end.execution_id != cut] or ends[:MAX_TASK_ENDS]


def _task_statistics(ends: Sequence[TaskEnd]) -> list[TaskStatistics]:
    """Of the tasks that hold no others: one that does is as slow, and fails, as what it holds."""
    durations: dict[tuple[int, str], list[int]] = defaultdict(list)
    faults: dict[tuple[int, str], int] = defaultdict(int)
    references: dict[str, str] = {}
    for end in ends:
        reference = references.get(end.task)
        if reference is None:
            reference = references[end.task] = _reference(end.task)
        key = (end.template_id, reference)
        durations[key].append(end.duration // timedelta(microseconds=1))
        faults[key] += end.is_fault
    holders = {(template_id, outer) for template_id, task in durations for outer in _around(task)}
    return [
        TaskStatistics(
            template_id=template_id,
            task=task,
            count=len(took),
            faulted=faults[template_id, task],
            durations=to_durations(percentiles(sorted(took))),
        )
        for (template_id, task), took in durations.items()
        if (template_id, task) not in holders
    ]


def _reference(path: str) -> str:
    """Where a task stands in its definition, whichever iteration it was in."""
    return _ITERATION.sub(lambda match: "/do" if match[1] == "for" else "/foreach/do", path)


def _around(task: str) -> Iterator[str]:
    """The pointers that a task's pointer begins with, its own left out."""
    end = task.rfind("/")
    while end > 0:
        yield task[:end]
        end = task.rfind("/", 0, end)


def _slowness(task: TaskStatistics) -> tuple[timedelta, timedelta]:
    return task.durations.p95, task.durations.max


def _failures(task: TaskStatistics) -> tuple[int, float]:
    return task.faulted, task.faulted / task.count
