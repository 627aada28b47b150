import json
from datetime import UTC, datetime, timedelta
from itertools import permutations

import pytest

from biz.errors import (
    InvalidArgument,
    TemplateAliasNotFound,
    TemplateInactive,
    TemplateNotFound,
)
from biz.paging import Order, PageRequest, PageTokens
from biz.templates.alias import TemplateAliasUsecase, TemplateVersion, newest_version
from biz.templates.template import NewTemplate, Template, TemplateChange, TemplateStatus
from tests.fakes.signing_key import FakeSigningKey
from tests.fakes.template_alias_repo import FakeTemplateAliasRepo
from tests.fakes.template_repo import FakeTemplateRepo
from tests.fixtures.workflows import workflow

NOW = datetime(2025, 1, 2, tzinfo=UTC)


class World:
    """The use case on fakes."""

    def __init__(self) -> None:
        self.templates = FakeTemplateRepo()
        self.repo = FakeTemplateAliasRepo(self.templates)
        self.aliases = TemplateAliasUsecase(
            repo=self.repo,
            templates=self.templates,
            page_tokens=PageTokens(signing_key=FakeSigningKey()),
            clock=lambda: NOW,
        )

    async def add(self, version: str, *, namespace: str = "shop", name: str = "order") -> Template:
        template = NewTemplate(
            namespace=namespace,
            name=name,
            version=version,
            description="",
            config=json.dumps(workflow()),
            digest="",
            labels={},
            created_at=NOW,
        )
        return await self.templates.create(template, None)

    async def deactivate(self, template: Template) -> None:
        change = TemplateChange(status=TemplateStatus.INACTIVE)
        await self.templates.update(template.id, change, updated_at=NOW)

    async def resolve(self, *, name: str = "order", version: str = "", alias: str = "") -> str:
        found = await self.aliases.resolve(
            namespace="shop", name=name, version=version, alias=alias
        )
        return found.version

    async def point(self, alias: str, version: str) -> None:
        await self.aliases.set(namespace="shop", name="order", alias=alias, version=version)


@pytest.fixture
def world() -> World:
    return World()


def version(text: str, *, age: int = 0, id: int = 1, active: bool = True) -> TemplateVersion:
    return TemplateVersion(
        id=id,
        version=text,
        status=TemplateStatus.ACTIVE if active else TemplateStatus.INACTIVE,
        created_at=NOW - timedelta(hours=age),
    )


@pytest.mark.parametrize(
    ("versions", "newest"),
    [
        ([version("1.0.0"), version("2.0.0", age=9), version("1.9.0")], "2.0.0"),
        ([version("1.9.0"), version("1.10.0", age=9)], "1.10.0"),
        ([version("1.0.0-rc.1"), version("1.0.0", age=9)], "1.0.0"),
        ([version("1.0.0-rc.2"), version("1.0.0-rc.10", age=9)], "1.0.0-rc.10"),
        ([version("1.0.0"), version("2.0.0", active=False)], "1.0.0"),
        ([version("1.0.0+a", age=1), version("1.0.0+b")], "1.0.0+b"),
        ([version("0.0.1", age=9), version("latest"), version("3")], "0.0.1"),
        ([version("b", age=1), version("a")], "a"),
        ([version("b", id=2), version("a", id=1)], "b"),
        ([version("v1.0.0", age=1), version("1.0")], "1.0"),
        ([version("1.0.0", active=False)], None),
        ([], None),
    ],
)
def test_the_newest_version(versions: list[TemplateVersion], newest: str | None) -> None:
    for order in permutations(versions):
        found = newest_version(order)
        assert (found and found.version) == newest


async def test_a_version_is_named_by_itself(world: World) -> None:
    await world.add("1.0.0")
    await world.add("2.0.0")
    assert await world.resolve(version="1.0.0") == "1.0.0"


async def test_a_version_is_named_by_an_alias(world: World) -> None:
    await world.add("1.0.0")
    await world.add("2.0.0")
    await world.point("prod", "1.0.0")
    assert await world.resolve(version="prod") == "1.0.0"
    assert await world.resolve(alias="prod") == "1.0.0"


async def test_a_version_stands_before_an_alias_of_the_same_name(world: World) -> None:
    await world.add("1.0.0")
    await world.add("2.0.0")
    await world.point("2.0.0", "1.0.0")
    assert await world.resolve(version="2.0.0") == "2.0.0"
    assert await world.resolve(alias="2.0.0") == "1.0.0"


async def test_without_a_version_the_alias_default_counts(world: World) -> None:
    await world.add("1.0.0")
    await world.add("2.0.0")
    assert await world.resolve() == "2.0.0"
    await world.point("default", "1.0.0")
    assert await world.resolve() == "1.0.0"


async def test_without_that_the_newest_active_one_counts(world: World) -> None:
    await world.add("1.0.0")
    await world.deactivate(await world.add("2.0.0"))
    await world.add("draft")
    assert await world.resolve() == "1.0.0"


async def test_an_alias_is_a_release_and_its_roll_back(world: World) -> None:
    await world.add("1.0.0")
    await world.add("2.0.0")
    for wanted in ("1.0.0", "2.0.0", "1.0.0"):
        await world.point("prod", wanted)
        assert await world.resolve(alias="prod") == wanted


async def test_what_is_inactive_isnt_resolved(world: World) -> None:
    template = await world.add("1.0.0")
    await world.point("prod", "1.0.0")
    await world.deactivate(template)
    for named in ({}, {"version": "1.0.0"}, {"version": "prod"}, {"alias": "prod"}):
        with pytest.raises(TemplateInactive):
            await world.resolve(**named)


@pytest.mark.parametrize(
    "named",
    [{"name": "nobody"}, {"version": "3"}, {"alias": "prod"}, {"name": "nobody", "alias": "prod"}],
)
async def test_what_isnt_there_isnt_resolved(world: World, named: dict[str, str]) -> None:
    await world.add("1.0.0")
    with pytest.raises(TemplateNotFound, match="there is no template shop/"):
        await world.resolve(**named)


async def test_a_name_belongs_to_its_namespace(world: World) -> None:
    await world.add("1.0.0", namespace="default")
    with pytest.raises(TemplateNotFound):
        await world.resolve()
    found = await world.aliases.resolve(namespace="", name="order")
    assert found.namespace == "default"


async def test_an_alias_points_to_a_version_that_is_there(world: World) -> None:
    template = await world.add("1.0.0", namespace="default")
    alias = await world.aliases.set(namespace="", name="order", alias="prod", version="1.0.0")
    assert (alias.namespace, alias.template_id, alias.updated_at) == ("default", template.id, NOW)
    with pytest.raises(TemplateNotFound):
        await world.aliases.set(namespace="", name="order", alias="prod", version="2.0.0")


async def test_every_fault_of_an_alias_is_told(world: World) -> None:
    with pytest.raises(InvalidArgument) as raised:
        await world.aliases.set(namespace="", name="", alias="a" * 51, version="")
    assert [(fault.field, fault.code) for fault in raised.value.violations] == [
        ("name", "empty"),
        ("alias", "too-long"),
        ("version", "empty"),
    ]


async def test_an_alias_is_deleted_once(world: World) -> None:
    await world.add("1.0.0", namespace="default")
    await world.aliases.set(namespace="", name="order", alias="prod", version="1.0.0")
    await world.aliases.delete(namespace="", name="order", alias="prod")
    with pytest.raises(TemplateAliasNotFound):
        await world.aliases.delete(namespace="", name="order", alias="prod")


async def test_a_list_of_aliases_is_in_their_order(world: World) -> None:
    await world.add("1.0.0")
    await world.point("prod", "1.0.0")
    page = await world.aliases.list(PageRequest(), namespace="shop", name="order")
    assert [alias.alias for alias in page.items] == ["prod"]
    assert world.repo.asked
    namespace, name, slice = world.repo.asked
    assert (namespace, name, slice.order) == (
        "shop",
        "order",
        Order(field="alias", descending=False),
    )
