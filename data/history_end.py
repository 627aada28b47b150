"""Ends of histories that their runs couldn't tell, kept with peewee."""

from __future__ import annotations

from collections.abc import Sequence

import peewee

from biz.dsl.lifecycle import LifecycleEvent
from biz.executions.execution import Execution
from biz.executions.history_batch import HistoryBatch, HistoryEntry
from biz.executions.history_end import closing_events
from data.database import Database
from data.execution import from_row, put_checkpoint
from data.history import insert_events
from data.history_changes import announcing
from data.history_relay import note_more_unsent
from data.models import ExecutionEventRow, ExecutionRow, from_json
from data.query import all_rows

# Written out, and not with a parameter, so that SQLite can tell that the partial index applies.
_IS_OPEN = peewee.SQL("history_open = 1")
_SHORT = (
    ExecutionEventRow.sequence,
    ExecutionEventRow.time,
    ExecutionEventRow.type,
    ExecutionEventRow.task,
    ExecutionEventRow.attempt,
)


class PeeweeHistoryEndRepo:
    """`biz.executions.history_end.HistoryEndRepo`. All may raise DatabaseUnavailable too."""

    def __init__(self, *, database: Database) -> None:
        self._database = database

    async def list_open(self, *, after_id: str, limit: int) -> Sequence[Execution]:
        return await self._database.read(lambda db: _list_open(db, after_id, limit))

    async def close(self, execution: Execution, events: HistoryBatch, checkpoint: str) -> None:
        def close(db: peewee.Database) -> None:
            _close(db, execution, events)
            if checkpoint:
                put_checkpoint(db, execution.id, checkpoint)

        await self._database.write(close, repeatable=True, then=announcing(execution.id))


def _list_open(db: peewee.Database, after_id: str, limit: int) -> Sequence[Execution]:
    query = (
        ExecutionRow.select()
        .where(
            _IS_OPEN,
            ExecutionRow.order_sent >= ExecutionRow.order_sequence,
            ExecutionRow.id > after_id,
        )
        .order_by(ExecutionRow.id)
        .limit(limit)
    )
    return [from_row(row) for row in all_rows(db, query)]


def _close(db: peewee.Database, execution: Execution, events: HistoryBatch) -> None:
    insert_events(db, execution.id, events)
    history = (
        ExecutionEventRow.select(*_SHORT)
        .where(ExecutionEventRow.execution_id == execution.id)
        .order_by(ExecutionEventRow.sequence)
    )
    told = [_from_row(row) for row in all_rows(db, history)]
    end = HistoryBatch.of(closing_events(execution, told))
    insert_events(db, execution.id, end)
    for batch in (events, end):
        if batch:
            note_more_unsent(db, execution.id, batch.entries[-1].sequence)
    ExecutionRow.update(history_open=0).where(ExecutionRow.id == execution.id).execute(db)


def _from_row(row: ExecutionEventRow) -> LifecycleEvent:
    """Without its values."""
    entry = HistoryEntry(
        sequence=row.sequence,
        time=row.time,
        type=row.type,
        task=from_json(row.task),
        attempt=row.attempt,
    )
    return entry.event({})
