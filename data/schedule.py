"""Schedules, kept with peewee."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import peewee

from biz.dsl.schedule import Overlap
from biz.errors import ScheduleNotFound
from biz.idempotency import RequestKey
from biz.paging import Rows, Slice
from biz.schedules.schedule import (
    Schedule,
    ScheduleKind,
    ScheduleQuery,
    Settled,
    TemplateChanged,
    WantedSchedule,
)
from data.database import Database
from data.event import last_event
from data.idempotency import claim
from data.listing import fetch
from data.models import (
    ExecutionRow,
    ScheduleRow,
    from_json,
    from_microseconds,
    to_json,
    to_microseconds,
)
from data.query import all_rows, first_row, for_update
from data.template_change import claim_change, find_change, list_changes

_ORDERS: Mapping[str, peewee.Field[Any]] = {
    "id": ScheduleRow.id,
    "template_name": ScheduleRow.template_name,
}
_TEXTS = (ScheduleRow.template_name, ScheduleRow.expression, ScheduleRow.input)
_NO_MATCHES = "[]"
_IDS_AT_ONCE = 500
_MICROSECOND = timedelta(microseconds=1)
IS_PAUSED: Any = ScheduleRow.is_held | ~ScheduleRow.is_active
_TIMED = (ScheduleKind.EVERY.value, ScheduleKind.CRON.value)


class PeeweeScheduleRepo:
    """`biz.schedules.schedule.ScheduleRepo`. Every method may raise DatabaseUnavailable as well."""

    def __init__(self, *, database: Database) -> None:
        self._database = database

    async def list_changes(self, *, limit: int) -> Sequence[TemplateChanged]:
        return await self._database.read(lambda db: list_changes(db, limit))

    async def find_change(self, namespace: str, name: str) -> TemplateChanged | None:
        return await self._database.read(lambda db: find_change(db, namespace, name))

    async def settle(
        self, change: TemplateChanged, wanted: Sequence[WantedSchedule], *, now: datetime
    ) -> Settled:
        return await self._database.write(lambda db: _settle(db, change, wanted, now))

    async def get(self, id: str) -> Schedule:
        return await self._database.read(lambda db: _get(db, id))

    async def list(self, query: ScheduleQuery, slice: Slice) -> Rows[Schedule]:
        return await self._database.read(lambda db: _list(db, query, slice))

    async def hold(self, id: str, reason: str) -> Schedule:
        return await self._database.write(lambda db: _hold(db, id, reason))

    async def release(self, id: str, reason: str) -> Schedule:
        return await self._database.write(lambda db: _release(db, id, reason))

    async def list_unapplied(self, *, limit: int) -> Sequence[Schedule]:
        query = ScheduleRow.select().where(ScheduleRow.applied_revision < ScheduleRow.revision)
        return await self._select(query.order_by(ScheduleRow.id).limit(limit))

    async def list_timed(self, *, after_id: str, limit: int) -> Sequence[Schedule]:
        query = ScheduleRow.select().where(ScheduleRow.kind.in_(_TIMED), ScheduleRow.id > after_id)
        return await self._select(query.order_by(ScheduleRow.id).limit(limit))

    async def mark_applied(self, id: str, revision: int) -> bool:
        query = ScheduleRow.update(applied_revision=revision).where(
            ScheduleRow.id == id, ScheduleRow.revision == revision
        )
        return bool(await self._database.write_statement(query.execute))

    async def record_start(self, id: str, execution_id: str, at: datetime) -> None:
        query = ScheduleRow.update(
            last_start_at=to_microseconds(at), last_execution_id=execution_id, due_at=None
        ).where(ScheduleRow.id == id, ScheduleRow.last_execution_id != execution_id)
        await self._database.write_statement(query.execute)

    async def started(self, execution_ids: Collection[str]) -> Collection[str]:
        return await self._database.read(lambda db: _started(db, execution_ids))

    async def claim_backfill(self, request: RequestKey, start_count: int, now: datetime) -> int:
        known = await self._database.write(
            lambda db: claim(db, request, resource_id=str(start_count), now=now), repeatable=True
        )
        return start_count if known is None else int(known)

    async def find_followed(self, execution_id: str) -> Schedule | None:
        query = ScheduleRow.select().where(
            ScheduleRow.last_execution_id == execution_id,
            ScheduleRow.kind == ScheduleKind.AFTER.value,
        )
        return next(iter(await self._select(query.limit(1))), None)

    async def list_overdue(self, *, now: datetime, limit: int) -> Sequence[Schedule]:
        running = ExecutionRow.select(ExecutionRow.id).where(
            ExecutionRow.id == ScheduleRow.last_execution_id, ExecutionRow.ended_at.is_null()
        )
        query = ScheduleRow.select().where(
            ScheduleRow.kind == ScheduleKind.AFTER.value,
            ~IS_PAUSED,
            ScheduleRow.due_at.is_null() | (ScheduleRow.due_at < to_microseconds(now)),
            ~peewee.fn.EXISTS(running),
        )
        return await self._select(query.order_by(ScheduleRow.id).limit(limit))

    async def set_due(self, schedule: Schedule, due_at: datetime) -> None:
        query = ScheduleRow.update(due_at=to_microseconds(due_at)).where(
            ScheduleRow.id == schedule.id,
            ScheduleRow.last_execution_id == schedule.last_execution_id,
        )
        await self._database.write_statement(query.execute)

    async def _select(self, query: peewee.ModelSelect[ScheduleRow]) -> Sequence[Schedule]:
        rows = await self._database.read(lambda db: all_rows(db, query))
        return [from_row(row) for row in rows]


def _settle(
    db: peewee.Database, change: TemplateChanged, wanted: Sequence[WantedSchedule], now: datetime
) -> Settled:
    if not claim_change(db, change):
        return Settled()
    query = ScheduleRow.select().where(
        ScheduleRow.namespace == change.namespace, ScheduleRow.template_name == change.name
    )
    rows = {ScheduleKind(row.kind): row for row in all_rows(db, for_update(db, query))}
    changed = []
    for wish in wanted:
        row = rows.pop(wish.kind, None)
        if row is None:
            changed.append(_insert(db, change, wish, now))
        elif from_row(row).wanted != wish:
            changed.append(_change(db, row, wish, now))
    removed = [row.id for row in rows.values()]
    ScheduleRow.delete().where(ScheduleRow.id.in_(removed)).execute(db)
    return Settled(changed=changed, removed=removed)


def _insert(
    db: peewee.Database, change: TemplateChanged, wish: WantedSchedule, now: datetime
) -> Schedule:
    id = str(uuid.uuid4())
    ScheduleRow.insert(
        {
            "id": id,
            "namespace": change.namespace,
            "template_name": change.name,
            "is_held": False,
            "hold_reason": "",
            "anchor": to_microseconds(now.replace(microsecond=0)),
            "revision": 1,
            "applied_revision": 0,
            "last_execution_id": "",
            "event_cursor": last_event(change.namespace),
            "partial_matches": _NO_MATCHES,
            **_to_columns(wish),
        }
    ).execute(db)
    return _get(db, id)


def _change(db: peewee.Database, row: ScheduleRow, wish: WantedSchedule, now: datetime) -> Schedule:
    values = {**_to_columns(wish), "revision": row.revision + 1}
    if values["interval_length"] != row.interval_length:
        values["anchor"] = to_microseconds(now.replace(microsecond=0))
        values["due_at"] = None
    if values["filters"] != row.filters:
        values["partial_matches"] = _NO_MATCHES
    if wish.is_active and not row.is_active:
        values.update(_from_now_on(row.namespace))
    ScheduleRow.update(values).where(ScheduleRow.id == row.id).execute(db)
    return _get(db, row.id)


def _hold(db: peewee.Database, id: str, reason: str) -> Schedule:
    row = _locked(db, id)
    values = {"is_held": True, "hold_reason": reason, "revision": row.revision + 1}
    if not row.is_held or row.hold_reason != reason:
        ScheduleRow.update(values).where(ScheduleRow.id == id).execute(db)
    return _get(db, id)


def _release(db: peewee.Database, id: str, reason: str) -> Schedule:
    row = _locked(db, id)
    if row.is_held:
        values = {"is_held": False, "hold_reason": reason, "revision": row.revision + 1}
        values.update(_from_now_on(row.namespace))
        ScheduleRow.update(values).where(ScheduleRow.id == id).execute(db)
    return _get(db, id)


def _from_now_on(namespace: str) -> dict[str, Any]:
    """What a schedule forgets when it goes on: nothing of the pause is made up for."""
    return {
        "due_at": None,
        "event_cursor": last_event(namespace),
        "partial_matches": _NO_MATCHES,
    }


def _locked(db: peewee.Database, id: str) -> ScheduleRow:
    row = first_row(db, for_update(db, ScheduleRow.select().where(ScheduleRow.id == id)))
    if row is None:
        raise ScheduleNotFound(id)
    return row


def _get(db: peewee.Database, id: str) -> Schedule:
    row = first_row(db, ScheduleRow.select().where(ScheduleRow.id == id))
    if row is None:
        raise ScheduleNotFound(id)
    return from_row(row)


def _list(db: peewee.Database, query: ScheduleQuery, slice: Slice) -> Rows[Schedule]:
    return fetch(
        db,
        ScheduleRow.select(),
        slice,
        where=list(_conditions(query)),
        order=_ORDERS[slice.order.field],
        key=ScheduleRow.id,
        texts=_TEXTS,
        decode=from_row,
    )


def _conditions(query: ScheduleQuery) -> Iterator[Any]:
    if query.namespace:
        yield ScheduleRow.namespace == query.namespace
    if query.template_name:
        yield ScheduleRow.template_name == query.template_name


def _started(db: peewee.Database, execution_ids: Collection[str]) -> Collection[str]:
    found: set[str] = set()
    for some in peewee.chunked(execution_ids, _IDS_AT_ONCE):
        query = ExecutionRow.select(ExecutionRow.id).where(ExecutionRow.id.in_(some))
        found.update(row.id for row in all_rows(db, query))
    return found


def _to_columns(wanted: WantedSchedule) -> dict[str, Any]:
    return {
        "kind": wanted.kind.value,
        "template_id": wanted.template_id,
        "template_version": wanted.template_version,
        "is_active": wanted.is_active,
        "expression": wanted.expression,
        "interval_length": wanted.interval // _MICROSECOND,
        "time_zone": wanted.time_zone,
        "overlap": wanted.overlap.value,
        "input": to_json(wanted.input),
        "filters": wanted.filters,
    }


def from_row(row: ScheduleRow) -> Schedule:
    """The entity of a whole row."""
    return Schedule(
        id=row.id,
        namespace=row.namespace,
        template_name=row.template_name,
        wanted=WantedSchedule(
            kind=ScheduleKind(row.kind),
            template_id=row.template_id,
            template_version=row.template_version,
            is_active=row.is_active,
            expression=row.expression,
            interval=row.interval_length * _MICROSECOND,
            time_zone=row.time_zone,
            overlap=Overlap(row.overlap),
            input=from_json(row.input),
            filters=row.filters,
        ),
        anchor=from_microseconds(row.anchor),
        is_held=row.is_held,
        hold_reason=row.hold_reason,
        revision=row.revision,
        applied_revision=row.applied_revision,
        last_start_time=_time(row.last_start_at),
        last_execution_id=row.last_execution_id,
        due_at=_time(row.due_at),
    )


def _time(value: int | None) -> datetime | None:
    return None if value is None else from_microseconds(value)
