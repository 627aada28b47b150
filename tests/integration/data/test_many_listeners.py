"""A publish among many that listen, on both databases."""

from collections.abc import Sequence

import peewee
import pytest

from biz.events.event import EventUsecase
from data.database import Database
from data.event import PeeweeEventRepo
from data.execution import PeeweeExecutionRepo
from data.models import EventListenerRow
from tests.fakes.engine import FakeEngine
from tests.fixtures.repos import Clock

LISTENING = 10_000
_AT_ONCE = 1_000


def listeners() -> Sequence[dict[str, object]]:
    """Nearly all wait for other types, or in another namespace."""
    wanted = {7: "order.paid", 4_711: "order.paid", 9_999: ""}
    return [
        {
            "execution_id": f"run-{number}",
            "listener": 1,
            "namespace": "other" if number == 5_000 else "shop",
            "type": wanted.get(number, "order.paid" if number == 5_000 else "order.placed"),
            "round": 1,
            "woken_round": 0,
        }
        for number in range(LISTENING)
    ]


@pytest.fixture
async def statements(database: Database) -> list[peewee.QueryEvent]:
    """What is sent to a database with 10,000 listeners, each of a run of its own."""
    rows = listeners()

    def fill(db: peewee.Database) -> None:
        for start in range(0, LISTENING, _AT_ONCE):
            EventListenerRow.insert_many(rows[start : start + _AT_ONCE]).execute(db)

    await database.write(fill)
    await database.write_statement(lambda db: db.execute_sql("ANALYZE"))
    sent: list[peewee.QueryEvent] = []
    await database.read(lambda db: db.query_hooks.append(sent.append))
    return sent


async def test_a_publish_touches_only_those_that_may_want_the_event(
    database: Database, executions: PeeweeExecutionRepo, statements: list[peewee.QueryEvent]
) -> None:
    engine = FakeEngine()
    events = EventUsecase(
        repo=PeeweeEventRepo(database=database), executions=executions, engine=engine, clock=Clock()
    )
    event = {"specversion": "1.0", "id": "1", "source": "/x", "type": "order.paid"}
    await events.publish(event, namespace="shop")
    sent = list(statements)

    assert sorted(engine.woken) == ["run-4711", "run-7", "run-9999"]
    touched = EventListenerRow.select().where(EventListenerRow.woken_round > 0)
    assert await database.read(lambda db: touched.count(db)) == 3
    looked = [each for each in sent if 'FROM "event_listener"' in each.sql]
    assert len(looked) == 4  # for each type a page, and one that ends the list
    for statement in looked[:2]:
        plan = await database.read(lambda db, each=statement: explain(db, each))
        assert "event_listener_type" in plan, plan
        assert "Seq Scan" not in plan, plan


def explain(db: peewee.Database, statement: peewee.QueryEvent) -> str:
    """How the database goes about a statement."""
    on_postgresql = isinstance(db, peewee.PostgresqlDatabase)
    command = "EXPLAIN" if on_postgresql else "EXPLAIN QUERY PLAN"
    found = db.execute_sql(f"{command} {statement.sql}", statement.params).fetchall()
    return "\n".join(str(line) for line in found)
