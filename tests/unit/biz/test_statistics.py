from datetime import UTC, datetime, timedelta

import pytest

from biz.errors import InvalidArgument
from biz.executions.execution import ExecutionQuery, ExecutionStatus
from biz.statistics import (
    Counts,
    Durations,
    Grid,
    Interval,
    StatisticsUsecase,
    TaskEnds,
    TaskSample,
    percentiles,
)
from tests.fakes.statistics_repo import FakeStatisticsRepo
from tests.fixtures.repos import Clock

HOUR = timedelta(hours=1)
SECOND = timedelta(seconds=1)
NOON = datetime(2025, 3, 14, 12, tzinfo=UTC)
ALL = ExecutionQuery()


@pytest.fixture
def repo() -> FakeStatisticsRepo:
    return FakeStatisticsRepo()


@pytest.fixture
def usecase(repo: FakeStatisticsRepo, clock: Clock) -> StatisticsUsecase:
    clock.now = NOON + 2.5 * HOUR
    return StatisticsUsecase(repo=repo, clock=clock)


def ends(task: str, *seconds: float, faulted: int = 0, template: int = 7) -> TaskEnds:
    return TaskEnds(
        template_id=template,
        task=task,
        faulted=faulted,
        durations=[round(each * 1_000_000) for each in seconds],
    )


@pytest.mark.parametrize(
    ("ordered", "expected"),
    [
        ([5], [5, 5, 5, 5]),
        ([1, 2], [1, 2, 2, 2]),
        (range(1, 101), [50, 95, 99, 100]),
        (range(1, 201), [100, 190, 198, 200]),
        (range(1, 12), [6, 11, 11, 11]),
    ],
)
def test_percentiles_are_values_that_occur(ordered: list[int], expected: list[int]) -> None:
    assert percentiles(ordered) == expected


async def test_totals_are_told_by_the_statuses_that_occur(
    usecase: StatisticsUsecase, repo: FakeStatisticsRepo
) -> None:
    repo.took = Durations(p50=SECOND, p95=SECOND, p99=SECOND, max=2 * SECOND)
    repo.found = Counts(
        by_status={
            ExecutionStatus.COMPLETED: 3,
            ExecutionStatus.FAULTED: 1,
            ExecutionStatus.RUNNING: 2,
            ExecutionStatus.PENDING: 0,
        }
    )
    found = await usecase.get(ALL)
    assert found.total == 6
    assert list(found.by_status.items()) == [
        (ExecutionStatus.RUNNING, 2),
        (ExecutionStatus.FAULTED, 1),
        (ExecutionStatus.COMPLETED, 3),
    ]
    assert (found.success_rate, found.durations) == (0.75, repo.took)
    assert (found.intervals, found.slowest_tasks, found.task_executions) == ((), [], 0)


async def test_where_nothing_has_ended_there_is_no_rate(
    usecase: StatisticsUsecase, repo: FakeStatisticsRepo
) -> None:
    repo.found = Counts(by_status={ExecutionStatus.RUNNING: 2})
    found = await usecase.get(ALL)
    assert (found.success_rate, found.durations) == (None, None)


async def test_intervals_are_whole_and_leave_none_out(
    usecase: StatisticsUsecase, repo: FakeStatisticsRepo
) -> None:
    happened = Interval(start=NOON + HOUR, started=2, faulted=1)
    repo.found = Counts(by_status={}, intervals=[happened])
    query = ExecutionQuery(created_after=NOON + 5 * SECOND)
    found = await usecase.get(query, interval=HOUR)
    assert repo.grid == Grid(start=NOON, length=HOUR, count=3)
    assert found.intervals == [
        Interval(start=NOON),
        happened,
        Interval(start=NOON + 2 * HOUR),
    ]


@pytest.mark.parametrize(
    ("query", "first", "start", "count"),
    [
        (ExecutionQuery(created_after=NOON, created_before=NOON + HOUR), None, NOON, 1),
        (ExecutionQuery(created_after=NOON, created_before=NOON + 50 * HOUR), None, NOON, 3),
        (ExecutionQuery(created_before=NOON), NOON - HOUR / 2, NOON - HOUR, 1),
        (ALL, NOON + HOUR, NOON + HOUR, 2),
    ],
)
async def test_intervals_reach_over_the_time_that_is_asked_for(
    usecase: StatisticsUsecase,
    repo: FakeStatisticsRepo,
    query: ExecutionQuery,
    first: datetime | None,
    start: datetime,
    count: int,
) -> None:
    repo.first = first
    await usecase.get(query, interval=HOUR)
    assert repo.grid == Grid(start=start, length=HOUR, count=count)


@pytest.mark.parametrize("query", [ALL, ExecutionQuery(created_after=NOON + 9 * HOUR)])
async def test_where_there_is_no_time_there_are_no_intervals(
    usecase: StatisticsUsecase, repo: FakeStatisticsRepo, query: ExecutionQuery
) -> None:
    assert (await usecase.get(query, interval=HOUR)).intervals == ()
    assert repo.grid is None


@pytest.mark.parametrize(
    ("query", "interval", "fault"),
    [
        (ExecutionQuery(created_after=NOON, created_before=NOON), None, "created_before"),
        (ExecutionQuery(created_after=NOON, created_before=NOON - SECOND), None, "created_before"),
        (ALL, timedelta(), "interval"),
        (ALL, -HOUR, "interval"),
        (ALL, timedelta(days=367), "interval"),
        (ExecutionQuery(created_after=NOON), SECOND, "interval"),
        (ExecutionQuery(created_after=datetime(1, 1, 1, tzinfo=UTC)), HOUR, "interval"),
    ],
)
async def test_what_means_nothing_is_refused(
    usecase: StatisticsUsecase, query: ExecutionQuery, interval: timedelta | None, fault: str
) -> None:
    with pytest.raises(InvalidArgument) as refused:
        await usecase.get(query, interval=interval)
    assert [violation.field for violation in refused.value.violations] == [fault]


async def test_an_interval_too_short_for_all_executions_is_refused(
    usecase: StatisticsUsecase, repo: FakeStatisticsRepo
) -> None:
    repo.first = NOON - timedelta(days=9)
    with pytest.raises(InvalidArgument, match="into 13110 intervals, and at most 1000"):
        await usecase.get(ALL, interval=timedelta(minutes=1))


async def test_tasks_are_told_by_their_place_in_the_definition(
    usecase: StatisticsUsecase, repo: FakeStatisticsRepo
) -> None:
    repo.sample = TaskSample(
        executions=2,
        tasks=[
            ends("/do/0/loop/for/0/do/0/call", 1),
            ends("/do/0/loop/for/1/do/0/call", 3, faulted=1),
            ends("/do/0/loop", 4, faulted=1),
            ends("/do/1/listen/foreach/12/do/0/note", 2),
            ends("/do/0/loop/for/0/do/0/call", 9, template=8),
        ],
    )
    found = await usecase.get(ALL)
    assert [(t.template_id, t.task, t.count, t.faulted) for t in found.slowest_tasks] == [
        (8, "/do/0/loop/do/0/call", 1, 0),
        (7, "/do/0/loop/do/0/call", 2, 1),
        (7, "/do/1/listen/foreach/do/0/note", 1, 0),
    ]
    assert found.slowest_tasks[1].durations == Durations(
        p50=SECOND, p95=3 * SECOND, p99=3 * SECOND, max=3 * SECOND
    )
    assert [task.task for task in found.failing_tasks] == ["/do/0/loop/do/0/call"]
    assert found.task_executions == 2


async def test_the_ten_worst_tasks_are_told(
    usecase: StatisticsUsecase, repo: FakeStatisticsRepo
) -> None:
    tasks = [
        *(ends(f"/do/{n}/x", n, faulted=1) for n in range(12)),
        ends("/do/3/x", 0, 0, 0, faulted=3),
        ends("/do/4/x", 0, 0, faulted=1),
        ends("/do/5/x", 0, faulted=1),
    ]
    repo.sample = TaskSample(executions=1, tasks=tasks)
    found = await usecase.get(ALL)
    assert [task.task for task in found.slowest_tasks] == [f"/do/{n}/x" for n in range(11, 1, -1)]
    assert [task.task for task in found.failing_tasks][:3] == ["/do/3/x", "/do/5/x", "/do/4/x"]
    assert len(found.failing_tasks) == 10
