"""Runs on a real Temporal: what the database shows of them, and how they end."""

import asyncio
import uuid
from collections.abc import Sequence
from datetime import timedelta

import pytest

from biz.engine import WORKFLOW_TYPE, RunRequest
from biz.executions.execution import (
    Execution,
    ExecutionStatus,
    NewExecution,
)
from biz.paging import PageRequest
from tests.fixtures.http_service import HttpService
from tests.fixtures.run_service import Service, definition, until
from tests.patience import PATIENCE

OUTSIDE_SECONDS = 30


async def test_the_row_shows_where_a_run_stands(
    service: Service, http_service: HttpService
) -> None:
    slow = {"call": "http", "with": {"method": "get", "endpoint": f"{http_service.url}/slow/1"}}
    items = {"for": {"in": "[1, 2]"}, "do": [{"rest": {"wait": {"seconds": 1}}}]}
    started = await service.start([{"ask": slow}, {"each": items}])

    async def look() -> Execution:
        return await service.executions.get(started.id)

    calling = await until(look, lambda e: bool(e.current_tasks))
    assert (calling.status, calling.current_tasks) == (ExecutionStatus.RUNNING, ("/do/0/ask",))
    waiting = await until(look, lambda e: e.current_tasks == ("/do/1/each/for/1/do/0/rest",))
    assert waiting.status is ExecutionStatus.WAITING
    ended = await until(look, lambda e: e.status.is_end)
    assert (ended.status, ended.current_tasks) == (ExecutionStatus.COMPLETED, ())


async def test_the_row_agrees_when_temporal_says_that_the_run_has_ended(service: Service) -> None:
    started = await service.start([{"set": {"set": {"a": 1}}}])
    assert await service.temporal.get_workflow_handle(started.id).result() == {"a": 1}
    ended = await service.repo.get(started.id)
    assert (ended.status, ended.output) == (ExecutionStatus.COMPLETED, {"a": 1})


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
class TestEndedFromOutside:
    """The reconciler writes what nobody else can."""

    async def test_terminated(self, service: Service) -> None:
        started = await service.start([{"rest": {"wait": "PT1H"}}])
        await service.temporal.get_workflow_handle(started.id).terminate(reason="by hand")
        ended = await self._ended(service, started.id)
        assert ended.status is ExecutionStatus.TERMINATED
        assert ended.error is not None
        assert "by hand" in ended.error.detail

    async def test_cancelled_while_it_waits(self, service: Service) -> None:
        started = await service.start([{"rest": {"wait": "PT1H"}}])
        await service.temporal.get_workflow_handle(started.id).cancel()
        assert (await self._ended(service, started.id)).status is ExecutionStatus.CANCELLED

    async def test_cancelled_while_it_calls(
        self, service: Service, http_service: HttpService
    ) -> None:
        endpoint = f"{http_service.url}/slow/20"
        call = {"call": "http", "with": {"method": "get", "endpoint": endpoint}}
        started = await service.start([{"ask": call}])

        async def look() -> Execution:
            return await service.executions.get(started.id)

        await until(look, lambda e: bool(e.current_tasks))
        await service.temporal.get_workflow_handle(started.id).cancel()
        assert (await self._ended(service, started.id)).status is ExecutionStatus.CANCELLED

    async def test_timed_out(self, service: Service) -> None:
        template = await service.templates.create(config=definition([{"rest": {"wait": "PT1H"}}]))
        stored = await service.repo.create(
            NewExecution(
                id=str(uuid.uuid4()),
                namespace=template.namespace,
                template_id=template.id,
                template_name=template.name,
                template_version=template.version,
                definition=template.config,
                definition_digest=template.digest,
                input={},
                labels={},
                business_key="",
                created_at=template.created_at,
            ),
            None,
        )
        await service.temporal.start_workflow(
            WORKFLOW_TYPE,
            RunRequest(
                execution_id=stored.id,
                definition=stored.definition,
                input={},
                engine_version="test",
            ),
            id=stored.id,
            task_queue=service.task_queue,
            execution_timeout=timedelta(seconds=1),
        )
        ended = await self._ended(service, stored.id)
        assert ended.status is ExecutionStatus.FAULTED
        assert ended.error is not None
        assert ended.error.type.endswith("/timeout")

    async def _ended(self, service: Service, id: str) -> Execution:
        async def look() -> Execution:
            return await service.repo.get(id)

        return await until(look, lambda e: e.status.is_end, seconds=OUTSIDE_SECONDS)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
class TestOddities:
    """What must fault, or just work, and never hang."""

    async def test_a_fault_names_its_task(
        self, service: Service, http_service: HttpService
    ) -> None:
        call = {
            "call": "http",
            "with": {"method": "get", "endpoint": f"{http_service.url}/status/503"},
        }
        ended = await service.run([{"group": {"do": [{"ask": call}]}}])
        assert ended.status is ExecutionStatus.FAULTED
        assert ended.error is not None
        assert (ended.error.status, ended.error.instance) == (503, "/do/0/group/do/0/ask")
        history = await service.temporal.get_workflow_handle(ended.id).fetch_history()
        assert "stackTrace" not in history.to_json()

    @pytest.mark.parametrize("name", ["größe ✓/~1", "long" * 100, "new\nline"])
    async def test_a_task_may_have_any_name(
        self, service: Service, http_service: HttpService, name: str
    ) -> None:
        call = {"call": "http", "with": {"method": "post", "endpoint": f"{http_service.url}/echo"}}
        ended = await service.run([{name: call}], output={"as": ".method"})
        assert (ended.status, ended.output) == (ExecutionStatus.COMPLETED, "POST")

    async def test_an_output_that_is_too_large_faults(self, service: Service) -> None:
        double = {"set": {"text": "${ .text + .text }"}}
        tasks = [{f"double{n}": double} for n in range(8)]
        ended = await service.run(tasks, {"text": "x" * 10_000})
        assert ended.status is ExecutionStatus.FAULTED

    async def test_a_body_that_is_too_large_faults(
        self, service: Service, http_service: HttpService
    ) -> None:
        double = {"set": {"text": "${ .text + .text }"}}
        send = {
            "call": "http",
            "with": {"method": "post", "endpoint": f"{http_service.url}/echo", "body": "${ . }"},
        }
        tasks = [*({f"double{n}": double} for n in range(8)), {"send": send}]
        ended = await service.run(tasks, {"text": "x" * 10_000})
        assert ended.status is ExecutionStatus.FAULTED
        assert http_service.counts.total() == 0

    async def test_a_long_loop_is_no_deadlock(self, service: Service) -> None:
        count = {"for": {"in": ".items"}, "do": [{"add": {"set": {"n": "${ .n + 1 }"}}}]}
        ended = await service.run([{"loop": count}], {"n": 0, "items": list(range(20_000))})
        assert (ended.status, ended.output) == (ExecutionStatus.COMPLETED, {"n": 20_000})

    async def test_an_expression_that_doesnt_end_faults_and_others_go_on(
        self, service: Service
    ) -> None:
        endless = await service.start([{"run away": {"set": "${ [range(1e9)] }"}}])
        tasks = [
            {"make": {"set": "${ [range(.n)] }"}},
            {"match": {"if": 'tostring | test("^.0,1,2")', "set": {"sum": "${ add }"}}},
            {"double": {"set": "${ .sum * 2 }"}},
        ]
        ended = await service.run(tasks, {"n": 4})
        assert (ended.status, ended.output) == (ExecutionStatus.COMPLETED, 12)
        faulted = await service.executions.get(endless.id, wait=PATIENCE)
        assert faulted.status is ExecutionStatus.FAULTED
        assert faulted.error is not None
        assert (faulted.error.status, faulted.error.instance) == (400, "/do/0/run away")
        assert "too much memory" in faulted.error.detail

    async def test_a_run_is_cancelled_while_an_expression_is_evaluated(
        self, service: Service
    ) -> None:
        tasks = [{"compute": {"set": "${ last(range(3e6)) }"}}, {"rest": {"wait": "PT1H"}}]
        started = await service.start(tasks)
        await asyncio.sleep(0.2)
        await service.temporal.get_workflow_handle(started.id).cancel()
        ended = await service.executions.get(started.id, wait=PATIENCE)
        assert ended.status is ExecutionStatus.CANCELLED


async def told(service: Service, execution: Execution) -> Sequence[str]:
    page = await service.history.list(
        PageRequest(size=1000), execution_id=execution.id, after_sequence=0
    )
    assert [event.sequence for event in page.items] == list(range(1, len(page.items) + 1))
    return [f"{event.task} {event.type.split('.')[-2]}".strip() for event in page.items]


async def test_the_history_is_complete_once_a_run_has_ended(
    service: Service, http_service: HttpService
) -> None:
    call = {"call": "http", "with": {"method": "get", "endpoint": f"{http_service.url}/pets/7"}}
    branches = [{"quick": call}, {"slow": {"wait": {"seconds": 1}}}]
    loop = {"for": {"in": "[range(60)]"}, "do": [{"x": {"set": {"a": 1}}}]}
    tasks = [
        {"first": call},
        {"both": {"fork": {"branches": branches}}},
        {"loop": loop},
        {"fail": {"raise": {"error": {"type": "https://example.com/x", "status": 500}}}},
    ]

    execution = await service.run(tasks)

    history = await told(service, execution)
    assert history[:4] == [
        "started",
        "/do/0/first created",
        "/do/0/first started",
        "/do/0/first completed",
    ]
    assert len([line for line in history if "/loop/for/" in line]) == 180
    assert history[-2:] == ["/do/3/fail faulted", "faulted"]
    assert execution.status is ExecutionStatus.FAULTED


async def test_the_history_of_a_cancelled_run_says_so(service: Service) -> None:
    started = await service.start([{"rest": {"wait": {"hours": 1}}}])
    await until(lambda: service.repo.get(started.id), lambda e: e.status is ExecutionStatus.WAITING)

    await service.temporal.get_workflow_handle(started.id).cancel()

    execution = await service.executions.get(started.id, wait=PATIENCE)
    assert execution.status is ExecutionStatus.CANCELLED
    assert await told(service, execution) == [
        "started",
        "/do/0/rest created",
        "/do/0/rest started",
        "/do/0/rest cancelled",
        "cancelled",
    ]


async def test_branches_beyond_what_runs_at_once_all_call(
    service: Service, http_service: HttpService
) -> None:
    call = {"call": "http", "with": {"method": "get", "endpoint": f"{http_service.url}/pets/7"}}
    branches = [{f"b{number}": call} for number in range(450)]

    execution = await service.run([{"all": {"fork": {"branches": branches}}}])

    assert execution.status is ExecutionStatus.COMPLETED
    assert len(execution.output) == 450
    # A worker that is too busy to tell of a GET makes it again.
    assert http_service.counts["/pets/7"] >= 450
