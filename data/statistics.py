"""What is counted of executions, with peewee.

Totals and intervals are read from the index `execution_created_at` alone, which holds all of the
columns that they ask for.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import peewee
from peewee import fn

from biz.dsl.lifecycle import LifecycleType
from biz.executions.execution import ExecutionQuery, ExecutionStatus
from biz.statistics import (
    PERCENTILES,
    Durations,
    Grid,
    Interval,
    TaskEnd,
    Totals,
    to_durations,
)
from data.database import Database
from data.execution import execution_conditions
from data.models import (
    ExecutionEventRow,
    ExecutionRow,
    from_json,
    from_microseconds,
    to_microseconds,
)

_IN_A_STATEMENT = 100
_STARTED = "STARTED"
_SHOWN = {
    _STARTED: "started",
    ExecutionStatus.COMPLETED.value: "completed",
    ExecutionStatus.FAULTED.value: "faulted",
}
_TASK_ENDS = (LifecycleType.TASK_COMPLETED.value, LifecycleType.TASK_FAULTED.value)


class PeeweeStatisticsRepo:
    """`biz.statistics.StatisticsRepo`. Every method may raise DatabaseUnavailable as well."""

    def __init__(self, *, database: Database) -> None:
        self._database = database

    async def totals(self, query: ExecutionQuery) -> Totals:
        return await self._database.read(lambda db: _totals(db, query))

    async def first_created_at(self, query: ExecutionQuery) -> datetime | None:
        return await self._database.read(lambda db: _first_created_at(db, query))

    async def intervals(self, query: ExecutionQuery, grid: Grid) -> Sequence[Interval]:
        return await self._database.read(lambda db: _intervals(db, query, grid))

    async def task_ends(
        self, query: ExecutionQuery, *, executions: int, limit: int
    ) -> Sequence[TaskEnd]:
        return await self._database.read(lambda db: _task_ends(db, query, executions, limit))


def _totals(db: peewee.Database, query: ExecutionQuery) -> Totals:
    row = next(
        iter(
            _matching(
                db,
                query,
                _percentiles(db, ExecutionRow.ended_at - ExecutionRow.started_at),
                *(
                    fn.COUNT(peewee.SQL("*")).filter(ExecutionRow.status == status.value)
                    for status in ExecutionStatus
                ),
            )
            .tuples()
            .execute(db)
        )
    )
    return Totals(
        by_status=dict(zip(ExecutionStatus, row[1:], strict=True)), durations=_durations(row[0])
    )


def _first_created_at(db: peewee.Database, query: ExecutionQuery) -> datetime | None:
    [(first,)] = _matching(db, query, fn.MIN(ExecutionRow.created_at)).tuples().execute(db)
    return None if first is None else from_microseconds(first)


def _intervals(db: peewee.Database, query: ExecutionQuery, grid: Grid) -> Sequence[Interval]:
    started = _counts(db, query, grid, ExecutionRow.started_at, peewee.Value(_STARTED))
    ended = _counts(db, query, grid, ExecutionRow.ended_at, ExecutionRow.status)
    found: dict[int, Interval] = {}
    for number, what, count in [*started.execute(db), *ended.execute(db)]:
        # Chosen here: asked for in the query, another index would look better than it is.
        if what in _SHOWN:
            interval = found.get(number, Interval(start=grid.start + number * grid.length))
            found[number] = replace(interval, **{_SHOWN[what]: count})
    return [found[number] for number in sorted(found)]


def _counts(
    db: peewee.Database, query: ExecutionQuery, grid: Grid, column: peewee.Field[Any], what: Any
) -> Any:
    """How often `what` was at the times in `column`, by the numbers of the grid's intervals."""
    first, end = to_microseconds(grid.start), to_microseconds(grid.start + grid.count * grid.length)
    length = to_microseconds(from_microseconds(0) + grid.length)
    number = (column - first) / length
    return (
        _matching(db, query, number, what, fn.COUNT(peewee.SQL("*")))
        .where(column >= first, column < end)
        .group_by(peewee.SQL("1"), peewee.SQL("2"))
        .tuples()
    )


def _task_ends(
    db: peewee.Database, query: ExecutionQuery, executions: int, limit: int
) -> Sequence[TaskEnd]:
    """In portions: for all at once PostgreSQL may choose to read the whole history."""
    newest = (
        _matching(db, query, ExecutionRow.id, ExecutionRow.template_id)
        .order_by(ExecutionRow.created_at.desc(), ExecutionRow.id.desc())
        .limit(executions)
    )
    templates = dict(newest.tuples().execute(db))
    ids = list(templates)
    found: list[TaskEnd] = []
    for start in range(0, len(ids), _IN_A_STATEMENT):
        portion = ids[start : start + _IN_A_STATEMENT]
        found += _task_ends_of(db, portion, templates, limit - len(found))
        if len(found) == limit:
            break
    return found


def _task_ends_of(
    db: peewee.Database, ids: Sequence[str], templates: Mapping[str, int], limit: int
) -> Iterator[TaskEnd]:
    event = ExecutionEventRow
    rows = (
        event.select(event.execution_id, event.task, event.type, event.time, event.started_at)
        .where(event.execution_id.in_(ids), event.type.in_(_TASK_ENDS))
        .order_by(event.execution_id, event.sequence)
        .limit(limit)
        .tuples()
    )
    for id, task, type, time, started_at in rows.execute(db):
        yield TaskEnd(
            execution_id=id,
            template_id=templates[id],
            task=from_json(task),
            is_fault=type == LifecycleType.TASK_FAULTED.value,
            duration=timedelta(microseconds=time - started_at),
        )


def _matching(db: peewee.Database, query: ExecutionQuery, *columns: Any) -> Any:
    select = ExecutionRow.select(*columns)
    conditions = list(execution_conditions(db, query))
    return select.where(*conditions) if conditions else select


def _percentiles(db: peewee.Database, value: Any) -> Any:
    if not isinstance(db, peewee.PostgresqlDatabase):
        return fn.PERCENTILES(value)
    shares = ", ".join(map(str, PERCENTILES))
    return peewee.NodeList(
        (
            peewee.SQL(f"PERCENTILE_DISC(ARRAY[{shares}]) WITHIN GROUP (ORDER BY "),
            value,
            peewee.SQL(")"),
        )
    )


def _durations(found: Any) -> Durations | None:
    """`found` is a list on PostgreSQL, its JSON text on SQLite."""
    if found is None:
        return None
    return to_durations(json.loads(found) if isinstance(found, str) else found)
