"""What is counted of executions, with peewee.

Counts and durations are read from the index `execution_created_at` alone, which holds all of the
columns that they ask for.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from contextlib import nullcontext
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import peewee
from peewee import fn

from biz.dsl.lifecycle import LifecycleType
from biz.executions.execution import ExecutionQuery, ExecutionStatus
from biz.statistics import (
    PERCENTILES,
    Counts,
    Durations,
    Grid,
    Interval,
    TaskEnds,
    TaskSample,
    to_durations,
)
from data.database import Database
from data.execution import execution_conditions
from data.models import ExecutionRow, from_json, from_microseconds, to_microseconds

_STARTED = "STARTED"
_SHOWN = {
    _STARTED: "started",
    ExecutionStatus.COMPLETED.value: "completed",
    ExecutionStatus.FAULTED.value: "faulted",
}
_COUNT = fn.COUNT(peewee.SQL("*"))

# What happened in the same intervals is counted together first, in one pass over the index.
_OVER_TIME = """
    SELECT status, NULL, CAST(SUM(number) AS BIGINT) FROM cell GROUP BY status
    UNION ALL
    SELECT '{started}', started, CAST(SUM(number) AS BIGINT) FROM cell
    WHERE started BETWEEN {first} AND {last} GROUP BY started
    UNION ALL
    SELECT status, ended, CAST(SUM(number) AS BIGINT) FROM cell
    WHERE ended BETWEEN {first} AND {last} GROUP BY status, ended
"""

# Each execution's history by its key: PostgreSQL, left to itself, may read all of them.
_HISTORY_OF_POSTGRESQL = """CROSS JOIN LATERAL (
    SELECT * FROM execution_event WHERE execution_id = newest.id OFFSET 0
) AS event"""
_HISTORY_OF_SQLITE = "CROSS JOIN execution_event AS event ON event.execution_id = newest.id"

_ENDED = """
    WITH ended AS MATERIALIZED (
        SELECT newest.id, newest.template_id, newest.created_at, event.task, event.type,
            event.time - event.started_at AS duration
        FROM ("""
# One end more than the limit is looked for: its execution, the last one, may be cut.
_TASKS = """) AS newest {history}
        WHERE event.type IN ('{completed}', '{faulted}')
        ORDER BY newest.created_at DESC, newest.id DESC LIMIT {limit} + 1
    ),
    kept AS MATERIALIZED (
        SELECT * FROM ended
        WHERE id NOT IN (
            SELECT id FROM ended ORDER BY created_at DESC, id DESC LIMIT 1 OFFSET {limit}
        ) OR id = (SELECT id FROM ended ORDER BY created_at DESC, id DESC LIMIT 1)
    )
    SELECT
        (SELECT COUNT(*) FROM (SELECT DISTINCT id FROM kept) AS executions),
        template_id, task, COUNT(*) FILTER (WHERE type = '{faulted}'), {durations}
    FROM kept GROUP BY template_id, task
"""


class PeeweeStatisticsRepo:
    """`biz.statistics.StatisticsRepo`. Every method may raise DatabaseUnavailable as well."""

    def __init__(self, *, database: Database) -> None:
        self._database = database

    async def counts(self, query: ExecutionQuery, grid: Grid | None) -> Counts:
        return await self._database.read(
            lambda db: _counts_over_time(db, query, grid) if grid else _counts(db, query)
        )

    async def durations(self, query: ExecutionQuery) -> Durations | None:
        return await self._database.read(lambda db: _durations(db, query))

    async def first_created_at(self, query: ExecutionQuery) -> datetime | None:
        return await self._database.read(lambda db: _first_created_at(db, query))

    async def task_sample(
        self, query: ExecutionQuery, *, executions: int, limit: int
    ) -> TaskSample:
        return await self._database.read(lambda db: _task_sample(db, query, executions, limit))


def _counts(db: peewee.Database, query: ExecutionQuery) -> Counts:
    by_status = _matching(db, query, ExecutionRow.status, _COUNT).group_by(ExecutionRow.status)
    return _to_counts((status, None, count) for status, count in _rows(db, by_status))


def _counts_over_time(db: peewee.Database, query: ExecutionQuery, grid: Grid) -> Counts:
    """Intervals are numbered from 1970 on."""
    length = grid.length // timedelta(microseconds=1)
    first = to_microseconds(grid.start) // length
    cells = _matching(
        db,
        query,
        ExecutionRow.status,
        (ExecutionRow.started_at / length).alias("started"),
        (ExecutionRow.ended_at / length).alias("ended"),
        _COUNT.alias("number"),
    ).group_by(peewee.SQL("1, 2, 3"))
    sums = _OVER_TIME.format(started=_STARTED, first=first, last=first + grid.count - 1)
    rows = _rows(db, _text("WITH cell AS MATERIALIZED (", cells, ")" + sums))
    return _to_counts(rows, grid.length)


def _to_counts(
    rows: Iterable[tuple[str, int | None, Any]], length: timedelta = timedelta()
) -> Counts:
    """Of how many were in what state, as a whole where no interval is told."""
    by_status: dict[ExecutionStatus, int] = {}
    found: dict[int, Interval] = {}
    for what, number, count in rows:
        if number is None:
            by_status[ExecutionStatus(what)] = count
        elif what in _SHOWN:
            interval = found.get(number, Interval(start=from_microseconds(0) + number * length))
            found[number] = replace(interval, **{_SHOWN[what]: count})
    return Counts(by_status=by_status, intervals=[found[number] for number in sorted(found)])


def _durations(db: peewee.Database, query: ExecutionQuery) -> Durations | None:
    took = ExecutionRow.ended_at - ExecutionRow.started_at
    [(found,)] = _rows(db, _matching(db, query, _percentiles(db, took)))
    return None if found is None else to_durations(_numbers(found))


def _first_created_at(db: peewee.Database, query: ExecutionQuery) -> datetime | None:
    [(first,)] = _rows(db, _matching(db, query, fn.MIN(ExecutionRow.created_at)))
    return None if first is None else from_microseconds(first)


def _task_sample(
    db: peewee.Database, query: ExecutionQuery, executions: int, limit: int
) -> TaskSample:
    newest = (
        _matching(db, query, ExecutionRow.id, ExecutionRow.template_id, ExecutionRow.created_at)
        .order_by(ExecutionRow.created_at.desc(), ExecutionRow.id.desc())
        .limit(executions)
    )
    on_postgresql = isinstance(db, peewee.PostgresqlDatabase)
    rest = _TASKS.format(
        history=_HISTORY_OF_POSTGRESQL if on_postgresql else _HISTORY_OF_SQLITE,
        completed=LifecycleType.TASK_COMPLETED.value,
        faulted=LifecycleType.TASK_FAULTED.value,
        limit=limit,
        durations="ARRAY_AGG(duration)" if on_postgresql else "JSON_GROUP_ARRAY(duration)",
    )
    rows = _rows(db, _text(_ENDED, newest, rest))
    tasks = [
        TaskEnds(
            template_id=template_id,
            task=from_json(task),
            faulted=faulted,
            durations=_numbers(durations),
        )
        for _, template_id, task, faulted, durations in rows
    ]
    return TaskSample(executions=rows[0][0] if rows else 0, tasks=tasks)


def _numbers(found: Any) -> Sequence[int]:
    """A list comes as such from PostgreSQL, as its JSON text from SQLite."""
    numbers: Sequence[int] = json.loads(found) if isinstance(found, str) else found
    return numbers


def _text(before: str, query: Any, after: str) -> Any:
    return peewee.NodeList((peewee.SQL(before), query, peewee.SQL(after)))


def _rows(db: peewee.Database, query: Any) -> Sequence[Any]:
    """PostgreSQL gets memory for the durations of a million executions, and compiles nothing."""
    on_postgresql = isinstance(db, peewee.PostgresqlDatabase)
    with db.atomic() if on_postgresql else nullcontext():
        if on_postgresql:
            db.execute_sql("SET LOCAL work_mem = '64MB'; SET LOCAL jit = off")
        rows: Sequence[Any] = db.execute(query).fetchall()
    return rows


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
