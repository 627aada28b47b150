"""Where executions stood, and those that take up from others, kept with peewee."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

import peewee

from biz.dsl.lifecycle import ABSENT, LifecycleEvent, LifecycleType
from biz.errors import ExecutionRetried
from biz.executions.execution import Execution, NewExecution
from biz.executions.history_batch import is_digest
from biz.idempotency import RequestKey
from data.database import Database
from data.execution import get_execution, insert_execution
from data.history import entry_from_row
from data.idempotency import claim
from data.models import (
    EventRow,
    ExecutionCheckpointRow,
    ExecutionEventRow,
    ExecutionRow,
    ExecutionValueRow,
    from_json,
    to_json,
)
from data.query import first_row


class PeeweeCheckpointRepo:
    """`biz.executions.checkpoints.CheckpointRepo`. All may raise DatabaseUnavailable too."""

    def __init__(self, *, database: Database, clock: Callable[[], datetime]) -> None:
        """`clock` says when a request_id has expired."""
        self._database = database
        self._clock = clock

    async def get(self, execution_id: str) -> str | None:
        row = await self._database.read(lambda db: _row(db, execution_id))
        return (row.content or None) if row else None

    async def get_start(self, execution_id: str) -> str | None:
        row = await self._database.read(lambda db: _row(db, execution_id))
        return row.start if row else None

    async def create_retry(
        self, execution: NewExecution, checkpoint: str, request: RequestKey | None
    ) -> Execution:
        now = self._clock()
        return await self._database.write(
            lambda db: _create_retry(db, execution, checkpoint, request, now), repeatable=True
        )

    async def find_event(
        self, execution_id: str, type: LifecycleType, task: str, *, within: bool = False
    ) -> LifecycleEvent | None:
        return await self._database.read(
            lambda db: _find_event(db, execution_id, type, task, within)
        )


def _row(db: peewee.Database, execution_id: str) -> ExecutionCheckpointRow | None:
    query = ExecutionCheckpointRow.select().where(
        ExecutionCheckpointRow.execution_id == execution_id
    )
    row: ExecutionCheckpointRow | None = first_row(db, query)
    return row


def _create_retry(
    db: peewee.Database,
    execution: NewExecution,
    checkpoint: str,
    request: RequestKey | None,
    now: datetime,
) -> Execution:
    if request and (known := claim(db, request, resource_id=execution.id, now=now)):
        return get_execution(db, known)
    # The row of the other one is locked by this, so that of two retries one sees the other.
    taken = (
        ExecutionRow.update(retried_by=execution.id)
        .where(
            ExecutionRow.id == execution.retry_of, ExecutionRow.retried_by.in_(["", execution.id])
        )
        .execute(db)
    )
    ended = get_execution(db, execution.retry_of)
    if not taken:
        raise ExecutionRetried(ended.id, ended.retried_by)
    stored = insert_execution(db, execution)
    cursor = ExecutionRow.alias()
    ExecutionRow.update(
        event_cursor=cursor.select(cursor.event_cursor).where(cursor.id == execution.retry_of)
    ).where(ExecutionRow.id == execution.id).execute(db)
    # What came for the other one alone is for this one now, but for what it has consumed.
    EventRow.update(target=execution.id).where(
        EventRow.namespace == execution.namespace, EventRow.target == execution.retry_of
    ).execute(db)
    ExecutionCheckpointRow.insert(execution_id=execution.id, content="", start=checkpoint).execute(
        db
    )
    return stored


def _find_event(
    db: peewee.Database, execution_id: str, type: LifecycleType, task: str, within: bool
) -> LifecycleEvent | None:
    query = (
        ExecutionEventRow.select()
        .where(
            ExecutionEventRow.execution_id == execution_id,
            ExecutionEventRow.type == type.value,
            _is_within(task) if within else ExecutionEventRow.task == to_json(task),
        )
        .order_by(ExecutionEventRow.sequence.desc())
    )
    row = first_row(db, query)
    if row is None:
        return None
    entry = entry_from_row(row)
    values = {
        digest: _value(db, execution_id, digest)
        for digest in (entry.input, entry.output, entry.context)
        if digest is not None and is_digest(digest)
    }
    context = entry.context
    if context is None:
        return entry.event(values)
    told = values[context] if is_digest(context) else from_json(context)
    return replace(entry.event(values), context=told)


def _is_within(task: str) -> peewee.Expression:
    start = str(to_json(f"{task}/"))[:-1]
    return peewee.fn.SUBSTR(ExecutionEventRow.task, 1, len(start)) == start


def _value(db: peewee.Database, execution_id: str, digest: str) -> object:
    query = ExecutionValueRow.select().where(
        ExecutionValueRow.execution_id == execution_id, ExecutionValueRow.digest == digest
    )
    row = first_row(db, query)
    return ABSENT if row is None else from_json(row.content)
