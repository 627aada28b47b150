"""The standard's examples, run on Temporal against stand-ins of their services."""

import re
import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta

import pytest
import pytest_asyncio

from app.container import opened
from app.settings import Settings
from biz.execution import ExecutionStatus, ExecutionUsecase, StartRequest
from biz.template import TemplateUsecase
from tests.conformance.examples import EXAMPLES, Example, prepare
from tests.conformance.web import Web, serve
from tests.fixtures.standard import STANDARD

FILES = sorted((STANDARD / "examples").glob("*.yaml"))

pytestmark = pytest.mark.asyncio(loop_scope="module")


@dataclass(frozen=True, kw_only=True)
class Engine:
    """The use cases over a worker."""

    templates: TemplateUsecase
    executions: ExecutionUsecase


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def engine(
    temporal_address: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Engine]:
    settings = Settings(
        database_url=f"sqlite:///{tmp_path_factory.mktemp('examples')}/examples.db",
        temporal_address=temporal_address,
        task_queue=f"examples-{uuid.uuid4()}",
    )
    async with opened(settings) as container:
        await (await container.migrator()).migrate()
        await container.worker()
        yield Engine(templates=await container.templates(), executions=await container.executions())


@pytest_asyncio.fixture(loop_scope="module")
async def web() -> AsyncIterator[Web]:
    async with serve() as found:
        prepare(found)
        yield found


@pytest.mark.parametrize("name", [file.stem for file in FILES if file.stem in EXAMPLES])
async def test_an_example_does_what_its_text_says(engine: Engine, web: Web, name: str) -> None:
    example = EXAMPLES[name]
    text = _text((STANDARD / "examples" / f"{name}.yaml").read_text(), example, web)
    template = await engine.templates.create(config=text, version=str(uuid.uuid4()))

    execution = await engine.executions.start(
        StartRequest(template_id=template.id, input=example.input, wait=timedelta(seconds=60))
    )

    if example.fault is not None:
        assert execution.status is ExecutionStatus.FAULTED
        assert execution.error is not None
        assert execution.error.to_json() | dict(example.fault) == execution.error.to_json()
    else:
        assert (execution.status, execution.error) == (ExecutionStatus.COMPLETED, None)
        assert execution.output == example.output
    example.check(web)


def _text(text: str, example: Example, web: Web) -> str:
    for old, new in example.replace.items():
        assert old in text
        text = text.replace(old, new)
    for host in example.hosts:
        text = re.sub(rf"https?://{re.escape(host)}(?=[/\s\"']|$)", web.at(host), text)
    return text
