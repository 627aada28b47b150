"""Log lines of executions, kept with peewee; those of the lifecycle are read from the history."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import peewee

from biz.dsl.errors import WorkflowError
from biz.dsl.lifecycle import LifecycleEvent, LifecycleType
from biz.logs.log import ExecutionLog, LogLevel, LogQuery, lifecycle_line, lifecycle_types
from biz.paging import Rows, Slice
from data.database import Database
from data.listing import fetch
from data.models import (
    ExecutionEventRow,
    ExecutionLogRow,
    from_json,
    from_microseconds,
    to_json,
    to_microseconds,
)
from data.query import first_row

_IN_A_STATEMENT = 100
_OF_AN_EVENT = (
    ExecutionEventRow.sequence,
    ExecutionEventRow.time,
    ExecutionEventRow.type,
    ExecutionEventRow.task,
    ExecutionEventRow.attempt,
    ExecutionEventRow.error,
    ExecutionEventRow.started_at,
)

R = TypeVar("R", bound=peewee.Model)


class PeeweeExecutionLogRepo:
    """`biz.logs.log.LogRepo`. Every method may raise DatabaseUnavailable as well."""

    def __init__(self, *, database: Database) -> None:
        self._database = database

    async def add(self, lines: Sequence[ExecutionLog]) -> None:
        await self._database.write(lambda db: _add(db, lines))

    async def list(self, query: LogQuery, slice: Slice) -> Rows[ExecutionLog]:
        return await self._database.read(lambda db: _list(db, query, slice))


@dataclass(frozen=True, slots=True)
class _Found:
    """A line, and its place in the table that it came from."""

    line: ExecutionLog
    place: tuple[int, int]


def _add(db: peewee.Database, lines: Sequence[ExecutionLog]) -> None:
    for start in range(0, len(lines), _IN_A_STATEMENT):
        rows = [_to_columns(line) for line in lines[start : start + _IN_A_STATEMENT]]
        ExecutionLogRow.insert_many(rows).execute(db)


def _list(db: peewee.Database, query: LogQuery, slice: Slice) -> Rows[ExecutionLog]:
    """Merges what both tables have by time.

    A place has one in each table: what is written late, with a time before those of lines that were
    read, isn't lost where it is of the history.
    """
    places = slice.after or (None, None)
    part = replace(slice, max_bytes=slice.max_bytes // 2)
    found = [
        _events(db, query, replace(part, after=_place(places[0]))),
        _lines(db, query, replace(part, after=_place(places[1]))),
    ]
    taken = _merged(found, slice)
    trace_id = _trace_id(db, query.execution_id)
    chosen = [[item for table, item in taken if table == number] for number in range(len(found))]
    is_all = all(
        rows.place is None and len(rows.items) == len(items)
        for rows, items in zip(found, chosen, strict=True)
    )
    new_places = tuple(
        items[-1].place if items else place for items, place in zip(chosen, places, strict=True)
    )
    return Rows(
        items=[replace(item.line, trace_id=item.line.trace_id or trace_id) for _, item in taken],
        place=None if is_all else (new_places[0], new_places[1]),
        total=sum(rows.total or 0 for rows in found) if slice.count else None,
    )


def _merged(found: Sequence[Rows[_Found]], slice: Slice) -> list[tuple[int, _Found]]:
    """The next lines, each with the number of its table; at the same time the history's are first.

    It ends where a table was read no further.
    """
    numbered = [[(number, item) for item in rows.items] for number, rows in enumerate(found)]
    descending = slice.order.descending
    taken: list[tuple[int, _Found]] = []
    for number, item in heapq.merge(
        *(reversed(numbered) if descending else numbered),
        key=lambda each: each[1].line.time,
        reverse=descending,
    ):
        taken.append((number, item))
        rows = found[number]
        is_cut = rows.place is not None and item is rows.items[-1]
        if is_cut or len(taken) == slice.limit:
            break
    return taken


def _trace_id(db: peewee.Database, execution_id: str) -> str:
    """That of a run, as far as its calls have told it."""
    query = ExecutionLogRow.select(ExecutionLogRow.trace_id).where(
        ExecutionLogRow.execution_id == execution_id
    )
    row = first_row(db, query.order_by(ExecutionLogRow.time, ExecutionLogRow.id))
    return row.trace_id if row else ""


def _place(value: Any) -> tuple[Any, Any] | None:
    return None if value is None else (value[0], value[1])


def _events(db: peewee.Database, query: LogQuery, slice: Slice) -> Rows[_Found]:
    types = [type.value for type in lifecycle_types(query.level)]
    return fetch(
        db,
        ExecutionEventRow.select(*_OF_AN_EVENT),
        slice,
        where=[
            ExecutionEventRow.execution_id == query.execution_id,
            ExecutionEventRow.type.in_(types),
            *_of_task(ExecutionEventRow.task, query.task),
        ],
        order=ExecutionEventRow.sequence,
        key=ExecutionEventRow.sequence,
        texts=[ExecutionEventRow.task, ExecutionEventRow.error],
        decode=_event_decoder(query.execution_id),
    )


def _lines(db: peewee.Database, query: LogQuery, slice: Slice) -> Rows[_Found]:
    return fetch(
        db,
        ExecutionLogRow.select(),
        slice,
        where=[
            ExecutionLogRow.execution_id == query.execution_id,
            ExecutionLogRow.level >= query.level,
            *_of_task(ExecutionLogRow.task, query.task),
        ],
        order=ExecutionLogRow.time,
        key=ExecutionLogRow.id,
        texts=[ExecutionLogRow.task, ExecutionLogRow.message, ExecutionLogRow.fields],
        decode=lambda row: _Found(_from_row(row), (row.time, row.id)),
    )


def _of_task(column: peewee.Field[str], task: str) -> Iterator[Any]:
    """A condition that the path in `column`, as JSON text, is a task's or of one within it."""
    if task:
        text = to_json(task)
        assert text is not None
        within = f"{text[:-1]}/"
        start = peewee.fn.SUBSTR(column, 1, len(within))
        yield (column == text) | (start == within)


def _to_columns(line: ExecutionLog) -> dict[str, Any]:
    return {
        "execution_id": line.execution_id,
        "time": to_microseconds(line.time),
        "level": line.level.value,
        "task": to_json(line.task),
        "message": to_json(line.message),
        "fields": to_json(dict(line.fields)),
        "trace_id": line.trace_id,
    }


def _from_row(row: ExecutionLogRow) -> ExecutionLog:
    return ExecutionLog(
        execution_id=row.execution_id,
        time=from_microseconds(row.time),
        level=LogLevel(row.level),
        task=from_json(row.task),
        message=from_json(row.message),
        fields=from_json(row.fields),
        trace_id=row.trace_id,
    )


def _event_decoder(execution_id: str) -> Callable[[ExecutionEventRow], _Found]:
    def decode(row: ExecutionEventRow) -> _Found:
        event = LifecycleEvent(
            sequence=row.sequence,
            type=LifecycleType(row.type),
            time=from_microseconds(row.time),
            task=from_json(row.task),
            attempt=row.attempt,
            error=None if row.error is None else WorkflowError.from_json(from_json(row.error)),
            started_at=None if row.started_at is None else from_microseconds(row.started_at),
        )
        return _Found(lifecycle_line(execution_id, event), (row.sequence, row.sequence))

    return decode
