import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from biz.dsl.checkpoint import Checkpoint
from biz.errors import (
    ExecutionNotEnded,
    ExecutionNotFound,
    InvalidArgument,
    RetryImpossible,
    TemplateInactive,
    TemplateNotFound,
)
from biz.executions.children import ChildExecutionUsecase, ChildRequest
from biz.executions.execution import Execution, ExecutionStatus
from biz.executions.succession import Succession
from biz.paging import PageTokens
from biz.templates.alias import TemplateAliasUsecase
from biz.templates.template import TemplateChange, TemplateStatus, TemplateUsecase
from tests.fakes.checkpoint_repo import FakeCheckpointRepo
from tests.fakes.engine import FakeEngine
from tests.fakes.execution_repo import FakeExecutionRepo
from tests.fakes.signing_key import FakeSigningKey
from tests.fakes.template_alias_repo import FakeTemplateAliasRepo
from tests.fakes.template_repo import FakeTemplateRepo
from tests.fixtures.workflows import workflow

NOW = datetime(2025, 1, 2, tzinfo=UTC)
STOOD = Checkpoint(notes={"/do/#at": "pay"})
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
        self.checkpoints = FakeCheckpointRepo(self.repo)
        self.engine = FakeEngine()
        self.children = ChildExecutionUsecase(
            repo=self.repo,
            aliases=self.aliases,
            succession=Succession(checkpoints=self.checkpoints, engine=self.engine),
            clock=lambda: NOW,
        )

    async def ended(
        self,
        *,
        status: ExecutionStatus = ExecutionStatus.FAULTED,
        checkpoint: Checkpoint | None = STOOD,
        began: bool = True,
        **changes: Any,
    ) -> Execution:
        """One that a run before had run."""
        stored = await self.children.store(request())
        ended = replace(
            stored,
            status=status,
            started_at=NOW + timedelta(seconds=1) if began else NOW,
            ended_at=NOW + timedelta(seconds=2),
            **changes,
        )
        self.repo.executions[ended.id] = ended
        if checkpoint is not None:
            self.checkpoints.ends[ended.id] = checkpoint.to_text()
        return ended

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


def again(id: str, **properties: Any) -> ChildRequest:
    """What the next run asks for, where it takes up."""
    return request(parent_id="q", key="q:/do/0/go:1", retry_of=id, **properties)


async def test_one_that_faulted_is_taken_up_in_its_own_version(world: World) -> None:
    before = await world.ended()

    stored = await world.children.store(again(before.id, version="2.0.0", input={"n": 2}))

    assert (stored.status, stored.parent_id) == (ExecutionStatus.PENDING, "q")
    assert (stored.retry_of, stored.input) == (before.id, {"n": 1})
    assert stored.template_version == "1.0.0"
    assert world.repo.executions[before.id].retried_by == stored.id
    assert Checkpoint.from_text(world.checkpoints.starts[stored.id]).notes == {"/do/#at": "pay"}
    assert await world.children.store(again(before.id)) == stored


async def test_one_that_is_renewed_takes_up_in_the_version_that_is_named(world: World) -> None:
    notes = {"/do/#at": "pay", "/do/0/pay/#child": ["x", False]}
    before = await world.ended(checkpoint=Checkpoint(notes=notes))
    config = json.dumps(workflow({"new": {"set": {"a": 1}}}, {"pay": {"set": {"b": 1}}}))
    await world.templates.create(config=config, namespace="shop", name="pay", version="3.0.0")

    stored = await world.children.store(again(before.id, version="3.0.0", is_renewed=True))

    assert stored.template_version == "3.0.0"
    start = Checkpoint.from_text(world.checkpoints.starts[stored.id])
    assert start.notes["/do/1/pay/#child"] == ["x", True]


async def test_one_that_completed_is_what_is_wanted(world: World) -> None:
    before = await world.ended(status=ExecutionStatus.COMPLETED, output=7, checkpoint=None)

    assert await world.children.store(again(before.id)) == before


async def test_one_that_nobody_waits_for_is_left_alone_once_it_has_begun(world: World) -> None:
    before = await world.ended(status=ExecutionStatus.RUNNING, checkpoint=None)

    assert await world.children.store(again(before.id, awaited=False)) == before
    with pytest.raises(ExecutionNotEnded):
        await world.children.store(again(before.id))


async def test_the_last_one_that_took_up_counts(world: World) -> None:
    before = await world.ended()
    between = await world.children.store(again(before.id))
    world.repo.executions[between.id] = replace(between, status=ExecutionStatus.COMPLETED, output=7)

    stored = await world.children.store(replace(again(before.id), key="r:/do/0/go:1"))

    assert (stored.id, stored.output) == (between.id, 7)


@pytest.mark.parametrize("status", [ExecutionStatus.CANCELLED, ExecutionStatus.TERMINATED])
async def test_one_that_never_began_begins_where_it_was_to(
    world: World, status: ExecutionStatus
) -> None:
    before = await world.ended(status=status, checkpoint=None, began=False)
    between = await world.children.store(again(before.id))
    assert Checkpoint.from_text(world.checkpoints.starts[between.id]).notes == {}
    world.checkpoints.starts[between.id] = Checkpoint(notes={"/do/#at": "pay"}).to_text()
    world.repo.executions[between.id] = replace(between, status=status, started_at=NOW)

    stored = await world.children.store(replace(again(before.id), key="r:/do/0/go:1"))

    assert Checkpoint.from_text(world.checkpoints.starts[stored.id]).notes == {"/do/#at": "pay"}


async def test_one_of_which_nothing_is_kept_is_not_begun_anew(world: World) -> None:
    before = await world.ended(checkpoint=None)
    with pytest.raises(RetryImpossible):
        await world.children.store(again(before.id))
    with pytest.raises(ExecutionNotFound):
        await world.children.store(again("unknown"))
    large = Checkpoint(notes={"/do/#at": "x" * 1_500_000})
    world.checkpoints.ends[before.id] = large.to_text()
    with pytest.raises(RetryImpossible):
        await world.children.store(again(before.id))


async def test_one_whose_task_is_gone_is_not_renewed(world: World) -> None:
    before = await world.ended(checkpoint=Checkpoint(faulted="/do/0/gone"))
    config = json.dumps(workflow({"new": {"set": {"a": 1}}}))
    await world.templates.create(config=config, namespace="shop", name="pay", version="3.0.0")

    with pytest.raises(RetryImpossible, match="no task /do/gone"):
        await world.children.store(again(before.id, version="3.0.0", is_renewed=True))
