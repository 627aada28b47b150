"""Operations, kept with peewee."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import peewee

from biz.errors import OperationNotFound, TooManyMatched
from biz.executions.execution import ExecutionQuery
from biz.idempotency import RequestKey
from biz.operations.operation import (
    MAX_FAILURES,
    BatchAction,
    BatchFailure,
    BatchItem,
    NewOperation,
    Operation,
)
from biz.paging import Rows, Slice
from data.database import Database
from data.execution import execution_conditions
from data.idempotency import claim
from data.listing import fetch
from data.models import (
    ExecutionRow,
    OperationItemRow,
    OperationRow,
    from_json,
    from_microseconds,
    to_json,
    to_microseconds,
)
from data.query import all_rows, first_row, for_update

_DROPPED_AT_ONCE = 1_000
_PURGED_AT_ONCE = 100
_UNFINISHED = OperationRow.ended_at.is_null()


class PeeweeOperationRepo:
    """`biz.operations.operation.OperationRepo`. Each method may raise DatabaseUnavailable too."""

    def __init__(self, *, database: Database) -> None:
        self._database = database

    async def count(self, query: ExecutionQuery) -> int:
        return await self._database.read(lambda db: _matching(db, query).count(db))

    async def create(
        self,
        operation: NewOperation,
        query: ExecutionQuery,
        *,
        max_count: int,
        request: RequestKey | None,
    ) -> Operation:
        return await self._database.write(
            lambda db: _create(db, operation, query, max_count, request)
        )

    async def get(self, id: str) -> Operation:
        return await self._database.read(lambda db: _get(db, id))

    async def list(self, namespace: str, slice: Slice) -> Rows[Operation]:
        where = [OperationRow.namespace == namespace] if namespace else []
        return await self._database.read(
            lambda db: fetch(
                db,
                OperationRow.select(),
                slice,
                where=where,
                order=OperationRow.created_at,
                key=OperationRow.id,
                texts=[OperationRow.reason, OperationRow.failures],
                decode=_from_row,
            )
        )

    async def cancel(self, id: str, at: datetime) -> Operation:
        def cancel(db: peewee.Database) -> Operation:
            OperationRow.update(cancel_requested_at=to_microseconds(at)).where(
                OperationRow.id == id, _UNFINISHED, OperationRow.cancel_requested_at.is_null()
            ).execute(db)
            return _get(db, id)

        return await self._database.write(cancel, repeatable=True)

    async def list_unfinished(self, *, limit: int) -> Sequence[str]:
        query = (
            OperationRow.select(OperationRow.id)
            .where(_UNFINISHED)
            .order_by(OperationRow.created_at, OperationRow.id)
            .limit(limit)
        )
        rows = await self._database.read(lambda db: all_rows(db, query))
        return [row.id for row in rows]

    async def next_items(self, id: str, *, limit: int) -> Sequence[BatchItem]:
        query = (
            OperationItemRow.select()
            .where(OperationItemRow.operation_id == id)
            .order_by(OperationItemRow.position)
            .limit(limit)
        )
        rows = await self._database.read(lambda db: all_rows(db, query))
        return [BatchItem(position=row.position, execution_id=row.target) for row in rows]

    async def record(self, id: str, outcomes: Mapping[BatchItem, BatchFailure | None]) -> None:
        await self._database.write(lambda db: _record(db, id, outcomes), repeatable=True)

    async def end(self, id: str, at: datetime) -> None:
        some = (
            OperationItemRow.select(OperationItemRow.position)
            .where(OperationItemRow.operation_id == id)
            .limit(_DROPPED_AT_ONCE)
        )
        drop = OperationItemRow.delete().where(
            OperationItemRow.operation_id == id, OperationItemRow.position.in_(some)
        )
        while await self._database.write(drop.execute):
            continue
        end = OperationRow.update(ended_at=to_microseconds(at)).where(
            OperationRow.id == id, _UNFINISHED
        )
        await self._database.write_statement(end.execute)

    async def purge(self, *, ended_before: datetime) -> int:
        old = (
            OperationRow.select(OperationRow.id)
            .where(OperationRow.ended_at < to_microseconds(ended_before))
            .limit(_PURGED_AT_ONCE)
        )
        query = OperationRow.delete().where(OperationRow.id.in_(old))
        return int(await self._database.write(query.execute))


def _matching(db: peewee.Database, query: ExecutionQuery) -> Any:
    where = list(execution_conditions(db, query))
    found = ExecutionRow.select(ExecutionRow.id)
    return found.where(*where) if where else found


def _create(
    db: peewee.Database,
    operation: NewOperation,
    query: ExecutionQuery,
    max_count: int,
    request: RequestKey | None,
) -> Operation:
    if request and (
        known := claim(db, request, resource_id=operation.id, now=operation.created_at)
    ):
        return _get(db, known)
    matched = _list_matching(db, operation.id, query, max_count)
    if max_count and matched > max_count:
        raise TooManyMatched(_matching(db, query).count(db), max_count)
    columns = {
        "id": operation.id,
        "namespace": operation.namespace,
        "action": operation.action.value,
        "reason": operation.reason,
        "created_at": to_microseconds(operation.created_at),
        "matched": matched,
        "succeeded": 0,
        "failed": 0,
        "failures": "[]",
    }
    OperationRow.insert(columns).execute(db)
    return _from_row(OperationRow(**columns))


def _list_matching(db: peewee.Database, id: str, query: ExecutionQuery, max_count: int) -> int:
    """Lists what matches, or one more than may; answers how many that is."""
    order = [ExecutionRow.created_at, ExecutionRow.id]
    found = (
        _matching(db, query)
        .select(peewee.Value(id), peewee.fn.ROW_NUMBER().over(order_by=order), ExecutionRow.id)
        .order_by(*order)
    )
    if max_count:
        found = found.limit(max_count + 1)
    columns = [OperationItemRow.operation_id, OperationItemRow.position, OperationItemRow.target]
    return int(OperationItemRow.insert_from(found, columns).as_rowcount().execute(db))


def _record(
    db: peewee.Database, id: str, outcomes: Mapping[BatchItem, BatchFailure | None]
) -> None:
    operation = first_row(db, for_update(db, OperationRow.select().where(OperationRow.id == id)))
    if operation is None:
        return
    taken = (
        OperationItemRow.delete()
        .where(
            OperationItemRow.operation_id == id,
            OperationItemRow.position.in_([item.position for item in outcomes]),
        )
        .returning(OperationItemRow.position)
    )
    counted = {row.position for row in taken.execute(db)}
    failures = [
        failure for item, failure in outcomes.items() if failure and item.position in counted
    ]
    named = [*from_json(operation.failures), *map(_failure_to_json, failures)][:MAX_FAILURES]
    OperationRow.update(
        succeeded=operation.succeeded + len(counted) - len(failures),
        failed=operation.failed + len(failures),
        failures=to_json(named),
    ).where(OperationRow.id == id).execute(db)


def _get(db: peewee.Database, id: str) -> Operation:
    row = first_row(db, OperationRow.select().where(OperationRow.id == id))
    if row is None:
        raise OperationNotFound(id)
    return _from_row(row)


def _failure_to_json(failure: BatchFailure) -> Sequence[str]:
    return [failure.execution_id, failure.reason, failure.message]


def _from_row(row: OperationRow) -> Operation:
    return Operation(
        id=row.id,
        namespace=row.namespace,
        action=BatchAction(row.action),
        reason=row.reason,
        created_at=from_microseconds(row.created_at),
        ended_at=_time(row.ended_at),
        cancel_requested_at=_time(row.cancel_requested_at),
        matched=row.matched,
        succeeded=row.succeeded,
        failed=row.failed,
        failures=[
            BatchFailure(execution_id=id, reason=reason, message=message)
            for id, reason, message in from_json(row.failures)
        ],
    )


def _time(value: int | None) -> datetime | None:
    return None if value is None else from_microseconds(value)
