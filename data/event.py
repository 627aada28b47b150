"""Events and their listeners, kept with peewee."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import peewee

from biz.dsl.events.arrivals import Arrival, EventPage, Listener
from biz.dsl.events.event import Event
from biz.dsl.events.interests import admits, types_of
from biz.events.event import KnownListener, NewEvent, StoredEvent
from data.database import Database
from data.models import (
    EventListenerRow,
    EventRow,
    ExecutionRow,
    from_json,
    to_json,
    to_microseconds,
)
from data.query import all_rows, first_row, for_update

_ASLEEP = EventListenerRow.woken_round < EventListenerRow.round
_EVERYBODY = ""
_ANY_TYPE = ""
_POSTGRESQL_LOCK = 1_163_284_301  # arbitrary, and this table's own
_ROWS_AT_ONCE = 100
_MOST_ROWS_OF_A_PAGE = 2_000
_MOST_BYTES_OF_A_PAGE = 256 * 1024


class PeeweeEventRepo:
    """`biz.events.event.EventRepo`. Every method may raise DatabaseUnavailable as well."""

    def __init__(self, *, database: Database) -> None:
        self._database = database

    async def add(self, event: NewEvent) -> StoredEvent:
        return await self._database.write(lambda db: _add(db, event), repeatable=True)

    async def list_undelivered(
        self, *, accepted_before: datetime, limit: int
    ) -> Sequence[StoredEvent]:
        query = (
            _known_of_events()
            .where(
                EventRow.delivered_at.is_null(),
                EventRow.accepted_at < to_microseconds(accepted_before),
            )
            .order_by(EventRow.sequence)
            .limit(limit)
        )
        rows = await self._database.read(lambda db: all_rows(db, query))
        return [_stored(row) for row in rows]

    async def mark_delivered(self, sequence: int, at: datetime) -> None:
        query = EventRow.update(delivered_at=to_microseconds(at)).where(
            EventRow.sequence == sequence
        )
        await self._database.write_statement(query.execute)

    async def purge(self, *, accepted_before: datetime, limit: int) -> int:
        return await self._database.write(lambda db: _purge(db, accepted_before, limit))

    async def list_listeners(
        self, event: StoredEvent, *, asleep: bool, after_id: int, limit: int
    ) -> Sequence[KnownListener]:
        query = (
            EventListenerRow.select(EventListenerRow.id, EventListenerRow.execution_id)
            .where(
                EventListenerRow.namespace == event.namespace,
                EventListenerRow.id > after_id,
            )
            .order_by(EventListenerRow.id)
            .limit(limit)
        )
        if event.target:
            query = query.where(EventListenerRow.execution_id == event.target)
        if asleep:
            query = query.where(_ASLEEP)
        rows = await self._database.read(lambda db: _of_types(db, query, event.type, _ANY_TYPE))
        found = [KnownListener(id=row.id, execution_id=row.execution_id) for row in rows]
        return sorted(found, key=lambda listener: listener.id)[:limit]

    async def claim(self, listeners: Sequence[KnownListener]) -> Sequence[KnownListener]:
        ids = [listener.id for listener in listeners]
        query = (
            EventListenerRow.update(woken_round=EventListenerRow.round)
            .where(EventListenerRow.id.in_(ids), _ASLEEP)
            .returning(EventListenerRow.id)
        )
        # Not repeatable: what was claimed and isn't known to be would never be woken.
        claimed = await self._database.write(lambda db: {row.id for row in query.execute(db)})
        return [listener for listener in listeners if listener.id in claimed]

    async def fetch(self, execution_id: str, listener: Listener, after: int) -> EventPage:
        await self._database.write(lambda db: _listen(db, execution_id, listener), repeatable=True)
        return await self._database.read(lambda db: _fetch(db, execution_id, listener, after))

    async def stop_listening(self, execution_id: str, listener_id: int) -> None:
        await self._forget(
            EventListenerRow.execution_id == execution_id, EventListenerRow.listener == listener_id
        )

    async def forget(self, execution_id: str) -> None:
        await self._forget(EventListenerRow.execution_id == execution_id)

    async def forget_ended(self) -> None:
        ended = ExecutionRow.select(ExecutionRow.id).where(ExecutionRow.ended_at.is_null(False))
        await self._forget(EventListenerRow.execution_id.in_(ended))

    async def _forget(self, *conditions: Any) -> None:
        query = EventListenerRow.delete().where(*conditions)
        await self._database.write_statement(query.execute)


def _of_types(
    db: peewee.Database, query: peewee.ModelSelect[EventListenerRow], *types: str
) -> Sequence[EventListenerRow]:
    """The rows of each type, one after the other: asked for both at once, SQLite looks at all."""
    return [
        row for type in types for row in all_rows(db, query.where(EventListenerRow.type == type))
    ]


def last_event(namespace: str) -> Any:
    """The last sequence of a namespace as a part of a statement, 0 where there is none."""
    return EventRow.select(peewee.fn.COALESCE(peewee.fn.MAX(EventRow.sequence), 0)).where(
        EventRow.namespace == namespace
    )


def _add(db: peewee.Database, new: NewEvent) -> StoredEvent:
    if isinstance(db, peewee.PostgresqlDatabase):
        # Sequences are given out before they are committed: without turns a later one could be
        # seen earlier, and the earlier one be missed.
        db.execute_sql(
            "SELECT pg_advisory_xact_lock(%s, hashtext(%s))", (_POSTGRESQL_LOCK, new.namespace)
        )
    key = _key(new.event)
    reaches = EventRow.target == new.target
    if new.target:
        cursor = ExecutionRow.select(ExecutionRow.event_cursor).where(ExecutionRow.id == new.target)
        reaches |= (EventRow.target == _EVERYBODY) & (EventRow.sequence > cursor)
    known = first_row(
        db,
        _known_of_events().where(EventRow.namespace == new.namespace, EventRow.key == key, reaches),
    )
    if known is not None:
        return _stored(known)
    columns: dict[str, Any] = {
        "namespace": new.namespace,
        "target": new.target,
        "key": key,
        "type": new.event["type"],
        "accepted_at": to_microseconds(new.accepted_at),
        "body": to_json(new.event),
    }
    sequence = EventRow.insert(columns).execute(db)
    return _stored(EventRow(sequence=sequence, **columns), is_new=True)


def _purge(db: peewee.Database, accepted_before: datetime, limit: int) -> int:
    old = (
        EventRow.select(EventRow.sequence)
        .where(
            EventRow.accepted_at < to_microseconds(accepted_before),
            EventRow.delivered_at.is_null(False),
        )
        .limit(limit)
    )
    old = for_update(db, old, skip_locked=True)
    return int(EventRow.delete().where(EventRow.sequence.in_(old)).execute(db))


def _listen(db: peewee.Database, execution_id: str, listener: Listener) -> None:
    """Begins a round of the listener."""
    execution = _execution(db, execution_id)
    if execution is None:
        return
    types = types_of(listener.interests)
    for type in [_ANY_TYPE] if types is None else types:
        EventListenerRow.insert(
            execution_id=execution_id,
            listener=listener.id,
            namespace=execution.namespace,
            type=type,
            round=1,
            woken_round=0,
        ).on_conflict(
            conflict_target=[
                EventListenerRow.execution_id,
                EventListenerRow.listener,
                EventListenerRow.type,
            ],
            update={EventListenerRow.round: EventListenerRow.round + 1},
        ).execute(db)


def _fetch(db: peewee.Database, execution_id: str, listener: Listener, after: int) -> EventPage:
    execution = _execution(db, execution_id)
    if execution is None:
        return EventPage(arrivals=(), cursor=after, has_more=False)
    # First: what is committed later isn't in the page, though it may be in its last rows.
    end = last_event(execution.namespace).scalar(db)
    cursor = max(after, execution.event_cursor)
    arrivals: list[Arrival] = []
    size = 0
    for _ in range(_MOST_ROWS_OF_A_PAGE // _ROWS_AT_ONCE):
        rows = all_rows(db, _rows(execution, listener, cursor, end))
        for row in rows:
            event = from_json(row.body)
            if admits(listener.interests, event):
                size += len(json.dumps(event))
                if arrivals and size > _MOST_BYTES_OF_A_PAGE:
                    return EventPage(arrivals=arrivals, cursor=cursor, has_more=True)
                arrivals.append(Arrival(sequence=row.sequence, event=event))
            cursor = row.sequence
        if len(rows) < _ROWS_AT_ONCE:
            return EventPage(arrivals=arrivals, cursor=max(cursor, end), has_more=False)
    return EventPage(arrivals=arrivals, cursor=cursor, has_more=True)


def _rows(execution: ExecutionRow, listener: Listener, after: int, end: int) -> Any:
    """The next events for an execution, without those that came for it alone as well."""
    own = EventRow.alias()
    query = (
        EventRow.select(EventRow.sequence, EventRow.body)
        .where(
            EventRow.namespace == execution.namespace,
            EventRow.target.in_([_EVERYBODY, execution.id]),
            EventRow.sequence > after,
            EventRow.sequence <= end,
            (EventRow.target != _EVERYBODY)
            | ~peewee.fn.EXISTS(
                own.select(peewee.SQL("1")).where(
                    own.namespace == EventRow.namespace,
                    own.key == EventRow.key,
                    own.target == execution.id,
                )
            ),
        )
        .order_by(EventRow.sequence)
        .limit(_ROWS_AT_ONCE)
    )
    types = types_of(listener.interests)
    return query if types is None else query.where(EventRow.type.in_(types))


def _execution(db: peewee.Database, id: str) -> ExecutionRow | None:
    columns = ExecutionRow.id, ExecutionRow.namespace, ExecutionRow.event_cursor
    return first_row(db, ExecutionRow.select(*columns).where(ExecutionRow.id == id))


def _known_of_events() -> Any:
    return EventRow.select(
        EventRow.sequence,
        EventRow.namespace,
        EventRow.target,
        EventRow.type,
        EventRow.delivered_at,
    )


def _key(event: Event) -> str:
    """What stands for an event's source and id, however long they are."""
    pair = json.dumps([event["source"], event["id"]])
    return hashlib.sha256(pair.encode()).hexdigest()


def _stored(row: EventRow, *, is_new: bool = False) -> StoredEvent:
    return StoredEvent(
        sequence=row.sequence,
        namespace=row.namespace,
        target=row.target,
        type=row.type,
        is_new=is_new,
        is_delivered=row.delivered_at is not None,
    )
