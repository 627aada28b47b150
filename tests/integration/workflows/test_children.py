"""Runs that run others, on a real Temporal: rows, faults, cancellations, replays."""

import asyncio
import json
import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest
from temporalio.client import Client
from temporalio.worker import Replayer

from app.container import opened
from app.settings import Settings
from biz.executions.execution import (
    Execution,
    ExecutionQuery,
    ExecutionRepo,
    ExecutionStatus,
    ExecutionUsecase,
    StartRequest,
)
from biz.paging import PageRequest
from biz.templates.template import TemplateChange, TemplateStatus, TemplateUsecase
from tests.patience import PATIENCE, PATIENCE_SECONDS
from workflows.definition_workflow import DefinitionWorkflow

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
LONG = [{"rest": {"wait": "PT1H"}}]
TEAPOT = {"type": "https://x.test/teapot", "status": 418, "title": "Teapot", "detail": "hot"}


@dataclass(frozen=True, kw_only=True)
class Service:
    """The use cases over real parts, with a worker beside them."""

    templates: TemplateUsecase
    executions: ExecutionUsecase
    repo: ExecutionRepo
    temporal: Client
    namespace: str

    async def store(self, name: str, tasks: list[Any], **extra: Any) -> int:
        document = {"dsl": "1.0.0", "namespace": self.namespace, "name": name, "version": "1.0.0"}
        config = json.dumps({"document": document, "do": tasks, **extra})
        return (await self.templates.create(config=config)).id

    def child(self, name: str, **properties: Any) -> dict[str, Any]:
        """The value of `run`; `properties` are those beside `workflow`, or `input`."""
        named = {"namespace": self.namespace, "name": name, "version": "1.0.0"}
        if "input" in properties:
            named["input"] = properties.pop("input")
        return {"run": {"workflow": named, **properties}}

    async def start(self, tasks: list[Any], input: Any = None) -> Execution:
        id = await self.store(f"parent-{uuid.uuid4()}", tasks)
        return await self.executions.start(StartRequest(template_id=id, input=input))

    async def run(self, tasks: list[Any], input: Any = None) -> Execution:
        return await self.ended((await self.start(tasks, input)).id)

    async def ended(self, id: str) -> Execution:
        ended = await self.executions.get(id, wait=PATIENCE)
        assert ended.status.is_end
        history = await self.temporal.get_workflow_handle(id).fetch_history()
        await Replayer(workflows=[DefinitionWorkflow]).replay_workflow(history)
        return ended

    async def children(self, id: str) -> list[Execution]:
        page = await self.executions.list(PageRequest(), query=ExecutionQuery(parent_id=id))
        return list(page.items)

    async def running_child(self, id: str) -> Execution:
        async with asyncio.timeout(PATIENCE_SECONDS):
            while True:
                for child in await self.children(id):
                    if child.status is ExecutionStatus.WAITING:
                        return child
                await asyncio.sleep(0.05)


@pytest.fixture
async def service(database_url: str, temporal_address: str) -> AsyncIterator[Service]:
    settings = Settings(
        database_url=database_url,
        temporal_address=temporal_address,
        task_queue=f"children-{uuid.uuid4()}",
        reconcile_pending_seconds=0.001,
        reconcile_seconds=0.1,
    )
    async with opened(settings) as container:
        await container.worker()
        await container.reconciler()
        yield Service(
            templates=await container.templates(),
            executions=await container.executions(),
            repo=await container.execution_repo(),
            temporal=await container.temporal_client(),
            namespace=f"ns-{uuid.uuid4()}",
        )


async def test_a_child_is_an_execution_of_its_own(service: Service) -> None:
    await service.store("double", [{"set": {"set": {"n": "${ .n * 2 }"}}}])
    tasks = [{"go": service.child("double", input={"n": "${ .n }"})}]
    ended = await service.run(tasks, {"n": 4})
    assert (ended.status, ended.output) == (ExecutionStatus.COMPLETED, {"n": 8})
    [child] = await service.children(ended.id)
    child = await service.ended(child.id)
    assert (child.parent_id, child.template_name, child.input) == (ended.id, "double", {"n": 4})
    assert (child.status, child.output) == (ExecutionStatus.COMPLETED, {"n": 8})
    assert child.started_at is not None


async def test_each_iteration_has_a_child(service: Service) -> None:
    await service.store("same", [{"set": {"set": {"n": "${ .n }"}}}])
    loop = {"for": {"in": "[1, 2, 3]"}, "do": [{"go": service.child("same", input={"n": 1})}]}
    ended = await service.run([{"each": loop}])
    assert len(await service.children(ended.id)) == 3


async def test_its_fault_faults_the_task(service: Service) -> None:
    await service.store("fail", [{"brew": {"raise": {"error": TEAPOT}}}])
    ended = await service.run([{"go": service.child("fail")}])
    assert ended.status is ExecutionStatus.FAULTED
    assert ended.error is not None
    assert ended.error.to_json() == {**TEAPOT, "instance": "/do/0/go"}
    [child] = await service.children(ended.id)
    assert child.error is not None
    assert (child.status, child.error.instance) == (ExecutionStatus.FAULTED, "/do/0/brew")


async def test_its_fault_can_be_caught(service: Service) -> None:
    await service.store("fail", [{"brew": {"raise": {"error": TEAPOT}}}])
    catch = {"errors": {"with": {"status": 418}}, "do": [{"ok": {"set": {"ok": True}}}]}
    ended = await service.run([{"try": {"try": [{"go": service.child("fail")}], "catch": catch}}])
    assert ended.output == {"ok": True}


@pytest.mark.parametrize(
    ("name", "status", "detail"),
    [("nothing", 400, "there is no template"), ("off", 400, "is inactive"), ("strict", 400, "/n")],
)
async def test_what_cant_be_run_is_an_error(
    service: Service, name: str, status: int, detail: str
) -> None:
    off = await service.store("off", LONG)
    await service.templates.update(off, TemplateChange(status=TemplateStatus.INACTIVE))
    schema = {"schema": {"document": {"properties": {"n": {"type": "integer"}}}}}
    await service.store("strict", LONG, input=schema)
    ended = await service.run([{"go": service.child(name, input={"n": "x"})}])
    assert ended.error is not None
    assert (ended.error.status, ended.error.instance) == (status, "/do/0/go")
    assert detail in ended.error.detail
    assert not await service.children(ended.id)


async def test_a_cancellation_reaches_the_child(service: Service) -> None:
    await service.store("long", LONG)
    started = await service.start([{"go": service.child("long")}])
    child = await service.running_child(started.id)
    await service.temporal.get_workflow_handle(started.id).cancel()
    assert (await service.ended(started.id)).status is ExecutionStatus.CANCELLED
    assert (await service.ended(child.id)).status is ExecutionStatus.CANCELLED


async def test_a_timeout_of_the_task_cancels_the_child(service: Service) -> None:
    await service.store("long", LONG)
    task = {**service.child("long"), "timeout": {"after": {"seconds": 2}}}
    ended = await service.run([{"go": task}])
    assert ended.error is not None
    assert ended.error.status == 408
    [child] = await service.children(ended.id)
    assert child.status is ExecutionStatus.CANCELLED


async def test_the_termination_of_the_parent_terminates_the_child(service: Service) -> None:
    await service.store("long", LONG)
    started = await service.start([{"go": service.child("long")}])
    child = await service.running_child(started.id)
    await service.temporal.get_workflow_handle(started.id).terminate()
    assert (await service.ended(child.id)).status is ExecutionStatus.TERMINATED


@pytest.mark.parametrize("verb", ["cancel", "terminate"])
async def test_a_child_that_is_ended_by_itself_faults_the_task(service: Service, verb: str) -> None:
    await service.store("long", LONG)
    started = await service.start([{"go": service.child("long")}])
    child = await service.running_child(started.id)
    await getattr(service.temporal.get_workflow_handle(child.id), verb)()
    ended = await service.ended(started.id)
    assert ended.status is ExecutionStatus.FAULTED
    assert ended.error is not None
    assert ended.error.status == 500
    assert f"long 1.0.0 was {'cancelled' if verb == 'cancel' else 'terminated'}" in (
        ended.error.detail
    )


async def test_one_that_isnt_awaited_outlives_its_parent(service: Service) -> None:
    await service.store("long", LONG)
    ended = await service.run([{"go": service.child("long", **{"await": False})}], {"a": 1})
    assert (ended.status, ended.output) == (ExecutionStatus.COMPLETED, {"a": 1})
    child = await service.running_child(ended.id)
    await service.temporal.get_workflow_handle(child.id).terminate()


async def test_workflows_that_run_each_other_without_an_end_fault(service: Service) -> None:
    await service.store("loop", [{"again": service.child("loop")}])
    ended = await service.run([{"go": service.child("loop")}])
    assert ended.error is not None
    assert ended.error.detail == "workflows run each other more than 50 deep"
