"""How a hook is told of a fault, on fakes."""

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from cloudevents.core.v1.event import CloudEvent

from biz.dsl.fault_hooks import FaultHook, HttpHook, WorkflowHook
from biz.errors import DatabaseUnavailable
from biz.executions.execution import Execution, ExecutionStatus
from biz.history.relay import EventRefused, SinkUnavailable
from biz.hooks.relay import HookClaim, NotTold
from biz.hooks.telling import HOOK_LABEL, MAX_INPUT_BYTES, FaultTelling
from biz.paging import PageTokens
from biz.templates.alias import TemplateAliasUsecase
from biz.templates.template import TemplateChange, TemplateStatus, TemplateUsecase
from tests.fakes.execution_repo import FakeExecutionRepo
from tests.fakes.signing_key import FakeSigningKey
from tests.fakes.template_alias_repo import FakeTemplateAliasRepo
from tests.fakes.template_repo import FakeTemplateRepo
from tests.fixtures.entities import FAULTED
from tests.fixtures.repos import NOW
from tests.fixtures.workflows import workflow

HTTP = HttpHook(endpoint="https://alerts.example.com/faults")
TOLD = {
    "name": "order-e-1.shop",
    "faultedAt": "2025-03-14T15:09:30.035897+00:00",
    "error": {
        "type": "https://example.com/errors/gone",
        "status": 410,
        "title": "Gone",
        "detail": "no such pet",
        "instance": "/do/0/getPet",
    },
    "execution": "e-1",
    "definition": {"namespace": "shop", "name": "order", "version": "1.2.3"},
    "startedAt": "2025-03-14T15:09:27.535897+00:00",
}


class Sinks:
    """Take events by their address, or `raise` something."""

    def __init__(self) -> None:
        self.taken: list[tuple[str, CloudEvent]] = []
        self.raises: Exception | None = None

    def __call__(self, url: str) -> "Sink":
        return Sink(self, url)


class Sink:
    def __init__(self, sinks: Sinks, url: str) -> None:
        self._sinks = sinks
        self._url = url

    async def send(self, event: CloudEvent) -> None:
        if self._sinks.raises:
            raise self._sinks.raises
        self._sinks.taken.append((self._url, event))


class Runs:
    """`biz.execution.Runs`, whose engine takes all."""

    def __init__(self) -> None:
        self.started: list[str] = []

    async def start(self, execution: Execution) -> Execution:
        self.started.append(execution.id)
        return execution

    async def wait(self, id: str, timeout: timedelta) -> Execution:
        raise NotImplementedError


class World:
    """Telling on fakes; the template `ops/alert` is there."""

    def __init__(self) -> None:
        self.repo, self.sinks, self.runs = FakeExecutionRepo(), Sinks(), Runs()
        repo, tokens = FakeTemplateRepo(), PageTokens(signing_key=FakeSigningKey())
        self.templates = TemplateUsecase(repo=repo, page_tokens=tokens, clock=lambda: NOW)
        self.telling = FaultTelling(
            repo=self.repo,
            aliases=TemplateAliasUsecase(
                repo=FakeTemplateAliasRepo(repo),
                templates=repo,
                page_tokens=tokens,
                clock=lambda: NOW,
            ),
            runs=self.runs,
            sinks=self.sinks,
            clock=lambda: NOW,
        )

    async def store(self, namespace: str, name: str, **properties: Any) -> int:
        config = json.dumps(workflow(**properties))
        template = await self.templates.create(config=config, namespace=namespace, name=name)
        return template.id

    async def tell(self, hook: FaultHook, *, position: int = 0, **changes: Any) -> None:
        faulted = replace(FAULTED, **changes)
        await self.telling.tell(
            HookClaim(execution=faulted, position=position, hook=hook, attempt=1)
        )


@pytest.fixture
def world() -> World:
    return World()


async def test_an_address_gets_the_standards_event(world: World) -> None:
    await world.tell(HTTP)
    [(url, event)] = world.sinks.taken
    assert url == HTTP.endpoint
    assert event.get_type() == "io.serverlessworkflow.workflow.faulted.v1"
    assert (event.get_id(), event.get_source()) == ("e-1/fault", "/api/v1/executions/e-1")
    assert event.get_time() == FAULTED.ended_at
    assert event.get_data() == TOLD


@pytest.mark.parametrize(
    ("error", "is_final"), [(SinkUnavailable("it is down"), False), (EventRefused("no"), True)]
)
async def test_what_an_address_answers_says_whether_it_is_tried_again(
    world: World, error: Exception, is_final: bool
) -> None:
    world.sinks.raises = error
    with pytest.raises(NotTold, match=str(error)) as refused:
        await world.tell(HTTP)
    assert refused.value.is_final is is_final


async def test_a_workflow_is_run_with_the_fault_as_its_input(world: World) -> None:
    await world.store("shop", "alert")
    await world.tell(WorkflowHook(name="alert"))
    [stored] = world.repo.executions.values()
    assert stored.namespace == "shop"
    assert stored.input == {**TOLD, "input": {"petId": 7}}
    assert stored.labels == {HOOK_LABEL: "e-1"}
    assert (stored.parent_id, stored.retry_of) == ("", "")
    assert world.repo.made[stored.id].hook_of == "e-1"
    assert world.runs.started == [stored.id]


async def test_a_large_input_is_left_out(world: World) -> None:
    await world.store("shop", "alert")
    await world.tell(WorkflowHook(name="alert"), input="x" * MAX_INPUT_BYTES)
    [stored] = world.repo.executions.values()
    assert stored.input == TOLD


async def test_a_namespace_and_a_version_can_be_named(world: World) -> None:
    await world.store("ops", "alert")
    await world.tell(WorkflowHook(name="alert", namespace="ops", version="0.1.0"))
    await world.tell(WorkflowHook(name="alert", namespace="ops", version="latest"), position=1)
    assert [e.namespace for e in world.repo.executions.values()] == ["ops", "ops"]


async def test_a_repetition_runs_it_once(world: World) -> None:
    id = await world.store("ops", "alert")
    hook = WorkflowHook(name="alert", namespace="ops")
    await world.tell(hook)
    await world.templates.delete(id, force=True)
    await world.tell(hook)
    [stored] = world.repo.executions.values()
    world.repo.executions[stored.id] = replace(stored, status=ExecutionStatus.RUNNING)
    await world.tell(hook)
    assert world.runs.started == [stored.id] * 2


async def test_each_hook_and_each_fault_has_a_run_of_its_own(world: World) -> None:
    await world.store("ops", "alert")
    hook = WorkflowHook(name="alert", namespace="ops")
    await world.tell(hook)
    await world.tell(hook, position=1)
    await world.tell(hook, id="e-2")
    assert len(world.repo.executions) == 3


async def test_a_workflow_that_isnt_there_may_come(world: World) -> None:
    hook = WorkflowHook(name="alert", namespace="ops")
    with pytest.raises(NotTold, match="there is no template ops/alert") as refused:
        await world.tell(hook)
    assert not refused.value.is_final
    id = await world.store("ops", "alert")
    await world.templates.update(id, TemplateChange(status=TemplateStatus.INACTIVE))
    with pytest.raises(NotTold, match="active"):
        await world.tell(hook)
    await world.templates.update(id, TemplateChange(status=TemplateStatus.ACTIVE))
    await world.tell(hook)
    assert len(world.runs.started) == 1


async def test_a_workflow_that_refuses_the_input_isnt_run(world: World) -> None:
    schema = {"schema": {"document": {"required": ["ticket"]}}}
    await world.store("ops", "alert", input=schema)
    with pytest.raises(NotTold, match="ticket"):
        await world.tell(WorkflowHook(name="alert", namespace="ops"))
    assert world.repo.executions == {}


async def test_a_database_that_is_down_is_no_answer_of_the_hook(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def down(id: str) -> Execution:
        raise DatabaseUnavailable("down")

    monkeypatch.setattr(world.repo, "get", down)
    with pytest.raises(DatabaseUnavailable):
        await world.tell(WorkflowHook(name="alert"))
