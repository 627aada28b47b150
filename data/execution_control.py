"""What is asked of executions, kept with peewee."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import peewee

from biz.dsl.errors import WorkflowError
from biz.engine import RunOrder, Verb
from biz.errors import ExecutionNotFound
from biz.executions.control import Wish
from biz.executions.execution import ExecutionStatus
from data.database import Database
from data.execution import from_row
from data.models import ExecutionRow, to_json, to_microseconds
from data.query import all_rows, first_row

_SUSPENDED = ExecutionStatus.SUSPENDED.value
_LIVE = ExecutionRow.ended_at.is_null()
_UNSENT = ExecutionRow.order_sent < ExecutionRow.order_sequence
_NOT_CANCELLED = ExecutionRow.order_verb != Verb.CANCEL.value
_CHANGES = {
    Verb.SUSPEND: (ExecutionRow.status != _SUSPENDED) & _NOT_CANCELLED,
    Verb.RESUME: (ExecutionRow.status == _SUSPENDED) & _NOT_CANCELLED,
    Verb.CANCEL: _NOT_CANCELLED,
    Verb.TERMINATE: _LIVE,
}
"""Where a verb changes a live execution."""


class PeeweeWishRepo:
    """`biz.executions.control.WishRepo`. Every method may raise DatabaseUnavailable as well."""

    def __init__(self, *, database: Database) -> None:
        self._database = database

    async def ask(self, id: str, verb: Verb, *, reason: str, now: datetime) -> Wish:
        return await self._database.write(lambda db: _ask(db, id, verb, reason, now))

    async def list_unsent(self, *, after_id: str, limit: int) -> Sequence[Wish]:
        return await self._database.read(lambda db: _list_unsent(db, after_id, limit))

    async def mark_sent(self, id: str, sequence: int) -> None:
        await self._database.write_statement(lambda db: _mark_sent(db, id, sequence))


def _ask(db: peewee.Database, id: str, verb: Verb, reason: str, now: datetime) -> Wish:
    ExecutionRow.update(
        order_sequence=ExecutionRow.order_sequence + 1,
        order_verb=verb.value,
        order_reason=reason,
        **_effects(verb, reason, now),
    ).where(ExecutionRow.id == id, _LIVE, _CHANGES[verb]).execute(db)
    row = first_row(db, ExecutionRow.select().where(ExecutionRow.id == id))
    if row is None:
        raise ExecutionNotFound(id)
    return _from_row(row)


def _effects(verb: Verb, reason: str, now: datetime) -> dict[str, Any]:
    """The columns that a verb changes beside the order itself."""
    match verb:
        case Verb.SUSPEND:
            return {"status": _SUSPENDED}
        case Verb.RESUME:
            return {
                "status": peewee.Case(
                    None,
                    [(ExecutionRow.progress_sequence < 0, ExecutionStatus.PENDING.value)],
                    ExecutionStatus.RUNNING.value,
                )
            }
        case Verb.TERMINATE:
            return {
                "status": ExecutionStatus.TERMINATED.value,
                "error": to_json(WorkflowError.ended("terminated", reason).to_json()),
                "current_tasks": "[]",
                "started_at": peewee.fn.COALESCE(ExecutionRow.started_at, ExecutionRow.created_at),
                "ended_at": to_microseconds(now),
                "history_open": 1,
            }
        case _:
            return {}


def _list_unsent(db: peewee.Database, after_id: str, limit: int) -> Sequence[Wish]:
    query = (
        ExecutionRow.select()
        .where(_UNSENT, ExecutionRow.id > after_id)
        .order_by(ExecutionRow.id)
        .limit(limit)
    )
    return [_from_row(row) for row in all_rows(db, query)]


def _mark_sent(db: peewee.Database, id: str, sequence: int) -> None:
    ExecutionRow.update(order_sent=sequence).where(
        ExecutionRow.id == id, ExecutionRow.order_sent < sequence
    ).execute(db)


def _from_row(row: ExecutionRow) -> Wish:
    """An execution of which nothing was asked may go on."""
    return Wish(
        execution=from_row(row),
        order=RunOrder(
            sequence=row.order_sequence,
            verb=Verb(row.order_verb or Verb.RESUME.value),
            reason=row.order_reason,
        ),
        was_started=row.progress_sequence >= 0,
        is_sent=row.order_sent >= row.order_sequence,
    )
