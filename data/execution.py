"""Executions, kept with peewee."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

import peewee

from biz.dsl.errors import WorkflowError
from biz.errors import BusinessKeyInUse, ExecutionNotFound
from biz.executions.execution import (
    Execution,
    ExecutionEnd,
    ExecutionProgress,
    ExecutionQuery,
    ExecutionStatus,
    NewExecution,
)
from biz.executions.history_batch import NO_HISTORY, HistoryBatch
from biz.idempotency import RequestKey
from biz.paging import Rows, Slice
from data.database import Database
from data.event import last_event
from data.history import insert_events
from data.history_changes import announcing
from data.history_relay import note_unsent
from data.hook_columns import hook_of, hooks_to_text
from data.idempotency import claim, find
from data.listing import fetch
from data.models import (
    ExecutionCheckpointRow,
    ExecutionRow,
    from_json,
    from_microseconds,
    to_json,
    to_microseconds,
)
from data.query import all_rows, first_row, has_labels

_ORDERS: Mapping[str, peewee.Field[Any]] = {
    "created_at": ExecutionRow.created_at,
    "id": ExecutionRow.id,
}
_HEAVY = (ExecutionRow.input, ExecutionRow.output, ExecutionRow.definition)
_LIGHT = tuple(field for field in ExecutionRow._meta.sorted_fields if field not in set(_HEAVY))
_LIGHT_TEXTS = (
    ExecutionRow.template_name,
    ExecutionRow.labels,
    ExecutionRow.current_tasks,
    ExecutionRow.error,
)
_SUSPENDED = ExecutionStatus.SUSPENDED.value
_LIVE = ExecutionRow.ended_at.is_null()
# Written out, and not with a parameter, so that SQLite can tell that the partial index applies.
_HAS_BUSINESS_KEY = peewee.SQL("business_key <> ''")
_HAS_PARENT = peewee.SQL("parent_id <> ''")


class PeeweeExecutionRepo:
    """`biz.executions.execution.ExecutionRepo`. Each method may raise DatabaseUnavailable too."""

    def __init__(
        self, *, database: Database, clock: Callable[[], datetime], has_history_sink: bool = False
    ) -> None:
        """`clock` says when a request_id has expired. With `has_history_sink` it is noted of events
        that they are to be sent.
        """
        self._database = database
        self._clock = clock
        self._has_history_sink = has_history_sink

    async def create(self, execution: NewExecution, request: RequestKey | None) -> Execution:
        # An execution's id is known before: a second insert finds the first one.
        if request is None:
            return await self._database.write_statement(lambda db: insert_execution(db, execution))
        return await self._database.write(
            lambda db: _create(db, execution, request), repeatable=True
        )

    async def get(self, id: str) -> Execution:
        return await self._database.read(lambda db: get_execution(db, id))

    async def find_by_request(self, request: RequestKey) -> Execution | None:
        now = self._clock()
        return await self._database.read(lambda db: _find_by_request(db, request, now))

    async def bind_request(self, request: RequestKey, id: str) -> Execution:
        now = self._clock()
        return await self._database.write(
            lambda db: get_execution(db, claim(db, request, resource_id=id, now=now) or id),
            repeatable=True,
        )

    async def list(self, query: ExecutionQuery, slice: Slice) -> Rows[Execution]:
        return await self._database.read(lambda db: _list(db, query, slice))

    async def list_pending(self, *, created_before: datetime, limit: int) -> Sequence[Execution]:
        return await self._database.read(lambda db: _list_pending(db, created_before, limit))

    async def list_live(self, *, after_id: str, limit: int) -> Sequence[str]:
        return await self._database.read(lambda db: _list_live(db, after_id, limit))

    async def record_progress(
        self, id: str, progress: ExecutionProgress, events: HistoryBatch = NO_HISTORY
    ) -> None:
        await self._write(id, events, lambda db: _record_progress(db, id, progress))

    async def record_events(self, id: str, events: HistoryBatch) -> None:
        await self._write(id, events, lambda db: None)

    async def record_end(
        self, id: str, end: ExecutionEnd, events: HistoryBatch = NO_HISTORY
    ) -> None:
        """One that wasn't recorded as started counts as started when it was created."""

        def write(db: peewee.Database) -> None:
            _record_end(db, id, end)
            if end.checkpoint:
                put_checkpoint(db, id, end.checkpoint)

        await self._write(id, events, write, is_end=True, is_one_statement=not end.checkpoint)

    async def record_end_from_outside(self, id: str, end: ExecutionEnd) -> None:
        """As `record_end`."""
        await self._database.write_statement(
            lambda db: _record_end(db, id, end, history_open=1), then=announcing(id)
        )

    async def _write(
        self,
        id: str,
        events: HistoryBatch,
        work: Callable[[peewee.Database], None],
        *,
        is_end: bool = False,
        is_one_statement: bool = True,
    ) -> None:
        def write(db: peewee.Database) -> None:
            insert_events(db, id, events)
            work(db)
            if self._has_history_sink and events:
                note_unsent(db, id, events.entries[-1].sequence)

        then = announcing(id) if events or is_end else None
        if is_one_statement and not events:
            await self._database.write_statement(work, then=then)
        else:
            await self._database.write(write, repeatable=True, then=then)


def _create(db: peewee.Database, execution: NewExecution, request: RequestKey) -> Execution:
    known = claim(db, request, resource_id=execution.id, now=execution.created_at)
    return get_execution(db, known) if known else insert_execution(db, execution)


def insert_execution(db: peewee.Database, execution: NewExecution) -> Execution:
    """Stores it as PENDING; one of its id that is there is answered. Raises BusinessKeyInUse."""
    same_key = (
        (ExecutionRow.namespace == execution.namespace)
        & (ExecutionRow.business_key == execution.business_key)
        & _HAS_BUSINESS_KEY
        & _LIVE
    )
    columns = _to_columns(execution)
    insert = ExecutionRow.insert(columns).on_conflict(action="nothing")
    while not insert.as_rowcount().execute(db):
        in_the_way = first_row(
            db,
            ExecutionRow.select(ExecutionRow.id)
            .where((ExecutionRow.id == execution.id) | same_key)
            # Its own row, of an attempt whose answer was lost, comes before another's.
            .order_by(peewee.Case(None, [(ExecutionRow.id == execution.id, 0)], 1)),
        )
        if in_the_way and in_the_way.id == execution.id:
            return get_execution(db, execution.id)
        if in_the_way:
            raise BusinessKeyInUse(execution.business_key, in_the_way.id)
        # The other one ended between the two statements: the key is free now.
    return from_row(ExecutionRow(**columns))


def get_execution(db: peewee.Database, id: str) -> Execution:
    """Raises ExecutionNotFound."""
    row = first_row(db, ExecutionRow.select().where(ExecutionRow.id == id))
    if row is None:
        raise ExecutionNotFound(id)
    return from_row(row)


def _find_by_request(db: peewee.Database, request: RequestKey, now: datetime) -> Execution | None:
    id = find(db, request, now=now)
    return None if id is None else get_execution(db, id)


def _list(db: peewee.Database, query: ExecutionQuery, slice: Slice) -> Rows[Execution]:
    return fetch(
        db,
        ExecutionRow.select() if query.full else ExecutionRow.select(*_LIGHT),
        slice,
        where=list(execution_conditions(db, query)),
        order=_ORDERS[slice.order.field],
        key=ExecutionRow.id,
        texts=[*_LIGHT_TEXTS, *_HEAVY] if query.full else _LIGHT_TEXTS,
        decode=from_row,
    )


def execution_conditions(db: peewee.Database, query: ExecutionQuery) -> Iterator[Any]:
    """What the rows that a query means have in common."""
    if query.namespace:
        yield ExecutionRow.namespace == query.namespace
    if query.template_id:
        yield ExecutionRow.template_id == query.template_id
    if query.template_name:
        yield ExecutionRow.template_name == query.template_name
    if query.statuses:
        yield ExecutionRow.status.in_([status.value for status in query.statuses])
    if query.business_key:
        yield ExecutionRow.business_key == query.business_key
        yield _HAS_BUSINESS_KEY
    if query.parent_id:
        yield ExecutionRow.parent_id == query.parent_id
        yield _HAS_PARENT
    if query.created_after:
        yield ExecutionRow.created_at > to_microseconds(query.created_after)
    if query.created_before:
        yield ExecutionRow.created_at < to_microseconds(query.created_before)
    yield from has_labels(db, ExecutionRow.labels, query.labels)


def _list_pending(db: peewee.Database, created_before: datetime, limit: int) -> Sequence[Execution]:
    query = (
        ExecutionRow.select()
        .where(
            ExecutionRow.status == ExecutionStatus.PENDING.value,
            ExecutionRow.parent_id == "",
            ExecutionRow.order_sent >= ExecutionRow.order_sequence,
            ExecutionRow.created_at < to_microseconds(created_before),
        )
        .order_by(ExecutionRow.created_at)
        .limit(limit)
    )
    return [from_row(row) for row in all_rows(db, query)]


def _list_live(db: peewee.Database, after_id: str, limit: int) -> Sequence[str]:
    query = (
        ExecutionRow.select(ExecutionRow.id)
        .where(_LIVE, ExecutionRow.id > after_id)
        .order_by(ExecutionRow.id)
        .limit(limit)
    )
    return [row.id for row in all_rows(db, query)]


def _record_progress(db: peewee.Database, id: str, progress: ExecutionProgress) -> None:
    """An order that the run hasn't got yet says whether it is suspended."""
    running = ExecutionStatus.RUNNING.value
    ExecutionRow.update(
        status=peewee.Case(
            None,
            [
                (ExecutionRow.order_sequence <= progress.order, progress.status.value),
                (ExecutionRow.status == _SUSPENDED, _SUSPENDED),
            ],
            running if progress.status is ExecutionStatus.SUSPENDED else progress.status.value,
        ),
        current_tasks=to_json(list(progress.current_tasks)),
        progress_sequence=progress.sequence,
        started_at=peewee.fn.COALESCE(ExecutionRow.started_at, to_microseconds(progress.at)),
    ).where(
        ExecutionRow.id == id, _LIVE, ExecutionRow.progress_sequence < progress.sequence
    ).execute(db)


def _record_end(db: peewee.Database, id: str, end: ExecutionEnd, *, history_open: int = 0) -> None:
    ExecutionRow.update(
        status=end.status.value,
        current_tasks="[]",
        output=to_json(end.output),
        error=None if end.error is None else to_json(end.error.to_json()),
        started_at=peewee.fn.COALESCE(ExecutionRow.started_at, ExecutionRow.created_at),
        ended_at=to_microseconds(end.ended_at),
        history_open=history_open,
    ).where(ExecutionRow.id == id, _LIVE).execute(db)


def put_checkpoint(db: peewee.Database, execution_id: str, content: str) -> None:
    """Keeps where an execution stood, within a unit of work."""
    ExecutionCheckpointRow.insert(execution_id=execution_id, content=content).on_conflict(
        conflict_target=[ExecutionCheckpointRow.execution_id],
        preserve=[ExecutionCheckpointRow.content],
    ).execute(db)


def _to_columns(execution: NewExecution) -> dict[str, Any]:
    return {
        "id": execution.id,
        "namespace": execution.namespace,
        "template_id": execution.template_id,
        "template_name": execution.template_name,
        "template_version": execution.template_version,
        "definition": execution.definition,
        "definition_digest": execution.definition_digest,
        "status": ExecutionStatus.PENDING.value,
        "input": to_json(execution.input),
        "labels": to_json(dict(execution.labels)),
        "business_key": execution.business_key,
        "progress_sequence": -1,
        "current_tasks": "[]",
        "created_at": to_microseconds(execution.created_at),
        "event_cursor": last_event(execution.namespace),
        "parent_id": execution.parent_id,
        "retry_of": execution.retry_of,
        "hook_of": hook_of(execution),
        "hooks": hooks_to_text(execution.hooks),
    }


def from_row(row: ExecutionRow) -> Execution:
    """Columns that weren't selected are None."""
    return Execution(
        id=row.id,
        namespace=row.namespace,
        template_id=row.template_id,
        template_name=row.template_name,
        template_version=row.template_version,
        definition=row.definition or "",
        definition_digest=row.definition_digest,
        status=ExecutionStatus(row.status),
        input=from_json(row.input),
        output=from_json(row.output),
        error=None if row.error is None else WorkflowError.from_json(from_json(row.error)),
        labels=from_json(row.labels),
        business_key=row.business_key,
        current_tasks=tuple(from_json(row.current_tasks)),
        created_at=from_microseconds(row.created_at),
        started_at=None if row.started_at is None else from_microseconds(row.started_at),
        ended_at=None if row.ended_at is None else from_microseconds(row.ended_at),
        parent_id=row.parent_id,
        retry_of=row.retry_of,
        retried_by=row.retried_by,
    )
