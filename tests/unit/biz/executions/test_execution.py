import asyncio
import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from biz.dsl.errors import WorkflowError
from biz.dsl.fault_hooks import WorkflowHook
from biz.dsl.sizes import MAX_JSON_BYTES
from biz.engine import RunOrder, RunRefused, RunState
from biz.errors import (
    BusinessKeyInUse,
    ExecutionNotFound,
    InvalidArgument,
    RequestIdReused,
    TemplateInactive,
    TemplateNotFound,
)
from biz.executions.execution import (
    BusinessKeyPolicy,
    Execution,
    ExecutionEnd,
    ExecutionQuery,
    ExecutionStatus,
    ExecutionUsecase,
    StartRequest,
)
from biz.executions.runs import ExecutionRuns
from biz.paging import Order, PageRequest, PageTokens
from biz.templates.alias import TemplateAliasUsecase
from biz.templates.template import Template, TemplateChange, TemplateStatus, TemplateUsecase
from tests.fakes.engine import FakeEngine
from tests.fakes.execution_repo import FakeExecutionRepo
from tests.fakes.signing_key import FakeSigningKey
from tests.fakes.template_alias_repo import FakeTemplateAliasRepo
from tests.fakes.template_repo import FakeTemplateRepo
from tests.fixtures.polling import until
from tests.fixtures.workflows import DOCUMENT, workflow

NOW = datetime(2025, 1, 2, tzinfo=UTC)
COMPLETED = ExecutionEnd(
    status=ExecutionStatus.COMPLETED, output={"x": 1}, error=None, ended_at=NOW
)
TERMINATED = ExecutionEnd(
    status=ExecutionStatus.TERMINATED,
    output=None,
    error=WorkflowError.standard("runtime", "terminated by hand"),
    ended_at=NOW,
)
SCHEMA = {
    "schema": {"document": {"type": "object", "properties": {"n": {"type": "integer"}}}},
}


class World:
    """The use case on fakes, with one template of id 1: shop/order 1.0.0."""

    def __init__(self, engine: FakeEngine | None = None) -> None:
        self.now = NOW
        self.repo = FakeExecutionRepo()
        self.engine = engine or FakeEngine()
        self.template_repo = FakeTemplateRepo()
        page_tokens = PageTokens(signing_key=FakeSigningKey())
        self.templates = TemplateUsecase(
            repo=self.template_repo, page_tokens=page_tokens, clock=self._clock
        )
        self.aliases = TemplateAliasUsecase(
            repo=FakeTemplateAliasRepo(self.template_repo),
            templates=self.template_repo,
            page_tokens=page_tokens,
            clock=self._clock,
        )
        self.runs = ExecutionRuns(repo=self.repo, engine=self.engine, clock=self._clock)
        self.executions = ExecutionUsecase(
            repo=self.repo,
            templates=self.templates,
            aliases=self.aliases,
            runs=self.runs,
            page_tokens=page_tokens,
            clock=self._clock,
        )

    async def add(self, version: str = "1.0.0", *, name: str = "order") -> Template:
        return await self.templates.create(
            config=json.dumps(workflow(input=SCHEMA)), namespace="shop", name=name, version=version
        )

    async def start(self, **properties: Any) -> Execution:
        return await self.executions.start(StartRequest(**{"template_id": 1, **properties}))

    async def refusal(self, **properties: Any) -> list[tuple[str, str]]:
        with pytest.raises(InvalidArgument) as raised:
            await self.start(**properties)
        return [(fault.field, fault.code) for fault in raised.value.violations]

    def _clock(self) -> datetime:
        return self.now


@pytest.fixture
async def world() -> World:
    world = World()
    await world.add()
    return world


async def test_a_start_pins_what_it_runs(world: World) -> None:
    template = await world.templates.get(1)
    execution = await world.start(input={"n": 1}, labels={"a": "b"}, business_key="k")
    await world.templates.update(1, TemplateChange(config=json.dumps(workflow()), version="2"))
    await world.templates.delete(1, force=True)
    stored = await world.executions.get(execution.id)
    assert (stored.definition, stored.definition_digest) == (template.config, template.digest)
    assert (stored.template_id, stored.template_name) == (1, "order")
    assert (stored.namespace, stored.template_version) == ("shop", "1.0.0")
    assert (stored.input, stored.labels, stored.business_key) == ({"n": 1}, {"a": "b"}, "k")
    assert (stored.status, stored.created_at, stored.started_at) == (
        ExecutionStatus.RUNNING,
        NOW,
        NOW,
    )
    assert [started.id for started in world.engine.started] == [execution.id]


async def test_a_start_pins_who_is_told_of_a_fault(world: World) -> None:
    metadata = {"onFault": [{"workflow": {"name": "alert"}}]}
    definition = json.dumps(workflow(document={**DOCUMENT, "metadata": metadata}))
    template = await world.templates.create(config=definition)
    told = await world.start(template_id=template.id)
    untold = await world.start(template_id=1)
    assert list(world.repo.made[told.id].hooks) == [WorkflowHook(name="alert")]
    assert list(world.repo.made[untold.id].hooks) == []


async def test_ids_are_the_servers_and_fit_a_path(world: World) -> None:
    ids = {(await world.start()).id for _ in range(20)}
    assert len(ids) == 20
    assert not any({":", "/"} & set(id) for id in ids)


@pytest.mark.parametrize(
    ("named", "version"),
    [
        ({"template_id": 1}, "1.0.0"),
        ({"template_name": "order"}, "2.0.0"),
        ({"template_name": "order", "version": "1.0.0"}, "1.0.0"),
        ({"template_name": "order", "version": "prod"}, "1.0.0"),
        ({"template_name": "order", "alias": "prod"}, "1.0.0"),
    ],
)
async def test_a_template_is_named_by_id_version_or_alias(
    world: World, named: Mapping[str, Any], version: str
) -> None:
    await world.add("2.0.0")
    await world.aliases.set(namespace="shop", name="order", alias="prod", version="1.0.0")
    execution = await world.executions.start(
        StartRequest(namespace="" if "template_id" in named else "shop", **named)
    )
    assert execution.template_version == version


@pytest.mark.parametrize(
    "named",
    [
        {"template_id": 9},
        {"template_name": "nobody", "namespace": "shop"},
        {"template_name": "order"},
        {"template_name": "order", "namespace": "shop", "version": "9"},
    ],
)
async def test_a_template_that_isnt_there(world: World, named: Mapping[str, Any]) -> None:
    with pytest.raises(TemplateNotFound):
        await world.executions.start(StartRequest(**named))


@pytest.mark.parametrize("named", [{"template_id": 1}, {"template_name": "order"}])
async def test_an_inactive_template_isnt_started(world: World, named: Mapping[str, Any]) -> None:
    await world.templates.update(1, TemplateChange(status=TemplateStatus.INACTIVE))
    with pytest.raises(TemplateInactive):
        await world.executions.start(StartRequest(namespace="shop", **named))
    assert not world.repo.executions


@pytest.mark.parametrize(
    ("properties", "faults"),
    [
        ({"template_id": 0}, [("template_id", "one-of")]),
        ({"template_name": "order"}, [("template_id", "one-of")]),
        ({"version": "1"}, [("template_id", "one-of")]),
        ({"alias": "prod"}, [("template_id", "one-of")]),
        (
            {"template_id": 0, "template_name": "order", "version": "1", "alias": "prod"},
            [("alias", "one-of")],
        ),
        ({"business_key": "k" * 256}, [("business_key", "too-long")]),
        ({"request_id": "r" * 256}, [("request_id", "too-long")]),
        ({"labels": {"": ""}}, [("labels", "bad-label-key")]),
        ({"input": {"a": "é" * (MAX_JSON_BYTES // 6)}}, [("input", "too-long")]),
        ({"wait": timedelta(seconds=60.1)}, [("wait", "out-of-range")]),
        ({"wait": timedelta(seconds=-1)}, [("wait", "out-of-range")]),
        (
            {"template_id": 0, "business_key": "k" * 256, "wait": timedelta(hours=1)},
            [("template_id", "one-of"), ("business_key", "too-long"), ("wait", "out-of-range")],
        ),
        ({"input": {"n": "x"}}, [("input", "schema")]),
        ({"input": 5}, [("input", "schema")]),
    ],
)
async def test_a_start_that_can_never_succeed(
    world: World, properties: Mapping[str, Any], faults: list[tuple[str, str]]
) -> None:
    assert await world.refusal(**properties) == faults
    assert not world.repo.executions


async def test_a_fault_of_the_input_is_told_with_its_pointer(world: World) -> None:
    with pytest.raises(InvalidArgument) as raised:
        await world.start(input={"n": "x"})
    [fault] = raised.value.violations
    assert (fault.pointer, fault.message) == ("/n", "'x' is not of type 'integer'")


async def test_no_input_is_an_empty_object(world: World) -> None:
    assert (await world.start()).input == {}


async def test_the_same_request_twice_makes_one_execution(world: World) -> None:
    first = await world.start(request_id="r", input={"n": 1})
    again = await world.start(request_id="r", input={"n": 1}, wait=timedelta(milliseconds=1))
    assert again == first
    assert len(world.engine.started) == 1


async def test_the_same_request_answers_after_a_change_of_what_it_named(world: World) -> None:
    named = {"template_id": 0, "template_name": "order", "namespace": "shop", "request_id": "r"}
    first = await world.start(**named)
    await world.add("2.0.0")
    assert (await world.start(**named)).id == first.id
    await world.templates.update(1, TemplateChange(status=TemplateStatus.INACTIVE))
    assert (await world.start(**named)).id == first.id


@pytest.mark.parametrize(
    "other", [{"input": {"n": 2}}, {"labels": {"a": "b"}}, {"business_key": "k"}]
)
async def test_a_request_id_goes_with_one_content(world: World, other: Mapping[str, Any]) -> None:
    await world.start(request_id="r", input={"n": 1})
    with pytest.raises(RequestIdReused):
        await world.start(**{"request_id": "r", "input": {"n": 1}, **other})
    assert len(world.repo.executions) == 1


async def test_a_business_key_is_unique_among_live_runs(world: World) -> None:
    first = await world.start(business_key="k")
    with pytest.raises(BusinessKeyInUse) as raised:
        await world.start(business_key="k")
    assert raised.value.execution_id == first.id
    await world.repo.record_end(first.id, COMPLETED)
    assert (await world.start(business_key="k")).id != first.id


async def test_a_start_may_answer_the_run_that_has_its_business_key(world: World) -> None:
    use = {"business_key": "k", "business_key_policy": BusinessKeyPolicy.USE_EXISTING}
    first = await world.start(**use)
    assert await world.start(**use) == first
    assert len(world.engine.started) == 1


async def test_a_request_keeps_answering_the_run_that_it_found(world: World) -> None:
    first = await world.start(business_key="k")
    use = {"business_key": "k", "business_key_policy": BusinessKeyPolicy.USE_EXISTING}
    assert (await world.start(request_id="r", **use)).id == first.id
    await world.repo.record_end(first.id, COMPLETED)
    assert (await world.start(request_id="r", **use)).id == first.id
    assert (await world.start(request_id="other", **use)).id != first.id


async def test_the_same_request_answers_when_its_template_is_gone(world: World) -> None:
    first = await world.start(request_id="r")
    await world.templates.delete(1, force=True)
    assert (await world.start(request_id="r")).id == first.id


async def test_a_run_that_the_engine_refuses_is_faulted(world: World) -> None:
    world.engine.refuses = True
    refused = await world.start()
    assert refused.status is ExecutionStatus.FAULTED
    assert refused.error is not None
    assert refused.error.type.endswith("/configuration")


async def test_an_engine_that_is_down_leaves_it_pending(world: World) -> None:
    world.engine.available = False
    execution = await world.start(request_id="r", wait=timedelta(milliseconds=1))
    assert execution.status is ExecutionStatus.PENDING
    assert execution.started_at is None
    assert await world.executions.get(execution.id) == execution


async def test_the_same_request_starts_what_was_left_pending(world: World) -> None:
    world.engine.available = False
    first = await world.start(request_id="r")
    world.engine.available = True
    again = await world.start(request_id="r")
    assert (again.id, again.status) == (first.id, ExecutionStatus.RUNNING)
    assert len(world.engine.started) == 1


async def test_a_run_that_the_engine_wont_ever_take_faults() -> None:
    class RefusingEngine(FakeEngine):
        async def start(self, execution: Execution, order: RunOrder | None = None) -> None:
            raise RunRefused("too large")

    world = World(RefusingEngine())
    await world.add()
    execution = await world.start()
    assert (execution.status, execution.ended_at) == (ExecutionStatus.FAULTED, NOW)
    assert execution.error == WorkflowError.standard("configuration", "too large")


async def test_a_run_that_was_quicker_than_its_start_keeps_its_end() -> None:
    class QuickEngine(FakeEngine):
        async def start(self, execution: Execution, order: RunOrder | None = None) -> None:
            await super().start(execution, order)
            await world.repo.record_end(execution.id, COMPLETED)

    world = World(QuickEngine())
    await world.add()
    execution = await world.start()
    assert (execution.status, execution.output) == (ExecutionStatus.COMPLETED, {"x": 1})


async def test_a_start_waits_for_the_end(world: World) -> None:
    starting = asyncio.create_task(world.start(wait=timedelta(seconds=30)))
    await until(lambda: bool(world.engine.started))
    id = world.engine.started[0].id
    await world.repo.record_end(id, COMPLETED)
    await world.engine.end(id, COMPLETED)
    execution = await starting
    assert (execution.status, execution.output) == (ExecutionStatus.COMPLETED, {"x": 1})


async def test_a_wait_that_runs_out_shows_the_present_state(world: World) -> None:
    execution = await world.start(wait=timedelta(milliseconds=1))
    assert execution.status is ExecutionStatus.RUNNING


async def test_a_get_waits_for_the_end_and_no_longer(world: World) -> None:
    execution = await world.start()
    await world.engine.end(execution.id, TERMINATED)
    ended = await world.executions.get(execution.id, wait=timedelta(seconds=30))
    assert (ended.status, ended.error) == (ExecutionStatus.TERMINATED, TERMINATED.error)
    world.engine.available = False
    assert await world.executions.get(execution.id, wait=timedelta(seconds=30)) == ended


async def test_a_get_without_a_wait_asks_no_engine(world: World) -> None:
    execution = await world.start()
    world.engine.available = False
    assert await world.executions.get(execution.id) == execution
    assert await world.executions.get(execution.id, wait=timedelta(seconds=30)) == execution


async def test_what_a_get_refuses(world: World) -> None:
    with pytest.raises(ExecutionNotFound):
        await world.executions.get("nobody")
    with pytest.raises(InvalidArgument):
        await world.executions.get("nobody", wait=timedelta(seconds=61))


async def test_a_run_that_ended_from_outside_is_settled(world: World) -> None:
    execution = await world.start()
    await world.engine.end(execution.id, TERMINATED)
    settled = await world.runs.settle(execution.id)
    assert (settled.status, settled.error) == (ExecutionStatus.TERMINATED, TERMINATED.error)
    assert settled.ended_at == NOW


async def test_a_run_under_way_is_left_as_it_is(world: World) -> None:
    execution = await world.start()
    assert await world.runs.settle(execution.id) == execution


async def test_a_run_that_the_engine_doesnt_know_is_left_as_it_is(world: World) -> None:
    execution = await world.start()
    elsewhere = ExecutionRuns(repo=world.repo, engine=FakeEngine(), clock=lambda: NOW)
    assert await elsewhere.settle(execution.id) == execution


async def test_what_isnt_started_or_has_ended_asks_no_engine(world: World) -> None:
    ended = await world.start()
    await world.repo.record_end(ended.id, COMPLETED)
    world.engine.available = False
    pending = await world.start()
    for id, status in ((ended.id, ExecutionStatus.COMPLETED), (pending.id, pending.status)):
        assert (await world.runs.settle(id)).status is status


async def test_a_list_asks_for_what_matches(world: World) -> None:
    query = ExecutionQuery(
        namespace="shop",
        template_id=1,
        template_name="order",
        statuses=(ExecutionStatus.RUNNING, ExecutionStatus.PENDING),
        business_key="k",
        created_after=NOW,
        created_before=NOW + timedelta(days=1),
        full=True,
    )
    execution = await world.start()
    page = await world.executions.list(PageRequest(), query=query, labels=["a=b"])
    assert list(page.items) == [execution]
    assert world.repo.asked
    asked, slice = world.repo.asked
    assert asked == replace(query, labels={"a": "b"})
    assert slice.order == Order(field="created_at", descending=True)


async def test_a_list_with_a_bad_filter(world: World) -> None:
    with pytest.raises(InvalidArgument) as raised:
        await world.executions.list(PageRequest(), query=ExecutionQuery(), labels=["a"])
    assert [fault.code for fault in raised.value.violations] == ["bad-label-filter"]


@pytest.mark.parametrize("status", ExecutionStatus)
def test_where_nothing_can_follow(status: ExecutionStatus) -> None:
    ends = {"CANCELLED", "FAULTED", "COMPLETED", "TERMINATED"}
    assert status.is_end == (status.value in ends)


def test_a_run_under_way_has_no_end() -> None:
    assert RunState(end=None).end is None
