"""Who is still to be told of faults, kept with peewee.

An execution that has faulted has its hooks in its own row, since then and by the same statement.
From there each goes to a row of its own, which is what is worked off.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

import peewee

from biz.hooks.relay import DeliveryState, HookClaim
from data.database import Database
from data.execution import from_row
from data.hook_columns import hooks_from_text, hooks_to_text
from data.models import ExecutionRow, HookDeliveryRow, from_microseconds, to_microseconds
from data.query import all_rows, first_row, for_update

_SPREAD_AT_ONCE = 100
_TOLD_WITHOUT = {ExecutionRow.definition, ExecutionRow.output, ExecutionRow.hooks}
_TOLD = [field for field in ExecutionRow._meta.sorted_fields if field not in _TOLD_WITHOUT]
# Written out, and not with parameters, so that SQLite can tell that the partial index applies.
_FAULTED = peewee.SQL("hooks <> '' AND hook_of = '' AND status = 'FAULTED'")


class PeeweeFaultHookRepo:
    """`biz.hooks.relay.FaultHookRepo`. Every method may raise DatabaseUnavailable as well."""

    def __init__(self, *, database: Database) -> None:
        self._database = database

    async def next_due(self) -> datetime | None:
        return await self._database.read(_next_due)

    async def claim(self, *, now: datetime, until: datetime, limit: int) -> Sequence[HookClaim]:
        return await self._database.write(lambda db: list(_claim(db, now, until, limit)))

    async def settle(
        self, claim: HookClaim, state: DeliveryState, *, due_at: datetime | None = None
    ) -> None:
        query = HookDeliveryRow.update(
            state=state.value, due_at=None if due_at is None else to_microseconds(due_at)
        ).where(
            _is_row(claim.execution.id, claim.position),
            HookDeliveryRow.attempts == claim.attempt,
            HookDeliveryRow.state == DeliveryState.PENDING.value,
        )
        await self._database.write_statement(query.execute)


def _next_due(db: peewee.Database) -> datetime | None:
    faulted = first_row(db, ExecutionRow.select(ExecutionRow.ended_at).where(_FAULTED))
    due = HookDeliveryRow.select(HookDeliveryRow.due_at).where(
        HookDeliveryRow.due_at.is_null(False)
    )
    first = first_row(db, due.order_by(HookDeliveryRow.due_at))
    times = [row for row in (faulted and faulted.ended_at, first and first.due_at) if row]
    return from_microseconds(min(times)) if times else None


def _claim(db: peewee.Database, now: datetime, until: datetime, limit: int) -> Iterator[HookClaim]:
    _spread(db, now)
    due = (
        HookDeliveryRow.select()
        .where(HookDeliveryRow.due_at <= to_microseconds(now))
        .order_by(HookDeliveryRow.due_at)
        .limit(limit)
    )
    for row in all_rows(db, for_update(db, due, skip_locked=True)):
        HookDeliveryRow.update(attempts=row.attempts + 1, due_at=to_microseconds(until)).where(
            _is_row(row.execution_id, row.position)
        ).execute(db)
        told = ExecutionRow.select(*_TOLD).where(ExecutionRow.id == row.execution_id)
        for execution in all_rows(db, told):
            (hook,) = hooks_from_text(row.hook)
            yield HookClaim(
                execution=from_row(execution),
                position=row.position,
                hook=hook,
                attempt=row.attempts + 1,
            )


def _spread(db: peewee.Database, now: datetime) -> None:
    """Makes a row of each hook of executions that have faulted."""
    faulted = ExecutionRow.select(ExecutionRow.id, ExecutionRow.hooks).where(_FAULTED)
    locked = for_update(db, faulted.limit(_SPREAD_AT_ONCE), skip_locked=True)
    rows = [_columns(row, now) for row in all_rows(db, locked)]
    for columns in rows:
        HookDeliveryRow.insert_many(columns).execute(db)
        ExecutionRow.update(hooks="").where(ExecutionRow.id == columns[0]["execution_id"]).execute(
            db
        )


def _columns(row: ExecutionRow, now: datetime) -> Sequence[dict[str, Any]]:
    return [
        {
            "execution_id": row.id,
            "position": position,
            "state": DeliveryState.PENDING.value,
            "attempts": 0,
            "due_at": to_microseconds(now),
            "hook": hooks_to_text([hook]),
        }
        for position, hook in enumerate(hooks_from_text(row.hooks))
    ]


def _is_row(execution_id: str, position: int) -> Any:
    return (HookDeliveryRow.execution_id == execution_id) & (HookDeliveryRow.position == position)
