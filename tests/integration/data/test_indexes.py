"""What must stay cheap in a database full of ended executions goes by an index."""

import re
from collections.abc import Awaitable, Callable

import peewee
import pytest

from biz.executions.execution import ExecutionQuery, ExecutionStatus
from biz.templates.template import TemplateQuery
from data.database import Database
from data.execution import PeeweeExecutionRepo
from data.removal import PeeweeRemovalRepo
from data.template import PeeweeTemplateRepo
from data.template_alias import PeeweeTemplateAliasRepo
from tests.fixtures.repos import NOW, Clock, first, new_template, request

Call = Callable[
    [PeeweeExecutionRepo, PeeweeTemplateRepo, PeeweeTemplateAliasRepo, PeeweeRemovalRepo],
    Awaitable[object],
]

_SLICE = first(descending=True)
_LABELS = ExecutionQuery(labels={"a": "1"})
_BY_SQLITE: list[tuple[str, Call]] = [
    ("execution_status", lambda e, *_: e.list_pending(created_before=NOW, limit=10)),
    ("execution_live", lambda e, *_: e.list_live(after_id="", limit=10)),
    ("execution_live_template_id", lambda _, t, *__: t.delete(1, force=False)),
    ("execution_created_at", lambda e, *_: e.list(ExecutionQuery(), _SLICE)),
    ("execution_namespace", lambda e, *_: e.list(ExecutionQuery(namespace="shop"), _SLICE)),
    ("execution_template_id", lambda e, *_: e.list(ExecutionQuery(template_id=7), _SLICE)),
    ("execution_business_key", lambda e, *_: e.list(ExecutionQuery(business_key="k"), _SLICE)),
    (
        "execution_status",
        lambda e, *_: e.list(ExecutionQuery(statuses=[ExecutionStatus.FAULTED]), _SLICE),
    ),
    ("template_created_at", lambda _, t, *__: t.list(TemplateQuery(), _SLICE)),
    ("execution_namespace", lambda *repos: repos[-1].list_namespaces()),
    (
        "execution_ended",
        lambda *repos: repos[-1].list_ended("shop", ended_before=NOW, with_history=False, limit=10),
    ),
    (
        "execution_history",
        lambda *repos: repos[-1].list_ended("shop", ended_before=NOW, with_history=True, limit=10),
    ),
    (
        "execution_ended",
        lambda *repos: repos[-1].list_beyond("shop", count=9, with_history=False, limit=10),
    ),
    ("sqlite_autoindex_request_1", lambda e, *_: e.find_by_request(request())),
    ("sqlite_autoindex_template_1", lambda _, __, a, ___: a.versions("shop", "order")),
]


@pytest.fixture
async def plans(database: Database) -> Callable[[Call], Awaitable[str]]:
    """Says how the database goes about the statements of a call."""
    events: list[peewee.QueryEvent] = []
    executions = PeeweeExecutionRepo(database=database, clock=Clock())
    templates = PeeweeTemplateRepo(database=database)
    aliases = PeeweeTemplateAliasRepo(database=database)
    removal = PeeweeRemovalRepo(database=database, clock=Clock())
    await templates.create(new_template(), None)

    def explain(db: peewee.Database) -> str:
        statements = events.copy()
        command = "EXPLAIN QUERY PLAN"
        if isinstance(db, peewee.PostgresqlDatabase):
            db.execute_sql("SET enable_seqscan = off")  # it reads so small a table whole
            command = "EXPLAIN"
        lines = []
        for event in statements:
            lines += db.execute_sql(f"{command} {event.sql}", event.params).fetchall()
        return "\n".join(str(line) for line in lines)

    async def explained(call: Call) -> str:
        await database.read(lambda db: db.query_hooks.append(events.append))
        await call(executions, templates, aliases, removal)
        return await database.read(explain)

    return explained


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize(("index", "call"), _BY_SQLITE)
async def test_sqlite_uses_an_index(
    plans: Callable[[Call], Awaitable[str]], index: str, call: Call
) -> None:
    plan = await plans(call)

    assert re.search(rf"INDEX {index}\b", plan), plan


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
async def test_postgresql_finds_labels_by_an_index(
    plans: Callable[[Call], Awaitable[str]],
) -> None:
    plan = await plans(lambda executions, *_: executions.list(_LABELS, _SLICE))

    assert "execution_labels" in plan
