"""The removal of executions, with peewee."""

from __future__ import annotations

from functools import partial

import peewee

from biz.errors import ExecutionNotEnded, ExecutionNotFound
from data.belongings import BELONGINGS
from data.database import Database
from data.models import ExecutionRow
from data.query import first_row

_ROWS_AT_ONCE = 1_000


class PeeweeRemovalRepo:
    """`biz.removal.RemovalRepo`. Every method may raise DatabaseUnavailable as well."""

    def __init__(self, *, database: Database) -> None:
        self._database = database

    async def delete(self, id: str) -> None:
        """What belongs to it goes in small transactions, so that a long history holds up no other
        writer; the execution itself goes last, so that one which a crash left half deleted is
        there to be deleted again.
        """
        await self._database.read(lambda db: _require_ended(db, id))
        for belonging in BELONGINGS:
            some = partial(belonging.delete_some, execution_id=id, limit=_ROWS_AT_ONCE)
            while await self._database.write(some):
                continue
        await self._database.write(lambda db: _delete(db, id))


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
