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
class Grid:
    """`count` stretches of time in a row, each `length` long, the first from `start` on.

    `start` is a multiple of `length` after 1970.
    """

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
class Counts:
    """How executions stand; `intervals` are those in which something happened, in order."""

    by_status: Mapping[ExecutionStatus, int]
    intervals: Sequence[Interval] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskEnds:
    """How often a task ended and how long it took each time, in microseconds.

    `task` is its path, with the numbers of iterations.
    """

    template_id: int
    task: str
    faulted: int
    durations: Sequence[int]


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskSample:
    """The ends of tasks in some executions, and in how many there are any."""

    executions: int
    tasks: Sequence[TaskEnds]


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

    async def counts(self, query: ExecutionQuery, grid: Grid | None) -> Counts:
        """By status, and with a grid by its intervals."""
        ...

    async def durations(self, query: ExecutionQuery) -> Durations | None:
        """Of those that have ended, None where none has."""
        ...

    async def first_created_at(self, query: ExecutionQuery) -> datetime | None:
        """When the oldest execution was accepted, None without any."""
        ...

    async def task_sample(
        self, query: ExecutionQuery, *, executions: int, limit: int
    ) -> TaskSample:
        """Of tasks that completed or faulted in the newest `executions`, as many of these as have
        no more than `limit` ends; the newest one in any case, up to about the limit.
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
        counts, durations, sample = await asyncio.gather(
            self._repo.counts(query, grid),
            self._repo.durations(query),
            self._repo.task_sample(query, executions=MAX_TASK_EXECUTIONS, limit=MAX_TASK_ENDS),
        )
        # In a thread, since there may be many.
        tasks = await asyncio.to_thread(_task_statistics, sample.tasks)
        failing = [task for task in tasks if task.faulted]
        return Statistics(
            total=sum(counts.by_status.values()),
            by_status={
                status: counts.by_status[status]
                for status in ExecutionStatus
                if counts.by_status.get(status)
            },
            success_rate=_success_rate(counts.by_status),
            durations=durations,
            intervals=_all_intervals(grid, counts.intervals) if grid else (),
            slowest_tasks=sorted(tasks, key=_slowness, reverse=True)[:MAX_TASKS],
            failing_tasks=sorted(failing, key=_failures, reverse=True)[:MAX_TASKS],
            task_executions=sample.executions,
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


def _all_intervals(grid: Grid, found: Sequence[Interval]) -> Sequence[Interval]:
    by_start = {interval.start: interval for interval in found}
    starts = (grid.start + grid.length * number for number in range(grid.count))
    return [by_start.get(start) or Interval(start=start) for start in starts]


def _success_rate(by_status: Mapping[ExecutionStatus, int]) -> float | None:
    ended = sum(count for status, count in by_status.items() if status.is_end)
    return by_status.get(ExecutionStatus.COMPLETED, 0) / ended if ended else None


def _task_statistics(ends: Sequence[TaskEnds]) -> list[TaskStatistics]:
    """Of the tasks that hold no others: one that does is as slow, and fails, as what it holds."""
    durations: dict[tuple[int, str], list[int]] = defaultdict(list)
    faults: dict[tuple[int, str], int] = defaultdict(int)
    for end in ends:
        key = (end.template_id, _reference(end.task))
        durations[key] += end.durations
        faults[key] += end.faulted
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
