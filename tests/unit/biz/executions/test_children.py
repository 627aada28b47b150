import json
from datetime import UTC, datetime
from typing import Any

import pytest

from biz.errors import InvalidArgument, TemplateInactive, TemplateNotFound
from biz.executions.children import ChildExecutionUsecase, ChildRequest
from biz.executions.execution import ExecutionStatus
from biz.paging import PageTokens
from biz.templates.alias import TemplateAliasUsecase
from biz.templates.template import TemplateChange, TemplateStatus, TemplateUsecase
from tests.fakes.execution_repo import FakeExecutionRepo
from tests.fakes.signing_key import FakeSigningKey
from tests.fakes.template_alias_repo import FakeTemplateAliasRepo
from tests.fakes.template_repo import FakeTemplateRepo
from tests.fixtures.workflows import workflow

NOW = datetime(2025, 1, 2, tzinfo=UTC)
SCHEMA = {"schema": {"document": {"properties": {"n": {"type": "integer"}}}}}


class World:
    """The use case on fakes, with two versions of shop/pay: 1.0.0 and 2.0.0."""

    def __init__(self) -> None:
        self.repo = FakeExecutionRepo()
        templates = FakeTemplateRepo()
        tokens = PageTokens(signing_key=FakeSigningKey())
        self.templates = TemplateUsecase(repo=templates, page_tokens=tokens, clock=lambda: NOW)
        self.aliases = TemplateAliasUsecase(
            repo=FakeTemplateAliasRepo(templates),
            templates=templates,
            page_tokens=tokens,
            clock=lambda: NOW,
        )
        self.children = ChildExecutionUsecase(
            repo=self.repo, aliases=self.aliases, clock=lambda: NOW
        )

    async def version(self, version: str) -> str:
        """The version of the template that a version, or an alias, names."""
        return (await self.children.store(request(version=version))).template_version


def request(**properties: Any) -> ChildRequest:
    defaults = {
        "parent_id": "p",
        "key": "p:/do/0/go:1",
        "namespace": "shop",
        "name": "pay",
        "version": "1.0.0",
        "input": {"n": 1},
    }
    return ChildRequest(**{**defaults, **properties})


@pytest.fixture
async def world() -> World:
    world = World()
    for version in ("1.0.0", "2.0.0"):
        await world.templates.create(
            config=json.dumps(workflow(input=SCHEMA)), namespace="shop", name="pay", version=version
        )
    return world


async def test_an_execution_is_stored_for_its_parent(world: World) -> None:
    stored = await world.children.store(request())
    assert world.repo.executions == {stored.id: stored}
    assert (stored.parent_id, stored.input, stored.namespace) == ("p", {"n": 1}, "shop")
    assert (stored.status, stored.created_at) == (ExecutionStatus.PENDING, NOW)
    assert not {":", "/"} & set(stored.id)


async def test_a_repetition_gives_the_same_one(world: World) -> None:
    stored = await world.children.store(request())
    await world.templates.delete(stored.template_id, force=True)
    assert await world.children.store(request()) == stored
    other = await world.children.store(request(key="p:/do/0/go:2", version="2.0.0"))
    assert other.id != stored.id


async def test_a_version_or_an_alias_is_named(world: World) -> None:
    await world.aliases.set(namespace="shop", name="pay", alias="prod", version="1.0.0")
    assert await world.version("prod") == "1.0.0"


async def test_latest_is_the_newest(world: World) -> None:
    assert await world.version("latest") == "2.0.0"


async def test_latest_may_be_an_alias(world: World) -> None:
    await world.aliases.set(namespace="shop", name="pay", alias="latest", version="1.0.0")
    assert await world.version("latest") == "1.0.0"


async def test_latest_is_the_default_where_one_is_set(world: World) -> None:
    await world.aliases.set(namespace="shop", name="pay", alias="default", version="1.0.0")
    assert await world.version("latest") == "1.0.0"


@pytest.mark.parametrize(
    "properties",
    [{"name": "x"}, {"namespace": "x"}, {"version": "3"}, {"name": "x", "version": "latest"}],
)
async def test_a_template_that_isnt_there_is_refused(world: World, properties: Any) -> None:
    with pytest.raises(TemplateNotFound):
        await world.children.store(request(**properties))
    assert not world.repo.executions


async def test_an_inactive_template_is_refused(world: World) -> None:
    await world.templates.update(1, TemplateChange(status=TemplateStatus.INACTIVE))
    with pytest.raises(TemplateInactive):
        await world.children.store(request())


async def test_an_input_that_breaks_the_schema_is_refused(world: World) -> None:
    with pytest.raises(InvalidArgument, match="input/n"):
        await world.children.store(request(input={"n": "x"}))
