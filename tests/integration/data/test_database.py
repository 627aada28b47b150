"""Units of work, on both databases."""

import asyncio
import threading
import time
from collections.abc import AsyncIterator
from pathlib import Path

import peewee
import pytest

from biz.errors import DatabaseUnavailable, InvalidArgument
from data.database import Database
from data.models import SigningKeyRow
from tests.fixtures.postgres import Postgres


@pytest.fixture
async def postgresql(migrated_postgres_url: str) -> AsyncIterator[Database]:
    database = Database(url=migrated_postgres_url, pool_size=2)
    await database.open()
    yield database
    await database.close()


def _insert(db: peewee.Database, id: int) -> None:
    SigningKeyRow.insert(id=id, key="k").as_rowcount().execute(db)


def look(db: peewee.Database) -> None:
    db.execute_sql("SELECT 1").fetchall()


async def _ids(database: Database) -> list[int]:
    query = SigningKeyRow.select(SigningKeyRow.id).order_by(SigningKeyRow.id)
    return await database.read(lambda db: [row.id for row in list(query.execute(db))])


def _kill_all_connections(postgres: Postgres) -> None:
    postgres.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
        "WHERE application_name = 'workflow-engine'"
    )


@pytest.mark.parametrize(
    "url",
    [
        "",
        "mysql://localhost/x",
        "sqlite://",
        "sqlite:///",
        "sqlite:///:memory:",
        "postgresql://localhost",
        "postgresql://localhost/x?nonsense=1",
    ],
)
def test_a_url_that_names_no_database_is_refused_without_its_password(url: str) -> None:
    with pytest.raises(ValueError, match=r"URL") as refused:
        Database(url=url)
    assert "nonsense" not in str(refused.value)


async def test_it_answers_while_it_is_open_and_only_then(database: Database) -> None:
    await database.read(look)

    await database.close()
    await database.close()

    with pytest.raises(DatabaseUnavailable, match="isn't open"):
        await database.read(look)


async def test_what_follows_a_write_sees_it_committed(
    database: Database, database_url: str
) -> None:
    elsewhere = Database(url=database_url)
    seen: list[list[int]] = []

    def then(db: peewee.Database) -> None:
        assert not db.in_transaction()
        seen.append(asyncio.run_coroutine_threadsafe(_ids(elsewhere), loop).result(10))

    loop = asyncio.get_running_loop()
    await elsewhere.open()
    try:
        await database.write(lambda db: _insert(db, 1), then=then)
        await database.write_statement(lambda db: _insert(db, 2), then=then)
        with pytest.raises(ZeroDivisionError):
            await database.write(lambda db: 1 // 0, then=then)
    finally:
        await elsewhere.close()
    assert seen == [[1], [1, 2]]


async def test_what_fails_after_a_write_is_no_failure_of_the_write(
    database: Database,
) -> None:
    def fail(db: peewee.Database) -> None:
        db.execute_sql("SELECT nothing FROM nowhere")

    await database.write(lambda db: _insert(db, 1), then=fail)
    assert await _ids(database) == [1]


async def test_it_opens_again(database: Database) -> None:
    await database.close()
    await database.open()

    await database.read(look)


async def test_a_sqlite_file_is_made_with_its_directories(tmp_path: Path) -> None:
    database = Database(url=f"sqlite:///{tmp_path}/a/b/test.db")
    await database.open()
    await database.read(look)
    await database.close()

    assert (tmp_path / "a" / "b" / "test.db").exists()


async def test_sqlite_keeps_a_log_and_its_foreign_keys(tmp_path: Path) -> None:
    database = Database(url=f"sqlite:///{tmp_path}/test.db")
    await database.open()

    def pragmas(db: peewee.Database) -> list[object]:
        names = ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        return [db.execute_sql(f"PRAGMA {name}").fetchone()[0] for name in names]

    assert await database.read(pragmas) == ["wal", 1, 1, 30_000]
    assert await database.write(pragmas) == ["wal", 1, 1, 30_000]
    await database.close()


async def test_two_databases_are_used_at_once_without_mixing(
    database: Database, tmp_path: Path
) -> None:
    other = Database(url=f"sqlite:///{tmp_path}/other.db")
    await other.open()
    await other.write(
        lambda db: db.execute_sql("CREATE TABLE signing_key (id INTEGER PRIMARY KEY, key TEXT)")
    )

    await asyncio.gather(
        *(database.write(lambda db, i=i: _insert(db, i)) for i in range(10)),
        *(other.write(lambda db, i=i: _insert(db, i)) for i in range(10, 20)),
    )

    assert await _ids(database) == list(range(10))
    assert await _ids(other) == list(range(10, 20))
    await other.close()


async def test_an_exception_rolls_the_transaction_back(database: Database) -> None:
    def work(db: peewee.Database) -> None:
        _insert(db, 1)
        raise LookupError("no")

    with pytest.raises(LookupError):
        await database.write(work)
    with pytest.raises(ValueError, match="other"):
        await database.write(lambda db: (_insert(db, 1), int("other")))

    assert await _ids(database) == []


async def test_statements_are_kept_as_they_come(database: Database) -> None:
    def work(db: peewee.Database) -> None:
        _insert(db, 1)
        raise LookupError("no")

    with pytest.raises(LookupError):
        await database.write_statement(work)

    assert await _ids(database) == [1]


async def test_a_unit_of_work_stays_on_one_thread_away_from_the_loop(database: Database) -> None:
    def threads(db: peewee.Database) -> set[int]:
        seen = {threading.get_ident()}
        _insert(db, 1)
        return seen | {threading.get_ident()}

    seen = await database.write(threads)

    assert len(seen) == 1
    assert threading.get_ident() not in seen


async def test_the_loop_goes_on_while_the_database_works(database: Database) -> None:
    busy = asyncio.create_task(database.read(lambda db: time.sleep(0.3)))

    turns = 0
    while not busy.done():
        await asyncio.sleep(0.01)
        turns += 1

    assert turns > 5


async def test_work_goes_on_when_its_caller_is_cancelled(database: Database) -> None:
    begun = threading.Event()

    def work(db: peewee.Database) -> None:
        _insert(db, 1)
        begun.set()
        time.sleep(0.2)
        _insert(db, 2)

    caller = asyncio.create_task(database.write(work))
    await asyncio.to_thread(begun.wait)
    caller.cancel()
    with pytest.raises(asyncio.CancelledError):
        await caller

    await database.write(lambda db: _insert(db, 3))
    await database.close()
    await database.open()
    assert await _ids(database) == [1, 2, 3]


async def test_closing_waits_for_work_under_way(database: Database) -> None:
    def work(db: peewee.Database) -> None:
        time.sleep(0.2)
        _insert(db, 1)

    under_way = asyncio.create_task(database.write(work))
    await asyncio.sleep(0.05)
    await database.close()
    await under_way

    await database.open()
    assert await _ids(database) == [1]


async def test_an_error_of_the_driver_is_unavailable_and_tells_nothing(
    database: Database,
) -> None:
    with pytest.raises(DatabaseUnavailable) as failed:
        await database.read(lambda db: db.execute_sql("SELECT secret FROM nowhere"))

    assert failed.value.message == "the database doesn't answer; try again"
    assert failed.value.metadata == {}
    await database.read(look)


async def test_a_text_without_utf8_is_an_invalid_argument(database: Database) -> None:
    with pytest.raises(InvalidArgument):
        await database.write(
            lambda db: SigningKeyRow.insert(id=1, key="\ud800").as_rowcount().execute(db)
        )
    assert await _ids(database) == []


async def test_what_postgresql_cannot_store_is_an_invalid_argument(postgresql: Database) -> None:
    with pytest.raises(InvalidArgument):
        await postgresql.write(
            lambda db: SigningKeyRow.insert(id=1, key="a\0b").as_rowcount().execute(db)
        )
    with pytest.raises(InvalidArgument):
        await postgresql.write(lambda db: db.execute_sql("SELECT 'x'::varchar::int"))
    assert await _ids(postgresql) == []


async def test_no_server_is_unavailable_without_its_address(tmp_path: Path) -> None:
    database = Database(url=f"postgresql://someone:secret@/x?host={tmp_path}")
    await database.open()
    with pytest.raises(DatabaseUnavailable) as failed:
        await database.read(look)
    await database.close()

    assert str(tmp_path) not in failed.value.message


async def test_a_file_that_is_no_database_is_unavailable(tmp_path: Path) -> None:
    (tmp_path / "test.db").write_text("not a database, but long enough to look at" * 50)
    database = Database(url=f"sqlite:///{tmp_path}/test.db")
    await database.open()
    with pytest.raises(DatabaseUnavailable):
        await database.read(look)
    await database.close()


async def test_idle_connections_that_died_are_replaced_unseen(
    postgresql: Database, postgres: Postgres
) -> None:
    await asyncio.gather(*(postgresql.read(look) for _ in range(8)))
    _kill_all_connections(postgres)

    await asyncio.gather(*(postgresql.read(look) for _ in range(8)))
    await postgresql.write(lambda db: _insert(db, 1))
    await postgresql.write_statement(lambda db: _insert(db, 2))

    assert await _ids(postgresql) == [1, 2]


async def test_a_transaction_whose_connection_dies_is_run_once_more(
    postgresql: Database, postgres: Postgres
) -> None:
    attempts = []

    def work(db: peewee.Database) -> None:
        attempts.append(1)
        _insert(db, 1)
        if len(attempts) == 1:
            _kill_all_connections(postgres)
        _insert(db, 2)

    await postgresql.write(work)

    assert len(attempts) == 2
    assert await _ids(postgresql) == [1, 2]


@pytest.mark.parametrize(("repeatable", "attempts"), [(False, 1), (True, 2)])
async def test_a_commit_without_answer_is_repeated_only_where_that_does_no_harm(
    postgresql: Database, postgres: Postgres, repeatable: bool, attempts: int
) -> None:
    made = []

    def work(db: peewee.Database) -> None:
        made.append(1)
        _insert(db, 1)
        _kill_all_connections(postgres)

    with pytest.raises(DatabaseUnavailable):
        await postgresql.write(work, repeatable=repeatable)

    assert len(made) == attempts
    assert await _ids(postgresql) == []
    await postgresql.read(look)


async def test_a_connection_that_dies_twice_is_unavailable(
    postgresql: Database, postgres: Postgres
) -> None:
    def work(db: peewee.Database) -> None:
        _kill_all_connections(postgres)
        db.execute_sql("SELECT 1")

    with pytest.raises(DatabaseUnavailable):
        await postgresql.read(work)
    await postgresql.read(look)


async def test_threads_are_bounded(postgresql: Database, postgres: Postgres) -> None:
    await asyncio.gather(*(postgresql.read(lambda db: time.sleep(0.01)) for _ in range(20)))

    count = await postgresql.read(
        lambda db: db.execute_sql(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
        ).fetchone()[0]
    )
    assert count == 2
