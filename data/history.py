"""Histories of executions, kept with peewee."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import peewee

from biz.dsl.errors import WorkflowError
from biz.dsl.lifecycle import LifecycleEvent, LifecycleType
from biz.paging import Rows, Slice
from data.database import Database
from data.listing import fetch
from data.models import ExecutionEventRow, from_json, from_microseconds, to_json, to_microseconds

_IN_A_STATEMENT = 100


class PeeweeHistoryRepo:
    """`biz.history.HistoryRepo`. Every method may raise DatabaseUnavailable as well."""

    def __init__(self, *, database: Database) -> None:
        self._database = database

    async def list(
        self, execution_id: str, *, after_sequence: int, slice: Slice
    ) -> Rows[LifecycleEvent]:
        return await self._database.read(lambda db: _list(db, execution_id, after_sequence, slice))


def insert_events(db: peewee.Database, execution_id: str, events: Sequence[LifecycleEvent]) -> None:
    """Adds to a history what isn't there yet, within a unit of work."""
    for start in range(0, len(events), _IN_A_STATEMENT):
        rows = [_to_columns(execution_id, e) for e in events[start : start + _IN_A_STATEMENT]]
        ExecutionEventRow.insert_many(rows).on_conflict(action="nothing").execute(db)


def _list(
    db: peewee.Database, execution_id: str, after_sequence: int, slice: Slice
) -> Rows[LifecycleEvent]:
    return fetch(
        db,
        ExecutionEventRow.select(),
        slice,
        where=[
            ExecutionEventRow.execution_id == execution_id,
            ExecutionEventRow.sequence > after_sequence,
        ],
        order=ExecutionEventRow.sequence,
        key=ExecutionEventRow.sequence,
        texts=[ExecutionEventRow.task, ExecutionEventRow.error],
        decode=_from_row,
    )


def _to_columns(execution_id: str, event: LifecycleEvent) -> dict[str, Any]:
    return {
        "execution_id": execution_id,
        "sequence": event.sequence,
        "time": to_microseconds(event.time),
        "type": event.type.value,
        "task": to_json(event.task),
        "attempt": event.attempt,
        "error": None if event.error is None else to_json(event.error.to_json()),
        "started_at": None if event.started_at is None else to_microseconds(event.started_at),
    }


def _from_row(row: ExecutionEventRow) -> LifecycleEvent:
    return LifecycleEvent(
        sequence=row.sequence,
        type=LifecycleType(row.type),
        time=from_microseconds(row.time),
        task=from_json(row.task),
        attempt=row.attempt,
        error=None if row.error is None else WorkflowError.from_json(from_json(row.error)),
        started_at=None if row.started_at is None else from_microseconds(row.started_at),
    )
