"""PeeweeStatisticsRepo, on both databases."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from random import Random

import peewee
import pytest

from biz.dsl.lifecycle import LifecycleEvent, LifecycleType
from biz.executions.execution import (
    ExecutionEnd,
    ExecutionProgress,
    ExecutionQuery,
    ExecutionStatus,
    NewExecution,
)
from biz.executions.history_batch import HistoryBatch
from biz.statistics import Counts, Durations, Grid, Interval, TaskSample
from data.database import Database
from data.execution import PeeweeExecutionRepo
from data.statistics import PeeweeStatisticsRepo
from tests.fixtures.repos import NOW, new_execution

SECOND = timedelta(seconds=1)
HOUR = timedelta(hours=1)
NOON = datetime(2025, 3, 14, 12, tzinfo=UTC)
ALL = ExecutionQuery()


@pytest.fixture
def statistics(database: Database) -> PeeweeStatisticsRepo:
    return PeeweeStatisticsRepo(database=database)


async def run(
    executions: PeeweeExecutionRepo,
    new: NewExecution,
    *,
    seconds: float = 0,
    status: ExecutionStatus = ExecutionStatus.COMPLETED,
) -> None:
    """Starts an execution when it was accepted, and ends it so much later."""
    await executions.create(new, None)
    started = ExecutionProgress(
        sequence=0, status=ExecutionStatus.RUNNING, current_tasks=(), at=new.created_at
    )
    await executions.record_progress(new.id, started)
    if status.is_end:
        ended_at = new.created_at + seconds * SECOND
        end = ExecutionEnd(status=status, output=None, error=None, ended_at=ended_at)
        await executions.record_end(new.id, end)


def at(id: str, moment: datetime) -> NewExecution:
    return replace(new_execution(id), created_at=moment)


async def test_of_nothing_there_is_nothing(statistics: PeeweeStatisticsRepo) -> None:
    nothing = Counts(by_status={}, intervals=[])
    assert await statistics.counts(ALL, None) == nothing
    assert await statistics.counts(ALL, Grid(start=NOON, length=HOUR, count=3)) == nothing
    assert await statistics.durations(ALL) is None
    assert await statistics.first_created_at(ALL) is None
    nowhere = TaskSample(executions=0, tasks=[])
    assert await statistics.task_sample(ALL, executions=10, limit=10) == nowhere


async def test_statuses_are_counted_and_what_has_ended_is_measured(
    executions: PeeweeExecutionRepo, statistics: PeeweeStatisticsRepo
) -> None:
    await executions.create(new_execution("pending"), None)
    await run(executions, new_execution("live"), status=ExecutionStatus.RUNNING)
    await run(executions, new_execution("c1"), seconds=1.000001)
    await run(executions, new_execution("c2"), seconds=3)
    await run(executions, new_execution("f"), seconds=2, status=ExecutionStatus.FAULTED)
    for grid in None, Grid(start=NOON, length=HOUR, count=1):
        assert (await statistics.counts(ALL, grid)).by_status == {
            ExecutionStatus.PENDING: 1,
            ExecutionStatus.RUNNING: 1,
            ExecutionStatus.COMPLETED: 2,
            ExecutionStatus.FAULTED: 1,
        }
    assert await statistics.durations(ALL) == Durations(
        p50=2 * SECOND, p95=3 * SECOND, p99=3 * SECOND, max=3 * SECOND
    )


async def test_percentiles_are_exact(
    executions: PeeweeExecutionRepo, statistics: PeeweeStatisticsRepo
) -> None:
    lengths = list(range(1, 121))
    Random(4).shuffle(lengths)
    for length in lengths:
        await run(executions, new_execution(f"e{length}"), seconds=length)
    assert await statistics.durations(ALL) == Durations(
        p50=60 * SECOND, p95=114 * SECOND, p99=119 * SECOND, max=120 * SECOND
    )


@pytest.mark.parametrize(
    "query",
    [
        ExecutionQuery(namespace="other"),
        ExecutionQuery(template_id=8),
        ExecutionQuery(template_name="refund"),
        ExecutionQuery(created_after=NOW),
        ExecutionQuery(created_before=NOW - HOUR),
    ],
    ids=repr,
)
async def test_filters_hold_for_every_figure(
    executions: PeeweeExecutionRepo, statistics: PeeweeStatisticsRepo, query: ExecutionQuery
) -> None:
    await run(executions, new_execution("meant not"), seconds=9)
    meant = new_execution(
        "meant",
        namespace=query.namespace or "shop",
        template_id=query.template_id or 7,
        template_name=query.template_name or "order",
    )
    if query.created_after:
        meant = replace(meant, created_at=NOW + SECOND)
    if query.created_before:
        meant = replace(meant, created_at=NOW - 2 * HOUR)
    await run(executions, meant, seconds=1)
    for id in ("meant", "meant not"):
        await executions.record_events(id, HistoryBatch.of(ends(f"/do/0/{id}")))

    by_status = {ExecutionStatus.COMPLETED: 1}
    assert await statistics.counts(query, None) == Counts(by_status=by_status, intervals=[])
    grid = Grid(start=datetime(2025, 1, 1, tzinfo=UTC), length=timedelta(days=1), count=999)
    counts = await statistics.counts(query, grid)
    assert counts.by_status == by_status
    assert [(i.started, i.completed, i.faulted) for i in counts.intervals] == [(1, 1, 0)]
    assert await statistics.durations(query) == Durations(
        p50=SECOND, p95=SECOND, p99=SECOND, max=SECOND
    )
    assert await statistics.first_created_at(query) == meant.created_at
    found = await statistics.task_sample(query, executions=10, limit=10)
    assert [task.task for task in found.tasks] == ["/do/0/meant"]


async def test_intervals_hold_what_happened_from_their_start_to_the_next(
    executions: PeeweeExecutionRepo, statistics: PeeweeStatisticsRepo
) -> None:
    microsecond = timedelta(microseconds=1)
    await executions.create(at("pending", NOON), None)
    await run(executions, at("a", NOON), seconds=3600)
    await run(executions, at("b", NOON + HOUR - microsecond), status=ExecutionStatus.FAULTED)
    await run(executions, at("c", NOON + HOUR), status=ExecutionStatus.CANCELLED)
    await run(executions, at("d", NOON - microsecond), seconds=1)
    await run(executions, at("e", NOON + 3 * HOUR), seconds=3600)
    grid = Grid(start=NOON, length=HOUR, count=4)
    assert (await statistics.counts(ALL, grid)).intervals == [
        Interval(start=NOON, started=2, completed=1, faulted=1),
        Interval(start=NOON + HOUR, started=1, completed=1),
        Interval(start=NOON + 3 * HOUR, started=1),
    ]


def ends(*tasks: str, type: LifecycleType = LifecycleType.TASK_COMPLETED) -> list[LifecycleEvent]:
    return [
        LifecycleEvent(
            sequence=sequence,
            type=type,
            time=NOW + sequence * SECOND,
            task=task,
            started_at=NOW,
        )
        for sequence, task in enumerate(tasks, start=1)
    ]


async def test_ends_of_tasks_are_those_of_the_newest_executions(
    executions: PeeweeExecutionRepo, statistics: PeeweeStatisticsRepo
) -> None:
    for number in range(4):
        id = f"e{number}"
        await executions.create(new_execution(id, age=number * HOUR), None)
        task = LifecycleType.TASK_FAULTED if number == 1 else LifecycleType.TASK_COMPLETED
        others = (
            LifecycleEvent(sequence=7, type=LifecycleType.TASK_CREATED, time=NOW, task="/do/0/x"),
            LifecycleEvent(sequence=8, type=LifecycleType.WORKFLOW_STARTED, time=NOW),
        )
        await executions.record_events(
            id, HistoryBatch.of([*ends("/do/0/a\0b", f"/do/1/{id}", type=task), *others])
        )

    async def found(executions: int, limit: int) -> Mapping[str, tuple[int, Sequence[int]]]:
        sample = await statistics.task_sample(ALL, executions=executions, limit=limit)
        assert {task.template_id for task in sample.tasks} == {7}
        assert sample.executions == len(sample.tasks) - 1
        return {task.task: (task.faulted, task.durations) for task in sample.tasks}

    second = 1_000_000
    newest = {
        "/do/0/a\0b": (1, [second, second]),
        "/do/1/e0": (0, [2 * second]),
        "/do/1/e1": (1, [2 * second]),
    }
    assert await found(2, 100) == newest
    # What the limit would cut counts for nothing.
    assert await found(4, 4) == await found(4, 5) == newest
    assert len(await found(4, 8)) == 5


async def test_the_newest_execution_counts_as_far_as_the_limit_reaches(
    executions: PeeweeExecutionRepo, statistics: PeeweeStatisticsRepo
) -> None:
    for id, age in ("long", 0 * HOUR), ("old", HOUR):
        await executions.create(new_execution(id, age=age), None)
        tasks = [f"/do/{number}/{id}" for number in range(9)]
        await executions.record_events(id, HistoryBatch.of(ends(*tasks)))
    sample = await statistics.task_sample(ALL, executions=10, limit=4)
    assert sample.executions == 1
    assert len(sample.tasks) == 5
    assert all(task.task.endswith("/long") for task in sample.tasks)


async def test_counts_and_durations_are_read_from_an_index_alone(
    database: Database, statistics: PeeweeStatisticsRepo
) -> None:
    events: list[peewee.QueryEvent] = []

    def explain(db: peewee.Database) -> str:
        statements = events.copy()
        if not isinstance(db, peewee.PostgresqlDatabase):
            return plans("EXPLAIN QUERY PLAN", db, statements)
        with db.atomic() as trial:
            # It reads so small a table whole, or by an index that is as good for few rows.
            db.execute_sql("SET LOCAL enable_seqscan = off")
            db.execute_sql("SET LOCAL enable_bitmapscan = off")
            db.execute_sql("DROP INDEX execution_ended, execution_history")
            plan = plans("EXPLAIN", db, statements)
            trial.rollback()
        return plan

    def plans(command: str, db: peewee.Database, statements: list[peewee.QueryEvent]) -> str:
        return "\n".join(
            str(db.execute_sql(f"{command} {event.sql}", event.params).fetchall())
            for event in statements
            if event.sql.startswith(("SELECT", "WITH"))
        )

    await database.read(lambda db: db.query_hooks.append(events.append))
    query = ExecutionQuery(created_after=NOW - HOUR, created_before=NOW)
    await statistics.counts(query, None)
    await statistics.counts(query, Grid(start=NOON, length=HOUR, count=3))
    await statistics.durations(query)
    plan = await database.write(explain)

    used = plan.count("COVERING INDEX execution_created_at")
    used += plan.count("Index Only Scan using execution_created_at")
    assert used == 3, plan
