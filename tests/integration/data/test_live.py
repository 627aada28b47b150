"""PeeweeLiveHistoryRepo, on both databases."""

import pytest

from biz.dsl.lifecycle import LifecycleType
from biz.errors import ExecutionNotFound
from biz.executions.execution import ExecutionEnd, ExecutionStatus
from biz.history.steps import Growth
from data.database import Database
from data.execution import PeeweeExecutionRepo
from data.live import PeeweeLiveHistoryRepo
from tests.fixtures.repos import NOW, new_execution
from tests.integration.data.test_history import END, events


@pytest.fixture
def history(database: Database) -> PeeweeLiveHistoryRepo:
    return PeeweeLiveHistoryRepo(database=database)


async def test_a_page_of_a_growing_history_says_how_the_execution_stands(
    executions: PeeweeExecutionRepo, history: PeeweeLiveHistoryRepo
) -> None:
    await executions.create(new_execution("e1"), None)
    assert await history.read_after("e1", 0) == Growth(
        events=[],
        more=False,
        last_sequence=0,
        last_type=None,
        status=ExecutionStatus.PENDING,
        ended_at=None,
    )
    await executions.record_end("e1", END, events(*range(1, 251)))
    first = await history.read_after("e1", 0)
    assert ([event.sequence for event in first.events], first.more) == ([*range(1, 101)], True)
    last = await history.read_after("e1", 248)
    assert last == Growth(
        events=last.events,
        more=False,
        last_sequence=250,
        last_type=LifecycleType.TASK_STARTED,
        status=ExecutionStatus.COMPLETED,
        ended_at=NOW,
    )
    assert [event.sequence for event in last.events] == [249, 250]
    with pytest.raises(ExecutionNotFound):
        await history.read_after("e2", 0)


async def test_of_many_histories_those_that_grew_ended_or_went_are_found(
    executions: PeeweeExecutionRepo, history: PeeweeLiveHistoryRepo
) -> None:
    for id in ("same", "grown", "ended"):
        await executions.create(new_execution(id), None)
        await executions.record_events(id, events(1, 2))
    await executions.record_events("grown", events(3))
    end = ExecutionEnd(status=ExecutionStatus.TERMINATED, output=None, error=None, ended_at=NOW)
    await executions.record_end("ended", end)

    grown = await history.grown({"same": 2, "grown": 2, "ended": 2, "gone": 0})

    assert sorted(grown) == ["ended", "gone", "grown"]
    assert await history.grown({}) == []
