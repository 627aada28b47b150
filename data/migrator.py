"""Brings the schema of the database forward and back.

Each module of `data.migrations` is a step, in the order of their names. A step runs in one
transaction with its entry in the table of applied ones. Migrators that run at once take turns:
SQLite lets one transaction write at a time, on PostgreSQL they take a lock.
"""

import pkgutil
from collections.abc import Sequence
from importlib import import_module
from typing import Protocol, cast

import peewee

import data.migrations
from data.database import Database

_TABLE = "schema_migration"
_POSTGRESQL_LOCK = 7_236_091_158_274_411_905  # arbitrary, and this service's own


class Migration(Protocol):
    """What a module of `data.migrations` has; it must not use the rows of today's code."""

    def up(self, database: peewee.Database) -> None: ...

    def down(self, database: peewee.Database) -> None: ...


class SchemaMismatch(Exception):
    """The database's schema isn't this version's; the message is one line that says what to do."""


class Migrator:
    """Every method raises DatabaseUnavailable when the database doesn't answer."""

    def __init__(self, *, database: Database) -> None:
        self._database = database

    async def migrate(self) -> Sequence[str]:
        """Applies what is missing; answers the names of the steps taken.

        Raises SchemaMismatch on a database newer than this version.
        """
        taken = []
        while (name := await self._database.write(_step_up)) is not None:
            taken.append(name)
        return taken

    async def revert(self, *, steps: int = 1) -> Sequence[str]:
        """Takes back the last `steps` steps, or as many as there are; answers their names.

        Raises SchemaMismatch on a database newer than this version.
        """
        taken: list[str] = []
        while len(taken) < steps:
            name = await self._database.write(_step_down)
            if name is None:
                break
            taken.append(name)
        return taken

    async def require_current(self) -> None:
        """Returns if the schema is this version's. Raises SchemaMismatch."""
        applied = await self._database.read(_applied)
        if missing := [name for name in _known() if name not in applied]:
            raise SchemaMismatch(
                f"the database lacks {', '.join(missing)}; run `workflow-engine migrate` first"
            )


def _step_up(db: peewee.Database) -> str | None:
    _take_turn(db)
    applied = _applied(db)
    name = next((name for name in _known() if name not in applied), None)
    if name is not None:
        _migration(name).up(db)
        db.execute_sql(f"INSERT INTO {_TABLE} (name) VALUES ({db.param})", (name,))
    return name


def _step_down(db: peewee.Database) -> str | None:
    _take_turn(db)
    name = max(_applied(db), default=None)
    if name is not None:
        _migration(name).down(db)
        db.execute_sql(f"DELETE FROM {_TABLE} WHERE name = {db.param}", (name,))
    return name


def _take_turn(db: peewee.Database) -> None:
    if isinstance(db, peewee.PostgresqlDatabase):
        db.execute_sql("SELECT pg_advisory_xact_lock(%s)", (_POSTGRESQL_LOCK,))
    db.execute_sql(f"CREATE TABLE IF NOT EXISTS {_TABLE} (name TEXT NOT NULL PRIMARY KEY)")


def _applied(db: peewee.Database) -> set[str]:
    """The names of the steps applied; raises SchemaMismatch where one of them is unknown here."""
    if not db.table_exists(_TABLE):
        return set()
    applied = {name for (name,) in db.execute_sql(f"SELECT name FROM {_TABLE}").fetchall()}
    if unknown := applied.difference(_known()):
        raise SchemaMismatch(
            f"the database has {', '.join(sorted(unknown))}, which this version doesn't know; "
            "run a newer version of workflow-engine"
        )
    return applied


def _known() -> list[str]:
    return sorted(module.name for module in pkgutil.iter_modules(data.migrations.__path__))


def _migration(name: str) -> Migration:
    # A module is what the Protocol says; a type checker can't see into one named at run time.
    return cast(Migration, import_module(f"data.migrations.{name}"))
