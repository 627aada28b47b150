import json
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

import pytest

from biz.engine import RunOrder, Verb
from biz.errors import ExecutionEnded, ExecutionNotFound, InvalidArgument
from biz.executions.control import ExecutionControl
from biz.executions.execution import (
    Execution,
    ExecutionEnd,
    ExecutionProgress,
    ExecutionStatus,
    NewExecution,
)
from biz.executions.runs import ExecutionRuns
from tests.fakes.engine import FakeEngine
from tests.fakes.execution_repo import FakeExecutionRepo
from tests.fakes.wish_repo import FakeWishRepo
from tests.fixtures.workflows import workflow

NOW = datetime(2025, 1, 2, tzinfo=UTC)


class World:
    """The use case on fakes, with one execution."""

    def __init__(self) -> None:
        self.now = NOW
        self.repo = FakeExecutionRepo()
        self.engine = FakeEngine()
        self.wishes = FakeWishRepo(self.repo)
        self.control = ExecutionControl(
            repo=self.wishes,
            runs=ExecutionRuns(repo=self.repo, engine=self.engine, clock=lambda: self.now),
            engine=self.engine,
            clock=lambda: self.now,
        )

    async def add(self, *, started: bool = True, parent_id: str = "") -> None:
        new = NewExecution(
            id="e",
            namespace="shop",
            template_id=1,
            template_name="order",
            template_version="1.0.0",
            definition=json.dumps(workflow()),
            definition_digest="",
            input={},
            labels={},
            business_key="",
            created_at=NOW,
            parent_id=parent_id,
        )
        stored = await self.repo.create(new, None)
        if started:
            await self.engine.start(stored)
            progress = ExecutionProgress(
                sequence=0, status=ExecutionStatus.RUNNING, current_tasks=(), at=NOW
            )
            await self.repo.record_progress("e", progress)

    @property
    def verbs(self) -> list[tuple[int, Verb]]:
        return [(order.sequence, order.verb) for _, order in self.engine.orders]

    async def unsent(self) -> int:
        return len(await self.wishes.list_unsent(after_id="", limit=10))


@pytest.fixture
async def world() -> World:
    world = World()
    await world.add()
    return world


async def test_a_run_is_told_in_the_order_in_which_it_was_asked(world: World) -> None:
    suspended = await world.control.suspend("e", reason="a look")
    resumed = await world.control.resume("e")
    await world.control.cancel("e", reason="enough")
    assert suspended.status is ExecutionStatus.SUSPENDED
    assert resumed.status is ExecutionStatus.RUNNING
    assert world.verbs == [(1, Verb.SUSPEND), (2, Verb.RESUME), (3, Verb.CANCEL)]
    assert world.engine.orders[2][1] == RunOrder(sequence=3, verb=Verb.CANCEL, reason="enough")
    assert world.engine.cancelled == ["e"]
    assert await world.unsent() == 0


async def test_a_termination_ends_at_once(world: World) -> None:
    ended = await world.control.terminate("e")
    assert ended.status is ExecutionStatus.TERMINATED
    assert world.engine.terminated == ["e"]


async def test_what_the_engine_didnt_hear_is_sent_again(world: World) -> None:
    world.engine.available = False
    suspended = await world.control.suspend("e")
    assert suspended.status is ExecutionStatus.SUSPENDED
    assert await world.unsent() == 1
    world.engine.available = True
    await world.control.send_unsent()
    await world.control.send_unsent()
    assert world.verbs == [(1, Verb.SUSPEND)]


@pytest.mark.parametrize("verb", Verb)
async def test_a_run_that_never_began_gets_its_order_with_the_start(verb: Verb) -> None:
    world = World()
    await world.add(started=False)
    await getattr(world.control, verb.value)("e")
    assert [execution.id for execution in world.engine.started] == ["e"]
    assert world.verbs[0] == (1, verb)
    assert await world.unsent() == 0
    assert world.engine.cancelled == (["e"] if verb is Verb.CANCEL else [])
    assert world.engine.terminated == (["e"] if verb is Verb.TERMINATE else [])


async def test_a_child_that_never_began_is_left_to_its_parent_for_a_while() -> None:
    world = World()
    await world.add(started=False, parent_id="p")
    await world.control.suspend("e")
    assert world.engine.started == []
    assert await world.unsent() == 1
    world.now += timedelta(minutes=11)
    await world.control.send_unsent()
    assert await world.unsent() == 0


async def test_a_run_that_has_ended_meanwhile_isnt_told_again(world: World) -> None:
    end = ExecutionEnd(status=ExecutionStatus.COMPLETED, output=None, error=None, ended_at=NOW)
    await world.engine.end("e", end)
    await world.control.suspend("e")
    assert await world.unsent() == 0


@pytest.mark.parametrize("status", [s for s in ExecutionStatus if s.is_end])
@pytest.mark.parametrize("verb", Verb)
async def test_of_what_has_ended_only_the_same_end_can_be_asked(
    world: World, status: ExecutionStatus, verb: Verb
) -> None:
    end = ExecutionEnd(status=status, output=None, error=None, ended_at=NOW)
    await world.repo.record_end("e", end)
    ask: Callable[[str], Awaitable[Execution]] = getattr(world.control, verb.value)
    done = (Verb.CANCEL, ExecutionStatus.CANCELLED), (Verb.TERMINATE, ExecutionStatus.TERMINATED)
    if (verb, status) in done:
        assert (await ask("e")).status is status
    else:
        with pytest.raises(ExecutionEnded) as refused:
            await ask("e")
        assert refused.value.metadata == {"execution_id": "e", "status": status}
    assert world.engine.orders == []


async def test_what_is_refused(world: World) -> None:
    with pytest.raises(ExecutionNotFound):
        await world.control.suspend("nobody")
    with pytest.raises(InvalidArgument):
        await world.control.suspend("e", reason="x" * 1001)
