"""The standard's examples, run on Temporal against stand-ins of their services."""

import asyncio
import json
import re
import time
import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import pytest_asyncio
from temporalio.client import Client

from app.container import opened
from app.settings import Settings
from biz.dsl.memory_runtime import MemoryRuntime, run_in_memory
from biz.dsl.validator import load_workflow
from biz.events.event import EventUsecase
from biz.executions.execution import Execution, ExecutionStatus, ExecutionUsecase, StartRequest
from biz.templates.template import TemplateUsecase
from tests.conformance.examples import EXAMPLES, IN_MEMORY, LEFT_OUT, Example, prepare
from tests.conformance.web import Web, serve
from tests.fixtures.container_engine import standing_in
from tests.fixtures.standard import needs_standard, texts
from tests.patience import PATIENCE, PATIENCE_SECONDS

TEXTS = {name.removesuffix(".yaml"): text for name, text in texts("examples").items()}

pytestmark = needs_standard


@dataclass(frozen=True, kw_only=True)
class Service:
    """The use cases over a worker."""

    templates: TemplateUsecase
    executions: ExecutionUsecase
    events: EventUsecase
    temporal: Client
    secrets: Path


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def container_host() -> AsyncIterator[str]:
    async with standing_in() as engine:
        yield engine.address


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def service(
    temporal_address: str, container_host: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Service]:
    folder = tmp_path_factory.mktemp("examples")
    settings = Settings(
        database_url=f"sqlite:///{folder}/examples.db",
        temporal_address=temporal_address,
        task_queue=f"examples-{uuid.uuid4()}",
        processes=("shell", "script", "container", "mcp"),
        container_host=container_host,
        secrets_directory=folder,
    )
    async with opened(settings) as container:
        await (await container.migrator()).migrate()
        await container.worker()
        yield Service(
            templates=await container.templates(),
            executions=await container.executions(),
            events=await container.events(),
            temporal=await container.temporal_client(),
            secrets=folder,
        )


@pytest_asyncio.fixture(loop_scope="module")
async def web() -> AsyncIterator[Web]:
    async with serve() as found:
        prepare(found)
        yield found


def test_every_example_has_its_place() -> None:
    assert sorted(TEXTS) == sorted([*EXAMPLES, *IN_MEMORY, *LEFT_OUT])
    assert len(TEXTS) - len(LEFT_OUT) >= 55


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("name", sorted(EXAMPLES.keys() & TEXTS.keys()))
async def test_an_example_does_what_its_text_says(service: Service, web: Web, name: str) -> None:
    example = EXAMPLES[name]
    namespace = f"n{uuid.uuid4()}"
    text = _text(TEXTS[name], example, web)
    _write_secret(service, namespace, web)
    template = await service.templates.create(config=text, namespace=namespace)

    for other in example.templates:
        await service.templates.create(config=json.dumps(other))

    execution = await service.executions.start(
        StartRequest(template_id=template.id, input=example.input)
    )
    for number, event in enumerate(example.events):
        await service.events.publish(
            {"specversion": "1.0", "id": str(number), **event}, namespace=namespace
        )

    if example.goes_on:
        await _until(example, web)
        await service.temporal.get_workflow_handle(execution.id).cancel()
        return
    execution = await service.executions.get(execution.id, wait=PATIENCE)
    _compare(execution, example)
    example.check(web)


@pytest.mark.parametrize("name", sorted(set(IN_MEMORY) & TEXTS.keys()))
def test_an_example_waits_as_long_as_its_text_says(name: str) -> None:
    start = datetime(2026, 1, 1, tzinfo=UTC)
    runtime = MemoryRuntime(answer=lambda call: None, start=start, random=lambda: 0.5)
    assert run_in_memory(load_workflow(TEXTS[name]), {"a": 1}, runtime) == {"a": 1}
    assert runtime.now() - start == timedelta(seconds=30)


def _text(text: str, example: Example, web: Web) -> str:
    for old, new in example.replace.items():
        assert old in text
        text = text.replace(old, new.replace("{greeter}", str(web.greeter)))
    for host in example.hosts:
        text = re.sub(rf"https?://{re.escape(host)}(?=[/\s\"']|$)", web.at(host), text)
    return text


def _write_secret(service: Service, namespace: str, web: Web) -> None:
    folder = service.secrets / namespace
    folder.mkdir()
    policy = {
        "authority": f"{web.at('keycloak')}/realms/fake-authority",
        "endpoints": {"token": "/auth/token"},
        "grant": "client_credentials",
        "client": {"id": "workflow-runtime-id", "secret": "workflow-runtime-secret"},
    }
    (folder / "mySecret").write_text(json.dumps(policy))


def _compare(execution: Execution, example: Example) -> None:
    if example.fault is not None:
        assert execution.status is ExecutionStatus.FAULTED
        assert execution.error is not None
        error = execution.error.to_json()
        assert {**error, **example.fault} == error
        return
    assert (execution.status, execution.error) == (ExecutionStatus.COMPLETED, None)
    if callable(example.output):
        assert example.output(execution.output), json.dumps(execution.output)
    else:
        assert execution.output == example.output


async def _until(example: Example, web: Web) -> None:
    end = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            return example.check(web)
        except AssertionError:
            if time.monotonic() > end:
                raise
        await asyncio.sleep(0.1)
