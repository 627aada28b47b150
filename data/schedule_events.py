"""Events as schedules take them, kept with peewee."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import peewee

from biz.dsl.events.arrivals import Arrival, EventPage
from biz.dsl.events.interests import Interest, admits, types_of
from biz.events.starts import EventSchedule
from biz.executions.execution import Execution, NewExecution
from biz.schedules.schedule import ScheduleKind
from data.database import Database
from data.event import last_event
from data.execution import insert_execution
from data.models import EventRow, ScheduleRow, from_json, to_json, to_microseconds
from data.query import all_rows
from data.schedule import IS_PAUSED, from_row

_ROWS_AT_ONCE = 100
_EVERYBODY = ""


class PeeweeEventScheduleRepo:
    """`biz.events.starts.EventScheduleRepo`. Every method may raise DatabaseUnavailable as well."""

    def __init__(self, *, database: Database) -> None:
        self._database = database

    async def list_behind(self, *, after_id: str, limit: int) -> Sequence[EventSchedule]:
        ahead = EventRow.select(peewee.SQL("1")).where(
            EventRow.namespace == ScheduleRow.namespace,
            EventRow.sequence > ScheduleRow.event_cursor,
            EventRow.target == _EVERYBODY,
        )
        query = (
            ScheduleRow.select()
            .where(
                ScheduleRow.kind == ScheduleKind.EVENT.value,
                ScheduleRow.id > after_id,
                ~IS_PAUSED,
                peewee.fn.EXISTS(ahead),
            )
            .order_by(ScheduleRow.id)
            .limit(limit)
        )
        rows = await self._database.read(lambda db: all_rows(db, query))
        return [
            EventSchedule(
                schedule=from_row(row),
                cursor=row.event_cursor,
                sets=from_json(row.partial_matches),
            )
            for row in rows
        ]

    async def fetch(self, namespace: str, interests: Sequence[Interest], after: int) -> EventPage:
        return await self._database.read(lambda db: _fetch(db, namespace, interests, after))

    async def consume(
        self,
        before: EventSchedule,
        *,
        cursor: int,
        sets: Sequence[Any],
        executions: Sequence[NewExecution],
        now: datetime,
    ) -> Sequence[Execution] | None:
        def work(db: peewee.Database) -> Sequence[Execution] | None:
            values: dict[str, Any] = {"event_cursor": cursor, "partial_matches": to_json(sets)}
            if executions:
                values["last_start_at"] = to_microseconds(now)
                values["last_execution_id"] = executions[-1].id
            query = ScheduleRow.update(values).where(
                ScheduleRow.id == before.schedule.id,
                ScheduleRow.revision == before.schedule.revision,
                ScheduleRow.event_cursor == before.cursor,
            )
            if not query.execute(db):
                return None
            return [insert_execution(db, execution) for execution in executions]

        return await self._database.write(work)


def _fetch(
    db: peewee.Database, namespace: str, interests: Sequence[Interest], after: int
) -> EventPage:
    # First: what is committed later isn't in the page, though it may be in its last rows.
    end = last_event(namespace).scalar(db) or 0
    query = (
        EventRow.select(EventRow.sequence, EventRow.body)
        .where(
            EventRow.namespace == namespace,
            EventRow.target == _EVERYBODY,
            EventRow.sequence > after,
            EventRow.sequence <= end,
        )
        .order_by(EventRow.sequence)
        .limit(_ROWS_AT_ONCE)
    )
    types = types_of(interests)
    rows = all_rows(db, query if types is None else query.where(EventRow.type.in_(types)))
    has_more = len(rows) == _ROWS_AT_ONCE
    events = [Arrival(sequence=row.sequence, event=from_json(row.body)) for row in rows]
    return EventPage(
        arrivals=[arrival for arrival in events if admits(interests, arrival.event)],
        cursor=rows[-1].sequence if has_more else max(after, end),
        has_more=has_more,
    )
