import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import pytest

from biz.dsl.errors import WorkflowError
from biz.engine import RunOrder, RunRefused
from biz.errors import DatabaseUnavailable
from biz.executions.control import ExecutionControl
from biz.executions.execution import (
    Execution,
    ExecutionEnd,
    ExecutionProgress,
    ExecutionStatus,
    NewExecution,
)
from biz.executions.history_end import HistoryEnds
from biz.executions.reconciler import Reconciler
from biz.executions.runs import ExecutionRuns
from tests.fakes.engine import FakeEngine
from tests.fakes.execution_repo import FakeExecutionRepo
from tests.fakes.history_end_repo import FakeHistoryEndRepo
from tests.fakes.wish_repo import FakeWishRepo
from tests.fixtures.polling import until
from tests.fixtures.workflows import workflow

NOW = datetime(2025, 1, 2, tzinfo=UTC)
GRACE = timedelta(seconds=10)
QUICK = timedelta(milliseconds=1)
HOUR = timedelta(hours=1)
TERMINATED = ExecutionEnd(
    status=ExecutionStatus.TERMINATED,
    output=None,
    error=WorkflowError.standard("runtime", "terminated by hand"),
    ended_at=NOW,
)


class World:
    """A reconciler on fakes."""

    def __init__(self, engine: FakeEngine | None = None) -> None:
        self.repo = FakeExecutionRepo()
        self.engine = engine or FakeEngine()
        self.wishes = FakeWishRepo(self.repo)
        self.history = FakeHistoryEndRepo()

    def reconciler(self, *, sweep_interval: timedelta = HOUR) -> Reconciler:
        runs = ExecutionRuns(repo=self.repo, engine=self.engine, clock=lambda: NOW)
        return Reconciler(
            repo=self.repo,
            engine=self.engine,
            runs=runs,
            control=ExecutionControl(
                repo=self.wishes, runs=runs, engine=self.engine, clock=lambda: NOW
            ),
            history_ends=HistoryEnds(repo=self.history, engine=self.engine, clock=lambda: NOW),
            clock=lambda: NOW,
            interval=QUICK,
            sweep_interval=sweep_interval,
            pending_grace=GRACE,
        )

    async def add(
        self, id: str, *, age: timedelta = HOUR, started: bool = False, parent_id: str = ""
    ) -> None:
        execution = NewExecution(
            id=id,
            namespace="shop",
            template_id=1,
            template_name="order",
            template_version="1.0.0",
            definition=json.dumps(workflow()),
            definition_digest="",
            input={},
            labels={},
            business_key="",
            created_at=NOW - age,
            parent_id=parent_id,
        )
        stored = await self.repo.create(execution, None)
        if started:
            await self.engine.start(stored)
            progress = ExecutionProgress(
                sequence=0, status=ExecutionStatus.RUNNING, current_tasks=(), at=NOW
            )
            await self.repo.record_progress(id, progress)

    def status(self, id: str) -> ExecutionStatus:
        return self.repo.executions[id].status


@pytest.fixture
def world() -> World:
    return World()


@asynccontextmanager
async def running(reconciler: Reconciler) -> AsyncIterator[None]:
    task = asyncio.create_task(reconciler.run())
    yield
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_what_was_stored_and_never_asked_for_is_started(world: World) -> None:
    await world.add("old")
    await world.reconciler().start_pending()
    assert world.status("old") is ExecutionStatus.RUNNING
    assert [execution.id for execution in world.engine.started] == ["old"]


async def test_what_was_asked_for_and_not_noted_is_started_once(world: World) -> None:
    await world.add("old")
    await world.engine.start(world.repo.executions["old"])
    await world.reconciler().start_pending()
    assert world.status("old") is ExecutionStatus.RUNNING
    assert len(world.engine.started) == 1


async def test_what_is_being_started_is_left_to_its_starter(world: World) -> None:
    await world.add("new", age=GRACE / 2)
    await world.reconciler().start_pending()
    assert world.status("new") is ExecutionStatus.PENDING
    assert not world.engine.started


async def test_a_child_is_left_to_its_parent(world: World) -> None:
    await world.add("parent", started=True)
    await world.add("child", parent_id="parent")
    await world.reconciler().start_pending()
    await world.reconciler().sweep()
    assert world.status("child") is ExecutionStatus.PENDING
    assert [execution.id for execution in world.engine.started] == ["parent"]


async def test_a_child_that_was_never_started_ends_with_its_parent(world: World) -> None:
    await world.add("parent", started=True)
    await world.add("child", parent_id="parent")
    await world.add("orphan", parent_id="nobody")
    await world.engine.end("parent", TERMINATED)
    await world.reconciler().sweep()
    await world.reconciler().sweep()
    assert world.status("child") is ExecutionStatus.CANCELLED
    assert world.status("orphan") is ExecutionStatus.CANCELLED


async def test_a_child_that_was_started_ends_by_itself(world: World) -> None:
    await world.add("child", parent_id="nobody")
    await world.engine.start(world.repo.executions["child"])
    await world.reconciler().sweep()
    assert world.status("child") is ExecutionStatus.PENDING


async def test_with_the_engine_down_it_stays_pending(world: World) -> None:
    await world.add("old")
    world.engine.available = False
    await world.reconciler().start_pending()
    assert world.status("old") is ExecutionStatus.PENDING


async def test_one_that_the_engine_wont_ever_take_holds_up_no_other() -> None:
    class ChoosyEngine(FakeEngine):
        async def start(self, execution: Execution, order: RunOrder | None = None) -> None:
            if execution.id == "bad":
                raise RunRefused("too large")
            await super().start(execution, order)

    world = World(ChoosyEngine())
    for id in ("bad", "good"):
        await world.add(id)
    await world.reconciler().start_pending()
    assert world.status("bad") is ExecutionStatus.FAULTED
    assert world.status("good") is ExecutionStatus.RUNNING


async def test_what_ended_from_outside_is_ended(world: World) -> None:
    for id in ("ended", "going"):
        await world.add(id, started=True)
    await world.engine.end("ended", TERMINATED)
    await world.reconciler().end_ended(since=NOW - HOUR)
    assert world.status("ended") is ExecutionStatus.TERMINATED
    assert world.repo.executions["ended"].error == TERMINATED.error
    assert world.status("going") is ExecutionStatus.RUNNING


async def test_what_ended_long_ago_is_found_by_a_sweep(world: World) -> None:
    await world.add("ended", started=True)
    await world.engine.end("ended", TERMINATED)
    await world.reconciler().end_ended(since=NOW + HOUR)
    assert world.status("ended") is ExecutionStatus.RUNNING
    await world.reconciler().sweep()
    assert world.status("ended") is ExecutionStatus.TERMINATED


async def test_a_run_of_another_service_is_left_alone(world: World) -> None:
    await world.add("ours", started=True)
    for id in ("theirs", "ours"):
        await world.engine.end(id, TERMINATED)
    await world.reconciler().end_ended(since=NOW - HOUR)
    assert world.status("ours") is ExecutionStatus.TERMINATED
    assert set(world.repo.executions) == {"ours"}


async def test_a_sweep_looks_at_all_that_live(world: World) -> None:
    ids = [f"e{i:03}" for i in range(250)]
    for id in ids:
        await world.add(id, started=True)
        await world.engine.end(id, TERMINATED)
    await world.reconciler().sweep()
    assert {world.status(id) for id in ids} == {ExecutionStatus.TERMINATED}


async def test_it_runs_until_it_is_cancelled(world: World) -> None:
    await world.add("old")
    await world.add("ended", started=True)
    async with running(world.reconciler()):
        await until(lambda: world.status("old") is ExecutionStatus.RUNNING)
        await world.engine.end("ended", TERMINATED)
        await until(lambda: world.status("ended").is_end)


async def test_it_goes_on_when_the_engine_comes_back(world: World) -> None:
    await world.add("ended", started=True)
    await world.engine.end("ended", TERMINATED)
    world.engine.available = False
    async with running(world.reconciler()):
        await asyncio.sleep(0.02)
        assert not world.status("ended").is_end
        world.engine.available = True
        await until(lambda: world.status("ended").is_end)


async def test_it_goes_on_after_what_nobody_foresaw(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    await world.add("old")
    look: Callable[..., Awaitable[object]] = world.repo.list_pending
    faults = [RuntimeError("a bug"), DatabaseUnavailable("the database doesn't answer")]

    async def list_pending(**properties: object) -> object:
        if faults:
            raise faults.pop()
        return await look(**properties)

    monkeypatch.setattr(world.repo, "list_pending", list_pending)
    async with running(world.reconciler()):
        await until(lambda: world.status("old") is ExecutionStatus.RUNNING)


async def test_a_long_sweep_holds_up_nothing_else() -> None:
    class SlowEngine(FakeEngine):
        async def state(self, id: str) -> None:
            await asyncio.Event().wait()

    world = World(SlowEngine())
    await world.add("swept", started=True)
    async with running(world.reconciler()):
        await asyncio.sleep(0.01)
        await world.add("old")
        await until(lambda: world.status("old") is ExecutionStatus.RUNNING)


async def test_a_sweep_comes_again_and_again(world: World) -> None:
    async with running(world.reconciler(sweep_interval=QUICK)):
        for i in range(3):
            await world.add(f"e{i}", started=True)
            await world.engine.end(
                f"e{i}",
                ExecutionEnd(
                    status=ExecutionStatus.COMPLETED,
                    output=i,
                    error=None,
                    ended_at=NOW - 9 * HOUR,
                ),
            )
            await until(lambda: all(e.status.is_end for e in world.repo.executions.values()))
