"""The removal of executions, and of what is old of them, with peewee."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial
from typing import Any

import peewee

from biz.errors import ExecutionNotEnded, ExecutionNotFound
from data.belongings import BELONGINGS, HISTORY, Belonging
from data.database import Database
from data.models import ExecutionRow, to_microseconds
from data.query import all_rows, first_row

_ROWS_AT_ONCE = 1_000
_ENDED = ExecutionRow.ended_at.is_null(False)
_PLACE = peewee.Tuple(ExecutionRow.ended_at, ExecutionRow.id)


class PeeweeRemovalRepo:
    """`biz.retention.sweeper.RetentionRepo`. Every method may raise DatabaseUnavailable as well.

    What belongs to an execution goes in small transactions, so that a long history holds up no
    other writer. The execution itself goes last, so that one which a crash left half deleted is
    there to be deleted again.
    """

    def __init__(self, *, database: Database, clock: Callable[[], datetime]) -> None:
        """`clock` says when a history was removed."""
        self._database = database
        self._clock = clock

    async def delete(self, id: str) -> None:
        await self._empty(id, BELONGINGS)
        await self._database.write(lambda db: _delete(db, id))

    async def delete_history(self, id: str) -> None:
        await self._empty(id, HISTORY)
        now = to_microseconds(self._clock())
        query = ExecutionRow.update(history_removed_at=now).where(ExecutionRow.id == id)
        await self._database.write_statement(query.execute)

    async def list_namespaces(self) -> list[str]:
        return await self._database.read(_list_namespaces)

    async def list_ended(
        self, namespace: str, *, ended_before: datetime, with_history: bool, limit: int
    ) -> list[str]:
        until = ExecutionRow.ended_at < to_microseconds(ended_before)
        return await self._database.read(
            lambda db: _list_ended(db, namespace, until, with_history, limit)
        )

    async def list_beyond(
        self, namespace: str, *, count: int, with_history: bool, limit: int
    ) -> list[str]:
        def find(db: peewee.Database) -> list[str]:
            first = _ended(namespace).order_by(ExecutionRow.ended_at.desc(), ExecutionRow.id.desc())
            row = first_row(db, first.offset(count))
            if row is None:
                return []
            until = peewee.Tuple(row.ended_at, row.id) >= _PLACE
            return _list_ended(db, namespace, until, with_history, limit)

        return await self._database.read(find)

    async def _empty(self, id: str, belongings: Sequence[Belonging]) -> None:
        await self._database.read(lambda db: _require_ended(db, id))
        for belonging in belongings:
            some = partial(belonging.delete_some, execution_id=id, limit=_ROWS_AT_ONCE)
            while await self._database.write(some):
                continue


def _require_ended(db: peewee.Database, id: str) -> None:
    query = ExecutionRow.select(ExecutionRow.status, ExecutionRow.ended_at)
    row = first_row(db, query.where(ExecutionRow.id == id))
    if row is None:
        raise ExecutionNotFound(id)
    if row.ended_at is None:
        raise ExecutionNotEnded(id, row.status)


def _delete(db: peewee.Database, id: str) -> None:
    """Deletes the execution, and what was written of it meanwhile."""
    for belonging in BELONGINGS:
        belonging.delete_all(db, id)
    if not ExecutionRow.delete().where(ExecutionRow.id == id).execute(db):
        raise ExecutionNotFound(id)


def _list_namespaces(db: peewee.Database) -> list[str]:
    """A look into the index for each, since a statement for all would read every execution."""
    found: list[str] = []
    while (next_one := _namespace_after(db, found[-1] if found else None)) is not None:
        found.append(next_one)
    return found


def _namespace_after(db: peewee.Database, namespace: str | None) -> str | None:
    query = ExecutionRow.select(peewee.fn.MIN(ExecutionRow.namespace))
    if namespace is not None:
        query = query.where(ExecutionRow.namespace > namespace)
    found: str | None = query.scalar(db)
    return found


def _ended(namespace: str) -> Any:
    return ExecutionRow.select(ExecutionRow.id, ExecutionRow.ended_at).where(
        ExecutionRow.namespace == namespace, _ENDED
    )


def _list_ended(
    db: peewee.Database, namespace: str, until: Any, with_history: bool, limit: int
) -> list[str]:
    query = _ended(namespace).where(until)
    if with_history:
        query = query.where(ExecutionRow.history_removed_at.is_null())
    query = query.order_by(ExecutionRow.ended_at, ExecutionRow.id).limit(limit)
    return [row.id for row in all_rows(db, query)]
