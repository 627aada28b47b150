"""What tells between processes that a history has grown: one listener a process, not one a watcher.

On PostgreSQL whoever writes notifies, after the commit, and names the execution. Within it would
cost dear: PostgreSQL commits transactions that notify one after the other, each waiting for the
disk. What a writer that dies between the two leaves untold is found by a look every few seconds.

On SQLite the file itself tells that something was committed: by `PRAGMA data_version`, a look that
takes microseconds. Writes of the same process are told without that look being waited for.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from threading import Lock

import peewee
import psycopg2
import structlog
from psycopg2.extensions import connection as Connection

from biz.errors import DatabaseUnavailable
from data.database import Database

_CHANNEL = "execution_history"

_LOOK_EVERY_SECONDS = 0.1
_LOOK_AT_MOST_EVERY_SECONDS = 0.02

_log = structlog.get_logger(__name__)


def announcing(execution_id: str) -> Callable[[peewee.Database], None]:
    """What tells, once that is committed, that a history has grown or its execution has ended."""

    def announce(db: peewee.Database) -> None:
        if isinstance(db, peewee.PostgresqlDatabase):
            db.execute_sql("SELECT pg_notify(%s, %s)", (_CHANNEL, execution_id))

    return announce


class DatabaseHistoryChanges:
    """`biz.history.live.HistoryChanges`, of whichever database it is."""

    def __init__(self, *, database: Database, look_every: timedelta = timedelta(seconds=5)) -> None:
        """`look_every` is how often what PostgreSQL may not have been told of is looked for."""
        self._database = database
        self._look_every = look_every.total_seconds()

    async def follow(self, tell: Callable[[str | None], None]) -> None:
        """Raises DatabaseUnavailable when the database can't tell any more; it may be repeated."""
        try:
            if self._database.sqlite_path is None:
                await self._listen(tell)
            else:
                await self._look(self._database.sqlite_path, tell)
        except (psycopg2.Error, sqlite3.Error) as error:
            raise DatabaseUnavailable("the database tells of no changes; try again") from error

    async def _listen(self, tell: Callable[[str | None], None]) -> None:
        """Passes on what PostgreSQL notifies."""
        connection = await self._connect()
        socket = connection.fileno()
        loop = asyncio.get_running_loop()
        readable = asyncio.Event()
        loop.add_reader(socket, readable.set)
        try:
            look_at = loop.time()
            while True:
                if loop.time() >= look_at:
                    look_at = loop.time() + self._look_every
                    tell(None)
                with suppress(TimeoutError):
                    async with asyncio.timeout_at(look_at):
                        await readable.wait()
                readable.clear()
                connection.poll()
                notified = [notify.payload for notify in connection.notifies]
                connection.notifies.clear()
                for execution_id in notified:
                    tell(execution_id)
        finally:
            loop.remove_reader(socket)
            connection.close()

    async def _connect(self) -> Connection:
        """A connection that listens."""
        connecting = asyncio.get_running_loop().run_in_executor(None, self._connect_now)
        try:
            return await asyncio.shield(connecting)
        except asyncio.CancelledError:
            connecting.add_done_callback(_close_unused)
            raise

    def _connect_now(self) -> Connection:
        connection = self._database.connect_to_postgresql()
        try:
            with connection.cursor() as cursor:
                cursor.execute(f"LISTEN {_CHANNEL}")
        except BaseException:
            connection.close()
            raise
        return connection

    async def _look(self, path: Path, tell: Callable[[str | None], None]) -> None:
        """Tells that anything may have changed where SQLite's file has."""
        file = _SqliteVersion(path)
        written = asyncio.Event()
        seen: int | None = None
        try:
            with self._database.telling_of_writes(written.set):
                while True:
                    written.clear()
                    version = await asyncio.to_thread(file.read)
                    if version != seen:
                        seen = version
                        tell(None)
                    await asyncio.sleep(_LOOK_AT_MOST_EVERY_SECONDS)
                    with suppress(TimeoutError):
                        async with asyncio.timeout(_LOOK_EVERY_SECONDS):
                            await written.wait()
        finally:
            await asyncio.to_thread(file.close)


class _SqliteVersion:
    """A connection that is used for nothing else: a version counts for one connection only."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._connection: sqlite3.Connection | None = None
        self._closed = False
        self._lock = Lock()

    def read(self) -> int:
        """Changes with each commit, of whatever process."""
        with self._lock:
            if self._closed:
                raise sqlite3.ProgrammingError("it is closed")
            if self._connection is None:
                self._connection = sqlite3.connect(self._path, check_same_thread=False)
            (version,) = self._connection.execute("PRAGMA data_version").fetchone()
            return int(version)

    def close(self) -> None:
        with self._lock:
            self._closed = True
            if self._connection is not None:
                self._connection.close()


def _close_unused(connecting: asyncio.Future[Connection]) -> None:
    if not connecting.cancelled() and connecting.exception() is None:
        connecting.result().close()
