import asyncio
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from biz.dsl.sizes import MAX_JSON_BYTES
from biz.errors import ExecutionEnded, ExecutionNotFound, InvalidArgument
from biz.events.event import EventUsecase
from biz.events.sweeper import EventSweeper
from biz.executions.execution import ExecutionEnd, ExecutionStatus, NewExecution
from tests.fakes.engine import FakeEngine
from tests.fakes.event_repo import FakeEventRepo
from tests.fakes.execution_repo import FakeExecutionRepo
from tests.fixtures.polling import until

NOW = datetime(2025, 1, 2, tzinfo=UTC)
COMPLETED = ExecutionEnd(status=ExecutionStatus.COMPLETED, output=None, error=None, ended_at=NOW)


def event(**attributes: Any) -> dict[str, Any]:
    return {"specversion": "1.0", "id": "1", "source": "/x", "type": "t", **attributes}


class World:
    """Events on fakes."""

    def __init__(self) -> None:
        self.repo = FakeEventRepo()
        self.executions = FakeExecutionRepo()
        self.engine = FakeEngine()
        self.now = NOW
        self.events = EventUsecase(
            repo=self.repo,
            executions=self.executions,
            engine=self.engine,
            clock=lambda: self.now,
        )

    def sweeper(self, *, interval: timedelta = timedelta(milliseconds=1)) -> EventSweeper:
        return EventSweeper(
            repo=self.repo,
            events=self.events,
            clock=lambda: self.now,
            interval=interval,
            retention=timedelta(days=7),
        )

    async def add(self, id: str, *, namespace: str = "shop") -> None:
        execution = NewExecution(
            id=id,
            namespace=namespace,
            template_id=1,
            template_name="order",
            template_version="1.0.0",
            definition="{}",
            definition_digest="",
            input={},
            labels={},
            business_key="",
            created_at=NOW,
        )
        await self.executions.create(execution, None)

    @property
    def delivered(self) -> list[bool]:
        return [stored.is_delivered for _, stored in self.repo.events]


@pytest.fixture
def world() -> World:
    return World()


class TestPublish:
    async def test_who_waits_is_woken_once(self, world: World) -> None:
        world.repo.sleep("a")
        world.repo.sleep("a")
        world.repo.sleep("b")
        world.repo.sleep("c", namespace="other")
        await world.events.publish(event())
        assert world.engine.woken == ["a", "b"]
        await world.events.publish(event(id="2"))
        assert world.engine.woken == ["a", "b"]
        assert world.delivered == [True, True]

    async def test_many_are_woken(self, world: World) -> None:
        for number in range(120):
            world.repo.sleep(f"run-{number}")
        await world.events.publish(event())
        assert len(world.engine.woken) == 120

    async def test_the_same_source_and_id_count_once(self, world: World) -> None:
        await world.events.publish(event(), namespace="shop")
        await world.events.publish(event(data=1), namespace="shop")
        await world.events.publish(event(), namespace="other")
        assert [new.namespace for new, _ in world.repo.events] == ["shop", "other"]

    async def test_attributes_that_are_null_arent_there(self, world: World) -> None:
        await world.events.publish(event(subject=None, data=None))
        [(new, _)] = world.repo.events
        assert (new.event, new.namespace) == (event(data=None), "default")

    async def test_without_the_engine_it_is_accepted_and_made_known_later(
        self, world: World
    ) -> None:
        world.repo.sleep("a")
        world.engine.available = False
        await world.events.publish(event())
        assert world.delivered == [False]
        world.engine.available = True
        await world.events.publish(event())
        assert (world.engine.woken, world.delivered) == (["a"], [True])

    async def test_a_run_that_isnt_there_is_forgotten(self, world: World) -> None:
        await world.engine.end("a", COMPLETED)
        world.repo.sleep("a")
        world.repo.sleep("b")
        await world.events.publish(event())
        assert [sleeper.execution_id for sleeper in world.repo.sleepers.values()] == ["b"]

    @pytest.mark.parametrize(
        ("found", "pointers"),
        [
            (None, [""]),
            ([], [""]),
            ({}, ["/id", "/source", "/type", "/specversion"]),
            (event(id=""), ["/id"]),
            (event(id=None), ["/id"]),
            (event(type="x" * 256), ["/type"]),
            (event(source=7), ["/source"]),
            (event(source="a b"), ["/source"]),
            (event(specversion="0.3"), ["/specversion"]),
            (event(time="yesterday"), ["/time"]),
            (event(time="2025-01-02T03:04:05"), ["/time"]),
            (event(subject=""), ["/subject"]),
            (event(datacontenttype=1), ["/datacontenttype"]),
            (event(dataschema="a b"), ["/dataschema"]),
            (event(orderId="7"), ["/orderId"]),
            (event(order={}), ["/order"]),
            (event(order=0.5), ["/order"]),
            (event(order=2**31), ["/order"]),
            (event(**{"a/b": 1}), ["/a~1b"]),
            (event(data_base64="?"), ["/data_base64"]),
            (event(data=1, data_base64="aGk="), ["/data_base64"]),
            (event(data="x" * MAX_JSON_BYTES), [""]),
        ],
    )
    async def test_what_is_no_event_is_refused(
        self, world: World, found: Any, pointers: list[str]
    ) -> None:
        with pytest.raises(InvalidArgument) as raised:
            await world.events.publish(found)
        assert {fault.field for fault in raised.value.violations} == {"event"}
        assert sorted(fault.pointer for fault in raised.value.violations) == sorted(pointers)
        assert world.repo.events == []


class TestSignal:
    async def test_only_the_execution_is_woken(self, world: World) -> None:
        await world.add("a")
        world.repo.sleep("a", namespace="shop")
        world.repo.sleep("b", namespace="shop")
        await world.events.signal("a", event())
        [(new, _)] = world.repo.events
        assert (new.namespace, new.target) == ("shop", "a")
        assert world.engine.woken == ["a"]

    async def test_an_execution_that_has_ended_is_refused(self, world: World) -> None:
        await world.add("a")
        await world.executions.record_end("a", COMPLETED)
        with pytest.raises(ExecutionEnded) as raised:
            await world.events.signal("a", event())
        assert raised.value.metadata == {"execution_id": "a", "status": "COMPLETED"}

    async def test_an_unknown_execution_is_refused(self, world: World) -> None:
        with pytest.raises(ExecutionNotFound):
            await world.events.signal("a", event())

    async def test_what_is_no_event_is_refused_first(self, world: World) -> None:
        with pytest.raises(InvalidArgument):
            await world.events.signal("a", {})


class TestSweeper:
    async def test_what_was_claimed_and_not_woken_is_woken(self, world: World) -> None:
        world.repo.sleep("a")
        world.engine.available = False
        await world.events.publish(event())
        assert not world.repo.sleepers[1].asleep
        world.engine.available = True
        await world.sweeper().deliver()
        assert world.engine.woken == []  # whoever stored it may be about to
        world.now += timedelta(seconds=6)
        await world.sweeper().deliver()
        assert (world.engine.woken, world.delivered) == (["a"], [True])

    async def test_what_is_old_is_removed_until_nothing_is_left(self, world: World) -> None:
        await world.sweeper().purge()
        assert {before for before, _ in world.repo.purged} == {NOW - timedelta(days=7)}
        assert len(world.repo.purged) == 5

    async def test_it_goes_on_whatever_fails(self, world: World) -> None:
        world.repo.sleep("a")
        world.engine.available = False
        await world.events.publish(event())
        world.now += timedelta(minutes=1)

        async def break_down(**asked: Any) -> int:
            raise RuntimeError("broken")

        world.repo.purge = break_down  # type: ignore[method-assign]
        sweeping = asyncio.create_task(world.sweeper().run())
        try:
            await until(lambda: world.repo.forgot_ended > 2)
            world.engine.available = True
            await until(lambda: world.delivered == [True])
        finally:
            sweeping.cancel()
            with suppress(asyncio.CancelledError):
                await sweeping
