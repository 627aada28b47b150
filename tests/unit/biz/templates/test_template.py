import hashlib
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from biz.dsl.sizes import MAX_JSON_BYTES
from biz.errors import (
    InvalidArgument,
    InvalidDefinition,
    RequestIdReused,
    TemplateAlreadyExists,
    TemplateEtagMismatch,
    TemplateInactive,
    TemplateInUse,
    TemplateNotFound,
)
from biz.paging import Order, PageRequest, PageTokens
from biz.templates.template import (
    Template,
    TemplateChange,
    TemplateQuery,
    TemplateStatus,
    TemplateUsecase,
    require_active,
)
from tests.fakes.signing_key import FakeSigningKey
from tests.fakes.template_repo import FakeTemplateRepo
from tests.fixtures.workflows import DOCUMENT, workflow

NOW = datetime(2025, 1, 2, tzinfo=UTC)
CONFIG = json.dumps(workflow({"t": {"set": {"x": 1}}}))
OTHER_CONFIG = json.dumps(workflow({"t": {"set": {"x": 2}}}))


class World:
    """The use case on a fake, with a clock that stands."""

    def __init__(self) -> None:
        self.now = NOW
        self.repo = FakeTemplateRepo()
        self.templates = TemplateUsecase(
            repo=self.repo,
            page_tokens=PageTokens(signing_key=FakeSigningKey()),
            clock=lambda: self.now,
        )

    async def create(self, **properties: Any) -> Template:
        return await self.templates.create(**{"config": CONFIG, **properties})


@pytest.fixture
def world() -> World:
    return World()


def faults(raised: pytest.ExceptionInfo[InvalidArgument]) -> list[tuple[str, str]]:
    return [(fault.field, fault.code) for fault in raised.value.violations]


async def test_what_is_left_empty_comes_from_the_document(world: World) -> None:
    document = {**DOCUMENT, "summary": "s" * 1001}
    config = json.dumps({"document": document, "do": []})
    template = await world.create(config=config)
    assert (template.namespace, template.name, template.version) == ("test", "sample", "0.1.0")
    assert template.description == "s" * 1000
    assert (template.config, template.digest) == (
        config,
        hashlib.sha256(config.encode()).hexdigest(),
    )
    assert template.status is TemplateStatus.ACTIVE
    assert (template.created_at, template.updated_at) == (NOW, NOW)


async def test_what_is_given_is_the_templates_own(world: World) -> None:
    template = await world.create(
        namespace="shop",
        name="any text, of 😀",
        version="next",
        description="mine",
        labels={"a": "b"},
    )
    assert (template.namespace, template.name, template.version) == (
        "shop",
        "any text, of 😀",
        "next",
    )
    assert (template.description, template.labels) == ("mine", {"a": "b"})


async def test_yaml_is_kept_as_it_was_sent(world: World) -> None:
    config = "document: {dsl: '1.0.0', namespace: a, name: b, version: '1.0.0'}\ndo: []\n"
    assert (await world.create(config=config)).config == config


async def test_the_longest_texts(world: World) -> None:
    template = await world.create(name="n" * 255, version="v" * 50, description="d" * 1000)
    assert len(template.name) == 255


async def test_every_fault_of_a_request_is_told_with_those_of_its_definition(
    world: World,
) -> None:
    with pytest.raises(InvalidDefinition) as raised:
        await world.create(
            config=json.dumps(workflow({"t": {"set": {}}}, {"t": {"wait": "soon"}})),
            namespace="n" * 64,
            name="n" * 256,
            version="v" * 51,
            description="d" * 1001,
            labels={"-": ""},
            request_id="r" * 256,
        )
    assert faults(raised) == [
        ("namespace", "too-long"),
        ("name", "too-long"),
        ("version", "too-long"),
        ("description", "too-long"),
        ("request_id", "too-long"),
        ("labels", "bad-label-key"),
        ("config", "empty"),
        ("config", "duplicate-name"),
        ("config", "invalid-duration"),
    ]
    assert [fault.pointer for fault in raised.value.violations[-3:]] == [
        "/do/0/t/set",
        "/do/1",
        "/do/1/t/wait",
    ]
    assert not world.repo.templates


async def test_a_fault_of_the_request_alone(world: World) -> None:
    with pytest.raises(InvalidArgument) as raised:
        await world.create(description="d" * 1001)
    assert faults(raised) == [("description", "too-long")]


async def test_a_version_of_the_document_that_is_too_long(world: World) -> None:
    document = {**DOCUMENT, "version": f"1.0.0-{'a' * 50}"}
    with pytest.raises(InvalidArgument) as raised:
        await world.create(config=json.dumps({"document": document, "do": []}))
    assert faults(raised) == [("version", "too-long")]


@pytest.mark.parametrize(
    ("config", "code"),
    [
        ("", "empty"),
        ("not a definition", "wrong-type"),
        ("{", "syntax"),
        ("é" * (MAX_JSON_BYTES // 6 + 1), "too-long"),
    ],
)
async def test_no_definition_is_stored(world: World, config: str, code: str) -> None:
    with pytest.raises(InvalidArgument) as raised:
        await world.create(config=config)
    assert ("config", code) in faults(raised)


async def test_a_key_is_taken_once(world: World) -> None:
    await world.create()
    with pytest.raises(TemplateAlreadyExists) as raised:
        await world.create()
    assert raised.value.metadata == {"namespace": "test", "name": "sample", "version": "0.1.0"}
    await world.create(version="2")
    await world.create(namespace="other")


async def test_the_same_request_twice_makes_one_template(world: World) -> None:
    first = await world.create(request_id="r")
    assert await world.create(request_id="r") == first
    with pytest.raises(RequestIdReused):
        await world.create(request_id="r", description="another")
    assert (await world.create(request_id="r", namespace="other")).id != first.id


async def test_an_unknown_template(world: World) -> None:
    with pytest.raises(TemplateNotFound):
        await world.templates.get(1)


@pytest.mark.parametrize(
    "change",
    [
        TemplateChange(name="renamed"),
        TemplateChange(version="2"),
        TemplateChange(description=""),
        TemplateChange(description="changed"),
        TemplateChange(status=TemplateStatus.INACTIVE),
        TemplateChange(labels={}),
        TemplateChange(labels={"a": "b"}),
        TemplateChange(name="renamed", labels={}),
    ],
)
async def test_an_update_sets_what_is_set(world: World, change: TemplateChange) -> None:
    before = await world.create(description="before", labels={"k": "v"})
    world.now += timedelta(hours=1)
    after = await world.templates.update(before.id, change)
    for name in ("name", "version", "description", "status", "labels", "config", "digest"):
        wanted = getattr(change, name)
        assert getattr(after, name) == (getattr(before, name) if wanted is None else wanted)
    assert (after.created_at, after.updated_at) == (NOW, world.now)
    assert after.etag != before.etag


async def test_a_new_definition_has_a_new_digest_and_keeps_the_key(world: World) -> None:
    before = await world.create(name="mine")
    after = await world.templates.update(before.id, TemplateChange(config=OTHER_CONFIG))
    assert after.digest == hashlib.sha256(OTHER_CONFIG.encode()).hexdigest()
    assert (after.name, after.version) == ("mine", "0.1.0")


async def test_an_update_of_nothing_is_refused(world: World) -> None:
    template = await world.create()
    with pytest.raises(InvalidArgument) as raised:
        await world.templates.update(template.id, TemplateChange())
    assert faults(raised) == [("", "nothing-set")]


async def test_every_fault_of_an_update_is_told(world: World) -> None:
    template = await world.create()
    change = TemplateChange(name="", version="v" * 51, description="d" * 1001, labels={"": ""})
    expected = [
        ("name", "empty"),
        ("version", "too-long"),
        ("description", "too-long"),
        ("labels", "bad-label-key"),
    ]
    with pytest.raises(InvalidArgument) as raised:
        await world.templates.update(template.id, change)
    assert faults(raised) == expected
    with pytest.raises(InvalidDefinition) as raised_too:
        await world.templates.update(
            template.id, TemplateChange(name="", config=json.dumps(workflow({"t": {}})))
        )
    assert faults(raised_too) == [("name", "empty"), ("config", "unknown-task")]
    assert await world.templates.get(template.id) == template


async def test_an_etag_guards_an_update(world: World) -> None:
    template = await world.create()
    change = TemplateChange(description="mine")
    changed = await world.templates.update(template.id, change, etag=template.etag)
    with pytest.raises(TemplateEtagMismatch):
        await world.templates.update(template.id, change, etag=template.etag)
    await world.templates.update(template.id, change, etag=changed.etag)
    await world.templates.update(template.id, change)


async def test_an_update_to_a_taken_key(world: World) -> None:
    await world.create()
    other = await world.create(version="2")
    with pytest.raises(TemplateAlreadyExists):
        await world.templates.update(other.id, TemplateChange(version="0.1.0"))


async def test_a_template_in_use_is_deleted_by_force(world: World) -> None:
    template = await world.create()
    world.repo.in_use.add(template.id)
    with pytest.raises(TemplateInUse):
        await world.templates.delete(template.id)
    await world.templates.delete(template.id, force=True)
    with pytest.raises(TemplateNotFound):
        await world.templates.delete(template.id, force=True)


async def test_a_list_asks_for_what_matches(world: World) -> None:
    query = TemplateQuery(
        namespace="test",
        name="sample",
        name_prefix="sam",
        status=TemplateStatus.INACTIVE,
        full=True,
    )
    template = await world.create()
    page = await world.templates.list(
        PageRequest(size=7, order_by="name"), query=query, labels=["a=b"]
    )
    assert list(page.items) == [template]
    assert world.repo.asked
    asked, slice = world.repo.asked
    assert asked == replace(query, labels={"a": "b"})
    assert (slice.limit, slice.order) == (7, Order(field="name", descending=False))


async def test_a_list_is_newest_first_and_goes_on_by_its_token(world: World) -> None:
    for version in "12":
        await world.create(version=version)
    page = await world.templates.list(PageRequest(size=1, show_total=True), query=TemplateQuery())
    assert page.total == 2
    assert world.repo.asked
    assert world.repo.asked[1].order == Order(field="created_at", descending=True)
    following = PageRequest(token=page.next_token)
    await world.templates.list(following, query=TemplateQuery())
    assert world.repo.asked[1].after == ("place", 1)
    with pytest.raises(InvalidArgument):
        await world.templates.list(following, query=TemplateQuery(name="sample"))


async def test_every_fault_of_a_lists_filter_is_told(world: World) -> None:
    with pytest.raises(InvalidArgument) as raised:
        await world.templates.list(PageRequest(), query=TemplateQuery(), labels=["a", "=b"])
    assert faults(raised) == [("labels", "bad-label-filter")] * 2


async def test_only_an_active_template_is_started(world: World) -> None:
    template = await world.create()
    assert require_active(template) is template
    inactive = await world.templates.update(
        template.id, TemplateChange(status=TemplateStatus.INACTIVE)
    )
    with pytest.raises(TemplateInactive) as raised:
        require_active(inactive)
    assert raised.value.metadata == {"template_id": "1"}
