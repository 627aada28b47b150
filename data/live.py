"""Histories as they grow, read with peewee."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

import peewee

from biz.dsl.lifecycle import LifecycleType
from biz.errors import ExecutionNotFound
from biz.executions.execution import ExecutionStatus
from biz.history.steps import Growth
from biz.paging import Order, Slice
from data.database import Database
from data.history import list_events
from data.models import ExecutionEventRow, ExecutionRow, from_microseconds
from data.query import first_row

_PAGE = Slice(order=Order(field="sequence", descending=False), limit=100)
_GROWN = """
    SELECT watched.key FROM {watched} AS watched
    WHERE EXISTS (
        SELECT 1 FROM execution_event
        WHERE execution_id = watched.key AND sequence > CAST(watched.value AS BIGINT)
    ) OR NOT EXISTS (
        SELECT 1 FROM execution WHERE id = watched.key AND ended_at IS NULL
    )
"""


class PeeweeLiveHistoryRepo:
    """`biz.history.live.LiveHistoryRepo`. Every method may raise DatabaseUnavailable as well."""

    def __init__(self, *, database: Database) -> None:
        self._database = database

    async def read_after(self, execution_id: str, sequence: int) -> Growth:
        return await self._database.read(lambda db: _read_after(db, execution_id, sequence))

    async def grown(self, positions: Mapping[str, int]) -> Sequence[str]:
        if not positions:
            return []
        return await self._database.read(lambda db: _grown(db, positions))


def _read_after(db: peewee.Database, execution_id: str, sequence: int) -> Growth:
    # The execution first: where it has ended, its last events are there as well.
    execution = first_row(
        db,
        ExecutionRow.select(ExecutionRow.status, ExecutionRow.ended_at).where(
            ExecutionRow.id == execution_id
        ),
    )
    if execution is None:
        raise ExecutionNotFound(execution_id)
    last = first_row(
        db,
        ExecutionEventRow.select(ExecutionEventRow.sequence, ExecutionEventRow.type)
        .where(ExecutionEventRow.execution_id == execution_id)
        .order_by(ExecutionEventRow.sequence.desc()),
    )
    page = list_events(db, execution_id, sequence, _PAGE)
    return Growth(
        events=page.items,
        more=page.place is not None,
        last_sequence=last.sequence if last else 0,
        last_type=LifecycleType(last.type) if last else None,
        status=ExecutionStatus(execution.status),
        ended_at=None if execution.ended_at is None else from_microseconds(execution.ended_at),
    )


def _grown(db: peewee.Database, positions: Mapping[str, int]) -> Sequence[str]:
    on_postgresql = isinstance(db, peewee.PostgresqlDatabase)
    watched = f"jsonb_each_text({db.param}::jsonb)" if on_postgresql else "json_each(?)"
    query = _GROWN.format(watched=watched)
    return [id for (id,) in db.execute_sql(query, (json.dumps(dict(positions)),)).fetchall()]
