"""PeeweeExecutionLogRepo, on both databases."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest

from biz.dsl.lifecycle import LifecycleEvent, LifecycleType
from biz.executions.history_batch import HistoryBatch
from biz.logs.log import ExecutionLog, LogLevel, LogQuery, lifecycle_line
from biz.paging import Order, Rows, Slice
from data.database import Database
from data.execution import PeeweeExecutionRepo
from data.execution_log import PeeweeExecutionLogRepo
from tests.fixtures.entities import EVENT, LOG
from tests.fixtures.repos import NOW

QUERY = LogQuery(execution_id="e1")


def line(seconds: float, message: str = "", **properties: Any) -> ExecutionLog:
    return ExecutionLog(
        **{
            "execution_id": "e1",
            "time": NOW + timedelta(seconds=seconds),
            "level": LogLevel.INFO,
            "message": message or f"line {seconds}",
            **properties,
        }
    )


def event(
    sequence: int,
    seconds: float,
    type: LifecycleType = LifecycleType.TASK_STARTED,
    task: str = "/do/0/x",
) -> LifecycleEvent:
    time = NOW + timedelta(seconds=seconds)
    return LifecycleEvent(sequence=sequence, type=type, time=time, task=task)


@pytest.fixture
def logs(database: Database) -> PeeweeExecutionLogRepo:
    return PeeweeExecutionLogRepo(database=database)


async def record(executions: PeeweeExecutionRepo, events: Sequence[LifecycleEvent]) -> None:
    await executions.record_events("e1", HistoryBatch.of(events))


async def page(
    logs: PeeweeExecutionLogRepo,
    query: LogQuery = QUERY,
    *,
    limit: int = 1000,
    after: tuple[Any, Any] | None = None,
    descending: bool = False,
    max_bytes: int = 1_000_000,
) -> Rows[ExecutionLog]:
    order = Order(field="time", descending=descending)
    slice = Slice(order=order, limit=limit, after=after, max_bytes=max_bytes, count=True)
    return await logs.list(query, slice)


async def messages(logs: PeeweeExecutionLogRepo, query: LogQuery = QUERY) -> list[str]:
    return [line.message for line in (await page(logs, query)).items]


async def walked(
    logs: PeeweeExecutionLogRepo, *, limit: int, descending: bool = False, max_bytes: int = 10_000
) -> list[str]:
    """The messages of all pages."""
    found: list[str] = []
    after = None
    while True:
        rows = await page(
            logs, limit=limit, after=after, descending=descending, max_bytes=max_bytes
        )
        assert 0 < len(rows.items) <= limit
        found += [line.message for line in rows.items]
        after = rows.place
        if after is None:
            return found


@pytest.mark.parametrize(
    "line",
    [LOG, line(1), line(1, "a\0b\ud800", task="/do/0/ä\ud800", fields={"a": [None, {"b": 1}]})],
    ids=repr,
)
async def test_what_is_added_comes_back_whole(
    logs: PeeweeExecutionLogRepo, line: ExecutionLog
) -> None:
    await logs.add([line])
    rows = await page(logs, LogQuery(execution_id=line.execution_id))
    assert (rows.items, rows.place, rows.total) == ([line], None, 1)


async def test_lines_of_the_history_stand_among_the_others(
    logs: PeeweeExecutionLogRepo, executions: PeeweeExecutionRepo
) -> None:
    await logs.add([line(1), line(3), line(2, execution_id="e2")])
    await record(executions, [event(1, 0, LifecycleType.TASK_CREATED), event(2, 1), EVENT])
    rows = await page(logs)
    assert rows.items == [
        lifecycle_line("e1", event(2, 1)), line(1), line(3), lifecycle_line("e1", EVENT)
    ]  # fmt: skip
    assert rows.total == 4


@pytest.mark.parametrize("descending", [False, True])
@pytest.mark.parametrize("limit", [1, 2, 3, 7, 50])
async def test_pages_have_each_line_once_in_order(
    logs: PeeweeExecutionLogRepo,
    executions: PeeweeExecutionRepo,
    limit: int,
    descending: bool,
) -> None:
    lines = [line(seconds, f"{seconds:02}") for seconds in (1, 2, 2, 5, 8, 9, 9)]
    events = [event(number, seconds) for number, seconds in enumerate((0, 2, 2, 2, 7, 8, 12))]
    await logs.add(lines)
    await record(executions, events)

    expected = [each.message for each in (await page(logs)).items]
    assert len(expected) == 14
    found = await walked(logs, limit=limit, descending=descending)
    assert found == (expected[::-1] if descending else expected)


async def test_a_page_ends_early_where_its_lines_are_long(
    logs: PeeweeExecutionLogRepo, executions: PeeweeExecutionRepo
) -> None:
    await logs.add([line(number, f"{number} {'x' * 1000}") for number in range(10)])
    await record(executions, [event(number, number) for number in range(1, 30)])
    rows = await page(logs, max_bytes=4000)
    assert len([line for line in rows.items if "xxx" in line.message]) == 2
    assert len(await walked(logs, limit=100, max_bytes=4000)) == 39


async def test_a_place_stays_right_when_lines_are_added(
    logs: PeeweeExecutionLogRepo, executions: PeeweeExecutionRepo
) -> None:
    await logs.add([line(1), line(2), line(3)])
    first = await page(logs, limit=2)
    await logs.add([line(0.5), line(2.5), line(4)])
    await record(executions, [event(1, 1)])
    rest = await page(logs, after=first.place)
    assert [line.message for line in rest.items] == [
        "task started", "line 2.5", "line 3", "line 4"
    ]  # fmt: skip


async def test_lines_less_grave_are_left_out(
    logs: PeeweeExecutionLogRepo, executions: PeeweeExecutionRepo
) -> None:
    await logs.add([line(level.value, level.name, level=level) for level in LogLevel])
    await record(executions, [event(1, 0), event(2, 1, LifecycleType.TASK_RETRIED)])
    await record(executions, [event(3, 2, LifecycleType.TASK_FAULTED)])

    async def at_least(level: LogLevel) -> list[str]:
        return await messages(logs, LogQuery(execution_id="e1", level=level))

    assert await at_least(LogLevel.ERROR) == ["task faulted", "ERROR"]
    assert await at_least(LogLevel.WARNING) == ["task retried", "task faulted", "WARNING", "ERROR"]
    assert (await at_least(LogLevel.INFO))[0] == "task started"
    assert len(await at_least(LogLevel.DEBUG)) == 7


async def test_a_task_has_its_lines_and_those_within_it(
    logs: PeeweeExecutionLogRepo, executions: PeeweeExecutionRepo
) -> None:
    tasks = ["/do/0/ü%", "/do/0/ü%/for/1/do/0/a", "/do/0/ü%b", "/do/0/üx/for/1/do/0/a", ""]
    await logs.add([line(number, task=task) for number, task in enumerate(tasks)])
    await record(executions, [event(number, 9, task=task) for number, task in enumerate(tasks)])
    rows = await page(logs, LogQuery(execution_id="e1", task="/do/0/ü%"))
    assert [line.task for line in rows.items] == tasks[:2] * 2
    assert rows.total == 4


async def test_lines_of_the_history_have_the_trace_of_the_others(
    logs: PeeweeExecutionLogRepo, executions: PeeweeExecutionRepo
) -> None:
    await record(executions, [event(1, 0)])
    assert [line.trace_id for line in (await page(logs)).items] == [""]
    await logs.add([line(1, trace_id="4bf92f")])
    assert [line.trace_id for line in (await page(logs)).items] == ["4bf92f", "4bf92f"]
