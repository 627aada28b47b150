"""The database: peewee on SQLite or PostgreSQL, away from the event loop.

A unit of work is a function of the connected peewee database. It runs on one thread from its first
statement to its commit, so no transaction spans threads and the event loop never blocks. Each
thread keeps a connection of its own. On SQLite one thread does all of a process's writes: writers
of one process never contend, and those of several wait for each other by SQLite's busy timeout.
"""

import asyncio
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import TypeAlias, TypeVar

import peewee
import psycopg2
import structlog
from playhouse.pool import PooledPostgresqlDatabase, PooledSqliteDatabase
from psycopg2.extensions import parse_dsn

from biz.errors import DatabaseUnavailable, InvalidArgument, Violation
from data.sqlite_percentiles import SqlitePercentiles

T = TypeVar("T")
Work: TypeAlias = Callable[[peewee.Database], T]
Scope: TypeAlias = Callable[[], AbstractContextManager[object]]

_SQLITE_PREFIX = "sqlite:///"
_SQLITE_PRAGMAS = {
    "busy_timeout": 30_000,  # milliseconds; first, since the next one may have to wait
    "journal_mode": "wal",
    "synchronous": "normal",
    "foreign_keys": 1,
}
# Without these a network that swallows packets could hold a thread for hours.
_POSTGRESQL_DEFAULTS = {
    "application_name": "workflow-engine",
    "connect_timeout": "5",
    "keepalives_idle": "30",
    "keepalives_interval": "10",
    "keepalives_count": "3",
    "tcp_user_timeout": "30000",
}
_log = structlog.get_logger(__name__)


class Database:
    """Runs units of work. Whatever the driver raises reaches the caller as a domain error:
    InvalidArgument for a value that can't be stored, DatabaseUnavailable for all else.

    A caller that is cancelled leaves; a unit of work that has begun ends on its thread all the
    same.
    """

    def __init__(self, *, url: str, pool_size: int = 8) -> None:
        """`url` is `sqlite:///path`, with a fourth slash for an absolute path, or
        `postgresql://user:password@host:port/name?parameters`. `pool_size` is the number of
        threads, each with a connection; SQLite has one more, for writing.

        Raises ValueError for another URL. Nothing is opened yet.
        """
        self._pool_size = pool_size
        self._sqlite_path = _sqlite_path(url) if url.startswith("sqlite:") else None
        self._peewee = _sqlite(self._sqlite_path) if self._sqlite_path else _postgresql(url)
        self._write_listeners: list[Callable[[], None]] = []
        self._readers: Executor | None = None
        self._writers: Executor | None = None

    async def open(self) -> None:
        """Starts the threads; each connects when it is first used."""
        self._readers = ThreadPoolExecutor(self._pool_size, thread_name_prefix="database")
        self._writers = self._readers
        if self._sqlite_path:
            await asyncio.to_thread(self._sqlite_path.parent.mkdir, parents=True, exist_ok=True)
            self._writers = ThreadPoolExecutor(1, thread_name_prefix="database-writer")

    async def close(self) -> None:
        """Waits for the units of work under way, then disconnects. May be repeated."""
        executors = [executor for executor in (self._readers, self._writers) if executor]
        self._readers = self._writers = None
        await asyncio.to_thread(self._shut_down, executors)

    async def read(self, work: Work[T]) -> T:
        """Runs statements that change nothing; each sees what is committed when it begins."""
        return await self._run(self._readers, work, nullcontext, repeatable=True)

    async def write(
        self, work: Work[T], *, repeatable: bool = False, then: Work[object] | None = None
    ) -> T:
        """Runs a transaction, which an exception rolls back.

        When its connection is lost it is run once more, unless it may have been committed;
        `repeatable` says that it can be run again even then. `then` runs once it is committed, on
        the same connection; the database's failures in it are no failure of the write.
        """
        result = await self._run(
            self._writers, work, self._peewee.atomic, repeatable=repeatable, then=then
        )
        self._tell_of_write()
        return result

    async def write_statement(self, work: Work[T], *, then: Work[object] | None = None) -> T:
        """Runs statements that are committed one by one, and can be run again; `then` as above."""
        result = await self._run(self._writers, work, nullcontext, repeatable=True, then=then)
        self._tell_of_write()
        return result

    @property
    def sqlite_path(self) -> Path | None:
        """The file of SQLite; None on PostgreSQL."""
        return self._sqlite_path

    @contextmanager
    def telling_of_writes(self, tell: Callable[[], None]) -> Iterator[None]:
        """Within the block, `tell` is called after each write that this object has made."""
        self._write_listeners.append(tell)
        try:
            yield
        finally:
            self._write_listeners.remove(tell)

    def connect_to_postgresql(self) -> psycopg2.extensions.connection:
        """A connection beside the pool, which commits each statement; blocks until it is there.

        Raises psycopg2.Error.
        """
        connection: psycopg2.extensions.connection = psycopg2.connect(
            dbname=self._peewee.database, **self._peewee.connect_params
        )
        connection.autocommit = True
        return connection

    def _tell_of_write(self) -> None:
        for tell in self._write_listeners:
            tell()

    async def _run(
        self,
        executor: Executor | None,
        work: Work[T],
        scope: Scope,
        *,
        repeatable: bool,
        then: Work[object] | None = None,
    ) -> T:
        if executor is None:
            raise DatabaseUnavailable("the database isn't open")
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(executor, self._perform, work, scope, repeatable, then)

    def _perform(
        self, work: Work[T], scope: Scope, repeatable: bool, then: Work[object] | None
    ) -> T:
        result = self._succeed(work, scope, repeatable)
        if then is not None:
            try:
                then(self._peewee)
            except peewee.PeeweeException as error:
                _log.warning("a write had no effect beyond itself", error=type(error).__name__)
        return result

    def _succeed(self, work: Work[T], scope: Scope, repeatable: bool) -> T:
        """Runs the unit of work, a second time where the first one's connection turned out dead."""
        try:
            try:
                return self._attempt(work, scope, repeatable)
            except _ConnectionLost:
                return self._attempt(work, scope, repeatable)
        except (_ConnectionLost, peewee.PeeweeException) as error:
            _log.warning("the database failed", error=type(error.__context__ or error).__name__)
            raise DatabaseUnavailable("the database doesn't answer; try again") from error

    def _attempt(self, work: Work[T], scope: Scope, repeatable: bool) -> T:
        """Runs the unit of work once; raises _ConnectionLost where it may be run again."""
        self._peewee.connect(reuse_if_open=True)
        maybe_committed = False
        try:
            with scope():
                result = work(self._peewee)
                maybe_committed = True
            return result
        except (peewee.DataError, UnicodeEncodeError) as error:
            raise _unstorable() from error
        except ValueError as error:
            if "NUL" in str(error):  # psycopg2 has no type of its own for this refusal
                raise _unstorable() from error
            raise
        except peewee.PeeweeException as error:
            if not self._lost_connection():
                raise
            self._peewee.manual_close()
            if maybe_committed and not repeatable:
                raise
            raise _ConnectionLost from error

    def _lost_connection(self) -> bool:
        connection = self._peewee.connection()
        return isinstance(connection, psycopg2.extensions.connection) and connection.closed != 0

    def _shut_down(self, executors: list[Executor]) -> None:
        for executor in executors:
            executor.shutdown()
        self._peewee.close_all()


class _ConnectionLost(Exception):
    """The server went away, and nothing was committed, or doing so twice does no harm."""


def _sqlite_path(url: str) -> Path:
    name = url.removeprefix(_SQLITE_PREFIX)
    if name in (url, "", ":memory:"):
        raise ValueError("a SQLite URL names a file, such as sqlite:///workflow-engine.db")
    return Path(name)


def _sqlite(path: Path) -> PooledSqliteDatabase:
    database = PooledSqliteDatabase(
        str(path),
        max_connections=None,  # as many as there are threads
        pragmas=_SQLITE_PRAGMAS,
        lock_type="IMMEDIATE",
        check_same_thread=False,  # they are all closed by one thread, when the others are gone
    )
    database.register_aggregate(SqlitePercentiles, "percentiles", 1)
    return database


def _postgresql(url: str) -> PooledPostgresqlDatabase:
    try:
        parameters = parse_dsn(url) if url.startswith(("postgresql://", "postgres://")) else {}
        name = parameters.pop("dbname")
    except (KeyError, psycopg2.ProgrammingError):
        raise ValueError(
            "a database URL is sqlite:///path or postgresql://user:password@host:port/name"
        ) from None
    return PooledPostgresqlDatabase(
        name, max_connections=None, **{**_POSTGRESQL_DEFAULTS, **parameters}
    )


def _unstorable() -> InvalidArgument:
    message = "is too long, or holds characters that can't be stored"
    return InvalidArgument([Violation(field="", code="unstorable", message=f"a text {message}")])
