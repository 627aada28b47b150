"""The removal of executions, on both databases."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import peewee
import pytest

from biz.errors import ExecutionNotEnded, ExecutionNotFound
from biz.executions.execution import (
    ExecutionEnd,
    ExecutionProgress,
    ExecutionQuery,
    ExecutionStatus,
)
from data.belongings import BELONGINGS, HISTORY
from data.database import Database
from data.execution import PeeweeExecutionRepo
from data.removal import PeeweeRemovalRepo
from tests.fixtures.repos import NOW, Clock, first, ids, new_execution

RUNNING = ExecutionProgress(
    sequence=1, status=ExecutionStatus.RUNNING, current_tasks=["/do/0/x"], at=NOW
)
END = ExecutionEnd(
    status=ExecutionStatus.COMPLETED, output=1, error=None, ended_at=NOW + timedelta(seconds=1)
)


@pytest.fixture
def removal(database: Database, clock: Clock) -> PeeweeRemovalRepo:
    return PeeweeRemovalRepo(database=database, clock=clock)


async def rows_of(database: Database, id: str) -> list[int]:
    """How many rows each of the tables has for an execution."""
    return [
        await database.read(
            lambda db, owner=table.owner: owner.model.select().where(owner == id).count(db)
        )
        for table in BELONGINGS
    ]


async def fill(database: Database, id: str, *, rows: int = 3) -> None:
    """Writes rows of an execution into each table, whatever tables there are."""

    def write(db: peewee.Database) -> None:
        for table in BELONGINGS:
            model = table.owner.model
            has_one = model._meta.primary_key is table.owner
            for number in range(1 if has_one else rows):
                columns = {
                    field: str(number) if isinstance(field, peewee._StringField) else number
                    for field in model._meta.sorted_fields
                    if not isinstance(field, peewee.AutoField)
                }
                model.insert({**columns, table.owner: id}).execute(db)

    await database.write(write)


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
    await fill(database, "e1", rows=2_500)
    await executions.record_end("e1", END)

    await removal.delete("e1")

    assert sum(await rows_of(database, "e1")) == 0


async def test_what_a_crash_left_half_deleted_is_there_to_be_deleted_again(
    database: Database, executions: PeeweeExecutionRepo, removal: PeeweeRemovalRepo
) -> None:
    await executions.create(new_execution("e1"), None)
    await fill(database, "e1", rows=10)
    await executions.record_end("e1", END)
    await database.write(lambda db: BELONGINGS[0].delete_some(db, "e1", 4))
    assert (await executions.get("e1")).status is ExecutionStatus.COMPLETED

    await removal.delete("e1")

    assert sum(await rows_of(database, "e1")) == 0


async def ended(executions: PeeweeExecutionRepo, id: str, *, ago: int, **fields: Any) -> None:
    """Stores an execution that ended so many hours ago."""
    await executions.create(new_execution(id, **fields), None)
    end = replace(END, ended_at=NOW - timedelta(hours=ago))
    await executions.record_end(id, end)


class TestHistory:
    async def test_the_history_goes_and_the_execution_stays(
        self, database: Database, executions: PeeweeExecutionRepo, removal: PeeweeRemovalRepo
    ) -> None:
        await ended(executions, "e1", ago=1)
        await fill(database, "e1")

        await removal.delete_history("e1")
        await removal.delete_history("e1")

        assert (await executions.get("e1")).output == 1
        rows = await rows_of(database, "e1")
        assert sum(rows[: len(HISTORY)]) == 0
        assert 0 not in rows[len(HISTORY) :]
        listed = {"ended_before": NOW, "limit": 10}
        assert await removal.list_ended("shop", with_history=True, **listed) == []
        assert await removal.list_ended("shop", with_history=False, **listed) == ["e1"]

    async def test_that_of_a_live_or_unknown_one_isnt_touched(
        self, database: Database, executions: PeeweeExecutionRepo, removal: PeeweeRemovalRepo
    ) -> None:
        await executions.create(new_execution("e1"), None)
        await fill(database, "e1")

        with pytest.raises(ExecutionNotEnded):
            await removal.delete_history("e1")
        with pytest.raises(ExecutionNotFound):
            await removal.delete_history("never-there")

        assert 0 not in await rows_of(database, "e1")


class TestLists:
    async def test_namespaces_are_told_once_each(
        self, executions: PeeweeExecutionRepo, removal: PeeweeRemovalRepo
    ) -> None:
        assert await removal.list_namespaces() == []
        for number, namespace in enumerate(["b", "a", "b", "C"]):
            await executions.create(new_execution(f"e{number}", namespace=namespace), None)
        assert await removal.list_namespaces() == ["C", "a", "b"]

    async def test_by_age_the_oldest_of_the_namespace_come_first(
        self, executions: PeeweeExecutionRepo, removal: PeeweeRemovalRepo
    ) -> None:
        for id, ago in (("e1", 2), ("e2", 9), ("e3", 5), ("e4", 1)):
            await ended(executions, id, ago=ago)
        await ended(executions, "other", ago=9, namespace="bank")
        await executions.create(new_execution("live", age=timedelta(days=1)), None)

        before = {"ended_before": NOW - timedelta(hours=1), "with_history": False}
        assert await removal.list_ended("shop", **before, limit=10) == ["e2", "e3", "e1"]
        assert await removal.list_ended("shop", **before, limit=2) == ["e2", "e3"]

    async def test_by_count_the_last_that_ended_are_left_out(
        self, executions: PeeweeExecutionRepo, removal: PeeweeRemovalRepo
    ) -> None:
        for id, ago in (("e1", 2), ("e2", 9), ("e3", 5), ("e4", 2)):
            await ended(executions, id, ago=ago)
        await ended(executions, "other", ago=9, namespace="bank")
        await executions.create(new_execution("live"), None)

        for count, beyond in ((1, ["e2", "e3", "e1"]), (2, ["e2", "e3"]), (4, []), (9, [])):
            kept = {"count": count, "limit": 10}
            assert await removal.list_beyond("shop", with_history=False, **kept) == beyond
        await removal.delete_history("e2")
        assert await removal.list_beyond("shop", count=2, with_history=True, limit=10) == ["e3"]
