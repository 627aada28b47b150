"""Measures how soon watchers see what happens: `python -m tests.perf.bench_watch --help`.

It starts all of it as `up` does, runs many executions of many calls, and watches each of them many
times over HTTP, each watcher with one cut. Triggers in the database note when each event was
recorded. It fails where a watcher misses an event, gets one twice, or gets one out of order.
"""

import argparse
import asyncio
import json
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path

import httpx
import peewee
import typer

from data.database import Database
from tests.fixtures.postgres import running_postgres
from tests.fixtures.stack import Stack, running_stack, stack_environment
from tests.fixtures.watchers import HttpWatcher

_NOTES = "CREATE TABLE recorded (execution_id TEXT, sequence BIGINT, at DOUBLE PRECISION)"
_ON_SQLITE = """
    CREATE TRIGGER note AFTER INSERT ON execution_event BEGIN
        INSERT INTO recorded
        VALUES (new.execution_id, new.sequence, (julianday('now') - 2440587.5) * 86400.0);
    END
"""
_ON_POSTGRESQL = """
    CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        INSERT INTO recorded
        VALUES (new.execution_id, new.sequence, extract(epoch FROM clock_timestamp()));
        RETURN new;
    END $$;
    CREATE TRIGGER note AFTER INSERT ON execution_event FOR EACH ROW EXECUTE FUNCTION note()
"""
Recorded = Mapping[tuple[str, int], float]
Answer = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


async def main(arguments: argparse.Namespace) -> None:
    with tempfile.TemporaryDirectory() as folder:
        settings = stack_environment(Path(folder))
        url = f"sqlite:///{folder}/workflow-engine.db"
        with ExitStack() as resources:
            if arguments.postgresql:
                postgres = resources.enter_context(running_postgres(durable=True))
                url = settings["DATABASE_URL"] = postgres.new_database()
            watchers, recorded, seconds = await _measure(settings, url, arguments)
    _require_whole(watchers, events=2 + 3 * arguments.calls)
    _report(watchers, recorded, seconds)


async def _measure(
    settings: Mapping[str, str], url: str, arguments: argparse.Namespace
) -> tuple[Sequence[HttpWatcher], Recorded, float]:
    async with running_stack(settings) as stack:
        database = Database(url=url)
        await database.open()
        try:
            await database.write(_note_from_now_on)
            watchers, seconds = await _watch(stack, arguments)
            return watchers, await database.read(_recorded), seconds
        finally:
            await database.close()


async def _watch(
    stack: Stack, arguments: argparse.Namespace
) -> tuple[Sequence[HttpWatcher], float]:
    chance = random.Random(1)
    service = await asyncio.start_server(_answer_after(arguments.pause), "127.0.0.1", 0)
    async with service, httpx.AsyncClient(base_url=stack.http_url, timeout=60) as http:
        port = service.sockets[0].getsockname()[1]
        endpoint = f"http://127.0.0.1:{port}/"
        call = {"call": "http", "with": {"method": "get", "endpoint": endpoint}}
        definition = {
            "document": {"dsl": "1.0.0", "namespace": "test", "name": "bench", "version": "1.0.0"},
            "do": [{f"call{number}": call} for number in range(arguments.calls)],
        }
        made = await http.post("/api/v1/templates", json={"config": json.dumps(definition)})
        template = made.json()["template"]["id"]
        began = time.monotonic()
        async with asyncio.TaskGroup() as tasks:
            watchers = []
            for _ in range(arguments.runs):
                answer = await http.post("/api/v1/executions", json={"template_id": template})
                id = answer.json()["execution"]["id"]
                for _ in range(arguments.watchers // arguments.runs):
                    watcher = HttpWatcher(stack.http_url, id)
                    cut = chance.randint(1, 3 * arguments.calls)
                    tasks.create_task(watcher.watch(cut_after=cut))
                    watchers.append(watcher)
        return watchers, time.monotonic() - began


def _answer_after(pause: float) -> Answer:
    """A service whose calls take about so many seconds."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while await reader.readline():
                while (await reader.readline()).strip():
                    continue
                await asyncio.sleep(pause * random.uniform(0.5, 1.5))
                writer.write(
                    b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
                    b'Content-Length: 11\r\n\r\n{"ok":true}'
                )
        finally:
            writer.close()

    return answer


def _note_from_now_on(db: peewee.Database) -> None:
    db.execute_sql(_NOTES)
    on_postgresql = isinstance(db, peewee.PostgresqlDatabase)
    db.execute_sql(_ON_POSTGRESQL if on_postgresql else _ON_SQLITE)


def _recorded(db: peewee.Database) -> Recorded:
    rows = db.execute_sql("SELECT execution_id, sequence, at FROM recorded").fetchall()
    return {(id, sequence): at for id, sequence, at in rows}


def _require_whole(watchers: Sequence[HttpWatcher], *, events: int) -> None:
    for watcher in watchers:
        if watcher.sequences != [*range(1, events + 1)] or watcher.end is None:
            raise SystemExit(f"a watcher of {watcher.execution_id} saw {watcher.sequences}")


def _report(watchers: Sequence[HttpWatcher], recorded: Recorded, seconds: float) -> None:
    happened, written = [], []
    for watcher in watchers:
        for event, came in watcher.live:
            happened.append(came - datetime.fromisoformat(event["time"]).timestamp())
            written.append(came - recorded[watcher.execution_id, int(event["sequence"])])
    typer.echo(f"{len(watchers)} watchers, {len(happened)} events to them in {seconds:.0f} s")
    for name, delays in (("from happening", happened), ("from recorded", written)):
        cuts = statistics.quantiles(delays, n=100)
        p50, p95, p99 = (f"{cuts[at] * 1000:.0f}" for at in (49, 94, 98))
        typer.echo(f"{name}: p50 {p50}, p95 {p95}, p99 {p99}, max {max(delays) * 1000:.0f} ms")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=50)
    parser.add_argument("--calls", type=int, default=100)
    parser.add_argument("--watchers", type=int, default=1000, help="of all runs together")
    parser.add_argument("--pause", type=float, default=2.0, help="seconds that a call takes")
    parser.add_argument("--postgresql", action="store_true", help="in place of SQLite")
    sys.exit(asyncio.run(main(parser.parse_args())))
