"""What tells of histories that grow, on both databases and between their connections."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest

from biz.errors import DatabaseUnavailable
from data.database import Database
from data.execution import PeeweeExecutionRepo
from data.history_changes import DatabaseHistoryChanges
from tests.fixtures.polling import until
from tests.fixtures.postgres import Postgres
from tests.fixtures.repos import Clock, new_execution
from tests.integration.data.test_history import END, events
from tests.patience import PATIENCE_SECONDS


@asynccontextmanager
async def followed(database: Database) -> AsyncIterator[list[str | None]]:
    """What is told, from the moment at which it is listened to."""
    told: list[str | None] = []
    following = asyncio.create_task(DatabaseHistoryChanges(database=database).follow(told.append))
    try:
        await until(lambda: None in told)
        told.clear()
        yield told
    finally:
        following.cancel()
        await asyncio.wait([following])


@pytest.fixture
async def elsewhere(database_url: str, clock: Clock) -> AsyncIterator[PeeweeExecutionRepo]:
    """Executions as another process writes them."""
    database = Database(url=database_url)
    await database.open()
    try:
        yield PeeweeExecutionRepo(database=database, clock=clock)
    finally:
        await database.close()


async def test_what_another_process_writes_is_told_soon(
    database: Database, elsewhere: PeeweeExecutionRepo
) -> None:
    async with followed(database) as told:
        began = asyncio.get_running_loop().time()
        await elsewhere.record_events("e1", events(1))
        await until(lambda: bool(told))
        assert asyncio.get_running_loop().time() - began < 0.3
        assert told in (["e1"], [None])


async def test_what_this_process_writes_is_told_soon(
    database: Database, executions: PeeweeExecutionRepo
) -> None:
    async with followed(database) as told:
        await executions.record_events("e1", events(1))
        await until(lambda: bool(told))


async def test_the_end_of_an_execution_is_told_without_an_event(
    database: Database, elsewhere: PeeweeExecutionRepo
) -> None:
    await elsewhere.create(new_execution("e1"), None)
    async with followed(database) as told:
        await elsewhere.record_end("e1", END)
        await until(lambda: bool(told))


async def test_nothing_is_told_where_nothing_happens(database: Database) -> None:
    async with followed(database) as told:
        await asyncio.sleep(0.3)
        assert not told


async def test_what_nobody_could_tell_is_looked_for(
    postgres: Postgres, migrated_postgres_url: str
) -> None:
    database = Database(url=migrated_postgres_url)
    told: list[str | None] = []
    changes = DatabaseHistoryChanges(database=database, look_every=timedelta(seconds=0.1))
    following = asyncio.create_task(changes.follow(told.append))
    try:
        await until(lambda: told.count(None) > 2)
        postgres.execute("NOTIFY execution_history, 'e1'", url=migrated_postgres_url)
        await until(lambda: "e1" in told)
    finally:
        following.cancel()
        await asyncio.wait([following])


async def test_a_lost_connection_is_an_error_and_made_anew(
    postgres: Postgres, migrated_postgres_url: str
) -> None:
    database = Database(url=migrated_postgres_url)
    await database.open()
    try:
        told: list[str | None] = []
        changes = DatabaseHistoryChanges(database=database)
        following = asyncio.create_task(changes.follow(told.append))
        await until(lambda: bool(told))
        postgres.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'LISTEN%'"
        )
        with pytest.raises(DatabaseUnavailable):
            await asyncio.wait_for(following, PATIENCE_SECONDS)
        async with followed(database) as told_again:
            postgres.execute("NOTIFY execution_history, 'e1'", url=migrated_postgres_url)
            await until(lambda: "e1" in told_again)
    finally:
        await database.close()


async def test_a_listener_that_leaves_while_it_connects_leaves_no_connection(
    postgres: Postgres, migrated_postgres_url: str
) -> None:
    database = Database(url=migrated_postgres_url)
    following = asyncio.create_task(
        DatabaseHistoryChanges(database=database).follow(lambda _: None)
    )
    await asyncio.sleep(0)
    following.cancel()
    await asyncio.wait([following])
    assert following.cancelled()
    await asyncio.sleep(0.2)


@pytest.mark.parametrize("url", ["postgresql://u@127.0.0.1:1/none", "sqlite:////none/none.db"])
async def test_a_database_that_is_away_is_an_error(url: str) -> None:
    changes = DatabaseHistoryChanges(database=Database(url=url))
    with pytest.raises(DatabaseUnavailable):
        await asyncio.wait_for(changes.follow(lambda _: None), PATIENCE_SECONDS)
