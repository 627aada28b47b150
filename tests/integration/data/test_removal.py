"""The removal of executions, on both databases."""

from datetime import timedelta

import pytest

from biz.dsl.events.arrivals import Listener
from biz.dsl.lifecycle import LifecycleEvent, LifecycleType
from biz.errors import ExecutionNotEnded, ExecutionNotFound
from biz.event import NewEvent
from biz.execution import ExecutionEnd, ExecutionProgress, ExecutionQuery, ExecutionStatus
from biz.execution_log import ExecutionLog, LogLevel
from data.belongings import BELONGINGS
from data.database import Database
from data.event import PeeweeEventRepo
from data.execution import PeeweeExecutionRepo
from data.execution_log import PeeweeExecutionLogRepo
from data.removal import PeeweeRemovalRepo
from tests.fixtures.repos import NOW, first, ids, new_execution

RUNNING = ExecutionProgress(
    sequence=1, status=ExecutionStatus.RUNNING, current_tasks=["/do/0/x"], at=NOW
)
END = ExecutionEnd(
    status=ExecutionStatus.COMPLETED, output=1, error=None, ended_at=NOW + timedelta(seconds=1)
)


def history(length: int) -> list[LifecycleEvent]:
    return [
        LifecycleEvent(sequence=number + 1, type=LifecycleType.TASK_STARTED, time=NOW)
        for number in range(length)
    ]


@pytest.fixture
def removal(database: Database) -> PeeweeRemovalRepo:
    return PeeweeRemovalRepo(database=database)


async def rows_of(database: Database, id: str) -> list[int]:
    """How many rows each of the tables has for an execution."""
    return [
        await database.read(
            lambda db, owner=table.owner: owner.model.select().where(owner == id).count(db)
        )
        for table in BELONGINGS
    ]


async def fill(database: Database, id: str, *, events: int = 3) -> None:
    """Writes rows of an execution into each table."""
    await PeeweeExecutionRepo(database=database, clock=lambda: NOW).record_events(
        id, history(events)
    )
    line = ExecutionLog(execution_id=id, time=NOW, level=LogLevel.INFO, message="x")
    await PeeweeExecutionLogRepo(database=database).add([line])
    repo = PeeweeEventRepo(database=database)
    await repo.fetch(id, Listener(id=1, interests=[{}]), 0)
    signal = {"specversion": "1.0", "id": id, "source": "/x", "type": "t"}
    await repo.add(NewEvent(namespace="shop", target=id, event=signal, accepted_at=NOW))


async def test_an_ended_execution_goes_with_all_that_is_its_own(
    database: Database, executions: PeeweeExecutionRepo, removal: PeeweeRemovalRepo
) -> None:
    for id in ("e1", "e2"):
        await executions.create(new_execution(id), None)
        await fill(database, id)
        await executions.record_end(id, END)
    assert 0 not in await rows_of(database, "e1"), "each table has rows to be deleted"

    await removal.delete("e1")

    with pytest.raises(ExecutionNotFound):
        await executions.get("e1")
    assert sum(await rows_of(database, "e1")) == 0
    assert (await executions.get("e2")).output == 1
    assert 0 not in await rows_of(database, "e2")


async def test_a_second_deletion_finds_nothing(
    executions: PeeweeExecutionRepo, removal: PeeweeRemovalRepo
) -> None:
    await executions.create(new_execution("e1"), None)
    await executions.record_end("e1", END)
    await removal.delete("e1")

    for id in ("e1", "never-there"):
        with pytest.raises(ExecutionNotFound):
            await removal.delete(id)


@pytest.mark.parametrize("progress", [None, RUNNING])
async def test_one_that_hasnt_ended_keeps_all(
    database: Database,
    executions: PeeweeExecutionRepo,
    removal: PeeweeRemovalRepo,
    progress: ExecutionProgress | None,
) -> None:
    await executions.create(new_execution("e1"), None)
    await fill(database, "e1")
    if progress:
        await executions.record_progress("e1", progress)

    with pytest.raises(ExecutionNotEnded) as refused:
        await removal.delete("e1")

    status = progress.status if progress else ExecutionStatus.PENDING
    assert refused.value.metadata == {"execution_id": "e1", "status": status}
    assert (await executions.get("e1")).status is status
    assert 0 not in await rows_of(database, "e1")


async def test_children_stay(executions: PeeweeExecutionRepo, removal: PeeweeRemovalRepo) -> None:
    await executions.create(new_execution("parent"), None)
    await executions.create(new_execution("child", parent_id="parent"), None)
    await executions.record_end("parent", END)

    await removal.delete("parent")

    found = await executions.list(ExecutionQuery(parent_id="parent"), first())
    assert ids(found) == ["child"]


async def test_a_history_of_many_parts_goes_too(
    database: Database, executions: PeeweeExecutionRepo, removal: PeeweeRemovalRepo
) -> None:
    await executions.create(new_execution("e1"), None)
    await executions.record_end("e1", END, history(2_500))

    await removal.delete("e1")

    assert sum(await rows_of(database, "e1")) == 0


async def test_what_a_crash_left_half_deleted_is_there_to_be_deleted_again(
    database: Database, executions: PeeweeExecutionRepo, removal: PeeweeRemovalRepo
) -> None:
    await executions.create(new_execution("e1"), None)
    await executions.record_end("e1", END, history(10))
    await database.write(lambda db: BELONGINGS[0].delete_some(db, "e1", 4))
    assert (await executions.get("e1")).status is ExecutionStatus.COMPLETED

    await removal.delete("e1")

    assert sum(await rows_of(database, "e1")) == 0
