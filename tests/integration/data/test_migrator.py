"""Migrations, on both databases."""

import asyncio
from collections.abc import AsyncIterator

import peewee
import pytest

from data.database import Database
from data.migrator import Migrator, SchemaMismatch
from tests.fixtures.sql_database import MODELS


@pytest.fixture
async def empty_database(empty_database_url: str) -> AsyncIterator[Database]:
    database = Database(url=empty_database_url)
    await database.open()
    yield database
    await database.close()


async def _tables(database: Database) -> set[str]:
    return await database.read(lambda db: set(db.get_tables()) - {"sqlite_sequence"})


async def test_an_empty_database_gets_a_table_for_each_model(empty_database: Database) -> None:
    taken = await Migrator(database=empty_database).migrate()

    assert taken[0] == "0001_initial"
    tables = {model._meta.table_name for model in MODELS}
    assert await _tables(empty_database) == tables | {"schema_migration"}


@pytest.mark.parametrize("model", MODELS)
async def test_the_columns_are_those_of_the_model(
    database: Database, model: type[peewee.Model]
) -> None:
    columns = await database.read(lambda db: db.get_columns(model._meta.table_name))

    found = {(column.name, column.null) for column in columns if not column.primary_key}
    keys = {field.name for field in model._meta.get_primary_keys()}
    declared = {
        (field.column_name, bool(field.null))
        for field in model._meta.sorted_fields
        if field.name not in keys
    }
    assert found == declared


async def test_down_leaves_nothing_and_up_again_works(empty_database: Database) -> None:
    migrator = Migrator(database=empty_database)
    up = await migrator.migrate()

    down = await migrator.revert(steps=100)

    assert list(down) == list(reversed(up))
    assert await _tables(empty_database) == {"schema_migration"}
    assert await migrator.revert() == []
    assert await migrator.migrate() == up
    await migrator.require_current()


async def test_migrating_twice_does_nothing_the_second_time(empty_database: Database) -> None:
    migrator = Migrator(database=empty_database)
    await migrator.migrate()

    assert await migrator.migrate() == []


async def test_migrators_at_once_take_turns(empty_database_url: str) -> None:
    databases = [Database(url=empty_database_url) for _ in range(4)]
    for database in databases:
        await database.open()
    try:
        taken = await asyncio.gather(
            *(Migrator(database=database).migrate() for database in databases)
        )
        await Migrator(database=databases[0]).require_current()
    finally:
        for database in databases:
            await database.close()

    names = [name for names in taken for name in names]
    assert names
    assert len(names) == len(set(names))


async def test_a_failing_step_leaves_no_trace(
    empty_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Failing:
        def up(self, database: peewee.Database) -> None:
            database.execute_sql("CREATE TABLE half_done (id INTEGER)")
            raise RuntimeError("step failed")

    monkeypatch.setattr("data.migrator._migration", lambda name: Failing())
    with pytest.raises(RuntimeError, match="step failed"):
        await Migrator(database=empty_database).migrate()

    assert await _tables(empty_database) == set()


async def test_an_empty_database_is_refused_with_what_to_do(empty_database: Database) -> None:
    with pytest.raises(SchemaMismatch, match=r"lacks 0001_initial.*workflow-engine migrate"):
        await Migrator(database=empty_database).require_current()


async def test_a_database_newer_than_the_code_is_refused(empty_database: Database) -> None:
    migrator = Migrator(database=empty_database)
    await migrator.migrate()
    await empty_database.write(
        lambda db: db.execute_sql("INSERT INTO schema_migration (name) VALUES ('9999_future')")
    )

    for refused in (migrator.require_current, migrator.migrate, migrator.revert):
        with pytest.raises(SchemaMismatch, match="9999_future"):
            await refused()
