"""Hooks on faults, with a real Temporal and a real HTTP service."""

import asyncio
import json
import uuid
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack
from datetime import timedelta
from typing import Any

import pytest

from app.container import Container, opened
from app.settings import Settings
from biz.executions.execution import (
    Execution,
    ExecutionQuery,
    ExecutionStatus,
    ExecutionUsecase,
    StartRequest,
)
from biz.executions.retry import RetryRequest
from biz.hooks.telling import HOOK_LABEL
from biz.logs.log import ExecutionLog, LogLevel, LogQuery
from biz.paging import PageRequest
from biz.templates.template import Template
from tests.fixtures.http_service import HttpService
from tests.fixtures.run_service import until

Json = dict[str, Any]
FAULT = [{"fail": {"raise": {"error": {"type": "https://a.example/e", "status": 500}}}}]
NOTHING = [{"nothing": {"set": {"done": True}}}]


def http(service: HttpService, path: str) -> Json:
    return {"http": {"endpoint": service.url + path}}


class Team:
    """A service of as many workers as are opened, on a database and task queue of its own."""

    executions: ExecutionUsecase
    container: Container

    def __init__(self, database_url: str, temporal_address: str) -> None:
        self._settings = Settings(
            database_url=database_url,
            temporal_address=temporal_address,
            task_queue=f"hooks-{uuid.uuid4()}",
            reconcile_seconds=0.5,
        )
        self._parts = AsyncExitStack()

    async def open(self, *, tells: bool = True) -> None:
        """Opens a worker, which tells hooks unless it hasn't come to that yet."""
        self.container = await self._parts.enter_async_context(opened(self._settings))
        await self.container.worker()
        if tells:
            await self.container.fault_hooks()
        self.executions = await self.container.executions()

    async def close(self) -> None:
        """Stops all workers."""
        await self._parts.aclose()

    async def store(
        self, tasks: Sequence[Any], hooks: Sequence[Json] = (), name: str = ""
    ) -> Template:
        """A template with these hooks."""
        document = {
            "dsl": "1.0.0",
            "namespace": "test",
            "name": name or f"t-{uuid.uuid4()}",
            "version": "1.0.0",
            "metadata": {"onFault": hooks},
        }
        templates = await self.container.templates()
        stored: Template = await templates.create(
            config=json.dumps({"document": document, "do": tasks})
        )
        return stored

    async def faulted(self, hooks: Sequence[Json], input: Any = None) -> Execution:
        """A run with these hooks that has faulted."""
        template = await self.store(FAULT, hooks)
        started = await self.executions.start(StartRequest(template_id=template.id, input=input))
        ended = await self.executions.get(started.id, wait=timedelta(seconds=30))
        assert ended.status is ExecutionStatus.FAULTED
        return ended

    async def hooks_of(self, faulted: Execution) -> Sequence[Execution]:
        """What was run for its hooks."""
        page = await self.executions.list(
            PageRequest(), query=ExecutionQuery(full=True), labels=[f"{HOOK_LABEL}={faulted.id}"]
        )
        return page.items

    async def lines(self, execution: Execution) -> Sequence[ExecutionLog]:
        """What the log of an execution says of hooks."""
        logs = await self.container.logs()
        page = await logs.list(PageRequest(), query=LogQuery(execution_id=execution.id))
        return [line for line in page.items if "hook" in line.fields]


@pytest.fixture
async def team(database_url: str, temporal_address: str) -> AsyncIterator[Team]:
    team = Team(database_url, temporal_address)
    await team.open()
    try:
        yield team
    finally:
        await team.close()


async def told(service: HttpService, path: str, *, times: int = 1) -> Sequence[Json]:
    """The events that came there, once so many have."""

    async def look() -> Sequence[Json]:
        return [json.loads(body) for where, body in service.bodies if where == path]

    return await until(look, lambda events: len(events) >= times)


async def test_an_address_that_fails_at_first_is_told_of_the_fault(
    team: Team, http_service: HttpService
) -> None:
    faulted = await team.faulted([http(http_service, "/flaky/2")])
    events = await told(http_service, "/flaky/2", times=3)
    assert events[0] == events[1] == events[2]
    assert (events[0]["id"], events[0]["source"], events[0]["type"]) == (
        f"{faulted.id}/fault",
        f"/api/v1/executions/{faulted.id}",
        "io.serverlessworkflow.workflow.faulted.v1",
    )
    assert faulted.error is not None
    assert events[0]["data"]["error"] == faulted.error.to_json()
    lines = await until(lambda: team.lines(faulted), lambda lines: len(lines) == 3)
    assert [(line.level, line.fields) for line in lines] == [
        (LogLevel.WARNING, {"hook": 0, "attempt": 1}),
        (LogLevel.WARNING, {"hook": 0, "attempt": 2}),
        (LogLevel.INFO, {"hook": 0, "attempt": 3}),
    ]
    assert "it answered 503" in lines[0].message
    assert http_service.url not in str(lines)


async def test_an_address_that_refuses_for_good_isnt_asked_again(
    team: Team, http_service: HttpService
) -> None:
    faulted = await team.faulted([http(http_service, "/status/422"), http(http_service, "/echo")])
    await told(http_service, "/echo")
    lines = await until(lambda: team.lines(faulted), lambda lines: len(lines) == 2)
    assert {(line.fields["hook"], line.level) for line in lines} == {
        (0, LogLevel.ERROR),
        (1, LogLevel.INFO),
    }
    await asyncio.sleep(1.5)
    assert http_service.counts["/status/422"] == 1


async def test_a_workflow_is_run_with_the_fault_as_its_input(team: Team) -> None:
    alert = await team.store(NOTHING)
    faulted = await team.faulted([{"workflow": {"name": alert.name}}], input={"order": 7})
    [run] = await until(
        lambda: team.hooks_of(faulted), lambda runs: [r for r in runs if r.status.is_end] != []
    )
    assert (run.status, run.template_id) == (ExecutionStatus.COMPLETED, alert.id)
    assert faulted.error is not None
    assert run.input["error"] == faulted.error.to_json()
    assert (run.input["execution"], run.input["input"]) == (faulted.id, {"order": 7})
    assert run.input["definition"] == {
        "namespace": "test",
        "name": faulted.template_name,
        "version": "1.0.0",
    }


async def test_a_workflow_that_is_stored_later_is_run_then(team: Team) -> None:
    name = f"late-{uuid.uuid4()}"
    faulted = await team.faulted([{"workflow": {"name": name}}])
    await until(lambda: team.lines(faulted), lambda lines: len(lines) >= 1)
    await team.store(NOTHING, name=name)
    await until(lambda: team.hooks_of(faulted), lambda runs: len(runs) == 1)


async def test_a_hook_that_faults_tells_nobody_nor_does_what_it_runs(
    team: Team, http_service: HttpService
) -> None:
    inner = await team.store(FAULT, [http(http_service, "/pets/1")])
    reference = {"namespace": "test", "name": inner.name, "version": "1.0.0"}
    outer = await team.store(
        [{"call": {"run": {"workflow": reference}}}], [http(http_service, "/pets/1")]
    )
    faulted = await team.faulted([{"workflow": {"name": outer.name}}])
    [run] = await until(
        lambda: team.hooks_of(faulted), lambda runs: [r for r in runs if r.status.is_end] != []
    )
    assert run.status is ExecutionStatus.FAULTED
    await asyncio.sleep(1)
    assert http_service.counts["/pets/1"] == 0


async def test_a_retry_that_faults_again_tells_again(team: Team, http_service: HttpService) -> None:
    faulted = await team.faulted([http(http_service, "/echo")])
    await told(http_service, "/echo")
    retries = await team.container.retries()
    again = await retries.retry(RetryRequest(id=faulted.id))
    events = await told(http_service, "/echo", times=2)
    assert [event["id"] for event in events] == [f"{faulted.id}/fault", f"{again.id}/fault"]


async def test_a_worker_that_is_restarted_tells_what_it_had_not(
    database_url: str, temporal_address: str, http_service: HttpService
) -> None:
    team = Team(database_url, temporal_address)
    try:
        await team.open(tells=False)
        faulted = await team.faulted([http(http_service, "/echo")])
        await team.close()
        assert http_service.counts["/echo"] == 0
        await team.open()
        [event] = await told(http_service, "/echo")
        assert event["id"] == f"{faulted.id}/fault"
    finally:
        await team.close()


async def test_several_workers_tell_each_hook_once(team: Team, http_service: HttpService) -> None:
    await team.open()
    alert = await team.store(NOTHING)
    hooks = [http(http_service, "/echo"), {"workflow": {"name": alert.name}}]
    faulted = await asyncio.gather(*(team.faulted(hooks) for _ in range(10)))
    events = await told(http_service, "/echo", times=10)
    for each in faulted:
        await until(lambda each=each: team.hooks_of(each), lambda runs: len(runs) == 1)
    await asyncio.sleep(1)
    events = await told(http_service, "/echo")
    assert sorted(event["id"] for event in events) == sorted(f"{e.id}/fault" for e in faulted)
    assert [len(await team.hooks_of(each)) for each in faulted] == [1] * 10
