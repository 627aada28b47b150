"""Measures GetExecutionStats on many executions: `python -m tests.perf.bench_statistics [COUNT]`.

Fills a PostgreSQL and a SQLite with COUNT executions, by default a million, of 50 templates in ten
namespaces, a day's worth being 30,000, and the newest tenth with a history of three tasks each.
Prints the best and the median of some rounds, and the plans of the queries.
"""

import asyncio
import csv
import io
import os
import platform
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import peewee
import typer

from biz.dsl.lifecycle import LifecycleType
from biz.executions.execution import ExecutionQuery, ExecutionStatus
from biz.statistics import StatisticsUsecase
from data.database import Database
from data.migrator import Migrator
from data.models import ExecutionEventRow, ExecutionRow, to_json, to_microseconds
from data.statistics import PeeweeStatisticsRepo
from tests.fixtures.postgres import running_postgres

_COUNT = 1_000_000
_A_DAY = 30_000
_WITH_HISTORY = 0.1
_ROUNDS = 15
_FIRST = datetime(2025, 1, 1, tzinfo=UTC)
_APART = timedelta(days=1) / _A_DAY
_IN_A_TRANSACTION = 20_000
_DEFINITION = "x" * 100 + "".join(random.Random(1).choices("abcdefghijklmnopqrstuvwxyz", k=900))
_OUTCOMES = random.Random(2)


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else _COUNT
    typer.echo(
        f"{count} executions, {_A_DAY} a day; "
        f"{os.cpu_count()} cores, Python {platform.python_version()}"
    )
    _tell_load()
    with running_postgres() as postgres:
        asyncio.run(_measure("PostgreSQL", postgres.new_database(), count))
    with tempfile.TemporaryDirectory() as directory:
        asyncio.run(_measure("SQLite", f"sqlite:///{Path(directory) / 'bench.db'}", count))


def _tell_load() -> None:
    typer.echo(f"  processes that ran or waited to, over a minute: {os.getloadavg()[0]:.1f}")


async def _measure(name: str, url: str, count: int) -> None:
    database = Database(url=url)
    await database.open()
    try:
        await Migrator(database=database).migrate()
        began = time.perf_counter()
        await _fill(database, count)
        typer.echo(f"\n{name}, filled in {time.perf_counter() - began:.0f} s")
        await database.write_statement(_prepare)
        now = _FIRST + count * _APART
        usecase = StatisticsUsecase(repo=PeeweeStatisticsRepo(database=database), clock=lambda: now)
        plans: list[str] = []
        for what, query, interval in _questions(now):
            events: list[peewee.QueryEvent] = []
            await database.read(lambda db, seen=events: db.query_hooks.append(seen.append))
            took = []
            for _ in range(_ROUNDS):
                events.clear()
                began = time.perf_counter()
                found = await usecase.get(query, interval=interval)
                took.append((time.perf_counter() - began) * 1000)
            typer.echo(
                f"  {what:<34} {min(took):7.1f} ms best, {statistics.median(took):7.1f} ms median"
                f"  ({found.total} executions)"
            )
            statements = events.copy()
            await database.read(lambda db: db.query_hooks.clear())
            plans += [f"{what}:", *await database.read(lambda db, s=statements: _plans(db, s))]
        _tell_load()
        typer.echo("\n".join(plans))
    finally:
        await database.close()


def _questions(now: datetime) -> Iterator[tuple[str, ExecutionQuery, timedelta | None]]:
    day = ExecutionQuery(created_after=now - timedelta(days=1), created_before=now)
    middle = now - (now - _FIRST) / 2
    yield "the last day", day, None
    yield "the last day, by the hour", day, timedelta(hours=1)
    yield (
        "a day in the middle, by the hour",
        replace(day, created_after=middle, created_before=middle + timedelta(days=1)),
        timedelta(hours=1),
    )
    yield "all", ExecutionQuery(), None
    yield "all, by the day", ExecutionQuery(), timedelta(days=1)
    yield "all of a namespace", ExecutionQuery(namespace="tenant-3"), None
    yield "all of a template", ExecutionQuery(template_id=7), None
    yield "all of a template's name", ExecutionQuery(template_name="template-7"), None


async def _fill(database: Database, count: int) -> None:
    for start in range(0, count, _IN_A_TRANSACTION):
        numbers = range(start, min(start + _IN_A_TRANSACTION, count))
        await database.write(lambda db, n=numbers: _insert(db, n, count))


def _insert(db: peewee.Database, numbers: range, count: int) -> None:
    executions = [_execution(number, count) for number in numbers]
    events = [
        event
        for number, execution in zip(numbers, executions, strict=True)
        if number >= count * (1 - _WITH_HISTORY)
        for event in _events(execution)
    ]
    for model, rows in ((ExecutionRow, executions), (ExecutionEventRow, events)):
        _insert_rows(db, model._meta.table_name, rows)


def _insert_rows(db: peewee.Database, table: str, rows: list[dict[str, Any]]) -> None:
    """By the quickest way that each database has."""
    if not rows:
        return
    names = ", ".join(rows[0])
    if isinstance(db, peewee.PostgresqlDatabase):
        text = io.StringIO()
        csv.writer(text).writerows(
            ["\\N" if value is None else value for value in row.values()] for row in rows
        )
        text.seek(0)
        db.cursor().copy_expert(f"COPY {table} ({names}) FROM STDIN (FORMAT csv, NULL '\\N')", text)
    else:
        places = ", ".join("?" for _ in rows[0])
        values = [tuple(row.values()) for row in rows]
        db.cursor().executemany(f"INSERT INTO {table} ({names}) VALUES ({places})", values)


def _execution(number: int, count: int) -> dict[str, Any]:
    """One in a thousand of the newest lives; of the others most have completed."""
    lives = number > count * 0.999
    status = ExecutionStatus.RUNNING
    if not lives:
        [status] = _OUTCOMES.choices(
            [
                ExecutionStatus.COMPLETED,
                ExecutionStatus.FAULTED,
                ExecutionStatus.CANCELLED,
                ExecutionStatus.TERMINATED,
            ],
            [93, 5, 1, 1],
        )
    created_at = to_microseconds(_FIRST + number * _APART)
    template = number % 50 + 1
    ended_at = created_at + 20_000 + int(_OUTCOMES.lognormvariate(14, 2))
    return {
        "id": f"{_OUTCOMES.getrandbits(128):032x}",
        "namespace": f"tenant-{number % 10}",
        "template_id": template,
        "template_name": f"template-{template}",
        "template_version": "1.0.0",
        "definition_digest": f"{template:064x}",
        "status": status.value,
        "labels": "{}",
        "business_key": "",
        "progress_sequence": 9,
        "current_tasks": "[]",
        "created_at": created_at,
        "started_at": created_at + 20_000,
        "ended_at": None if lives else ended_at,
        "input": f'{{"order":{number}}}',
        "output": None if lives else '{"ok":true}',
        "definition": _DEFINITION,
    }


def _events(execution: dict[str, Any]) -> Iterator[dict[str, Any]]:
    time = execution["started_at"]
    sequence = 0
    for task in ("/do/0/check", "/do/1/pay", "/do/2/each/for/0/do/0/notify"):
        for type in (
            LifecycleType.TASK_CREATED,
            LifecycleType.TASK_STARTED,
            LifecycleType.TASK_COMPLETED,
        ):
            sequence += 1
            is_end = type is LifecycleType.TASK_COMPLETED
            started_at, time = time, time + (_OUTCOMES.randrange(5_000_000) if is_end else 0)
            yield {
                "execution_id": execution["id"],
                "sequence": sequence,
                "time": time,
                "type": type.value,
                "task": to_json(task),
                "attempt": 1,
                "started_at": started_at if is_end else None,
            }


def _prepare(db: peewee.Database) -> None:
    """What the databases do by themselves in time."""
    db.execute_sql(
        "VACUUM ANALYZE" if isinstance(db, peewee.PostgresqlDatabase) else "PRAGMA optimize"
    )


def _plans(db: peewee.Database, events: list[peewee.QueryEvent]) -> list[str]:
    on_postgresql = isinstance(db, peewee.PostgresqlDatabase)
    command = "EXPLAIN (ANALYZE, BUFFERS OFF, COSTS OFF)" if on_postgresql else "EXPLAIN QUERY PLAN"
    return [
        f"    {row[-1]}"
        for event in events
        if event.sql.lstrip().startswith(("SELECT", "WITH"))
        for row in db.execute_sql(f"{command} {event.sql}", event.params).fetchall()
    ]


if __name__ == "__main__":
    main()
