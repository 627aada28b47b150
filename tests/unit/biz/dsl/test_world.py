import asyncio
from collections.abc import Callable, Coroutine
from datetime import timedelta
from typing import Any

import pytest

from biz.dsl.errors import TaskFault, WorkflowError
from biz.dsl.memory_runtime import MemoryRuntime
from biz.dsl.model import Document
from biz.dsl.run_control import RunControl
from biz.dsl.runtime import Progress
from biz.dsl.virtual_time import VirtualLoop
from biz.dsl.world import OutOfTime, World
from tests.fixtures.workflows import DOCUMENT, START, no_answer

SECOND = timedelta(seconds=1)
DOC = Document(**DOCUMENT)


class WatchedRuntime(MemoryRuntime):
    """Notes what it was told of the run's progress."""

    def __init__(self) -> None:
        super().__init__(answer=no_answer, start=START)
        self.progress: list[Progress] = []

    async def sleep(self, duration: timedelta, progress: Progress) -> None:
        self.progress.append(progress)
        await super().sleep(duration, progress)


def run(work: Callable[[World], Coroutine[Any, Any, Any]]) -> tuple[Any, WatchedRuntime]:
    runtime = WatchedRuntime()
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(work(World(runtime, DOC, control=RunControl()))), runtime


async def gives(value: str, world: World, seconds: int) -> str:
    await world.sleep(seconds * SECOND, f"/{value}")
    return value


def test_what_is_in_time_is_given() -> None:
    result, runtime = run(lambda world: world.limit(2 * SECOND, gives("a", world, 1)))
    assert result == "a"
    assert runtime.now() == START + SECOND


def test_what_takes_longer_is_cancelled_at_the_limit() -> None:
    async def work(world: World) -> None:
        with pytest.raises(OutOfTime):
            await world.limit(2 * SECOND, gives("a", world, 3))
        assert world.now() == START + 2 * SECOND
        await world.sleep(SECOND, "/b")

    _, runtime = run(work)
    assert [progress.current_tasks for progress in runtime.progress] == [("/a",), ("/b",)]


def test_a_fault_in_time_is_raised() -> None:
    async def fails() -> None:
        raise TaskFault(WorkflowError.standard("runtime", "why"))

    with pytest.raises(TaskFault, match="why"):
        run(lambda world: world.limit(SECOND, fails()))


def test_of_two_limits_the_one_that_is_over_first_counts() -> None:
    async def work(world: World) -> str:
        try:
            await world.limit(3 * SECOND, world.limit(SECOND, gives("a", world, 9)))
        except OutOfTime:
            return "inner" if world.now() == START + SECOND else "outer"
        return "none"

    assert run(work)[0] == "inner"


def test_a_limit_that_is_cancelled_cancels_what_it_limits() -> None:
    async def work(world: World) -> None:
        limited = asyncio.ensure_future(world.limit(9 * SECOND, gives("a", world, 5)))
        await asyncio.sleep(1)
        limited.cancel()
        with pytest.raises(asyncio.CancelledError):
            await limited
        assert asyncio.all_tasks() == {asyncio.current_task()}

    run(work)


def test_progress_names_all_that_is_being_done() -> None:
    async def work(world: World) -> None:
        await asyncio.gather(gives("a", world, 2), gives("b", world, 1))
        await gives("c", world, 1)

    _, runtime = run(work)
    assert [progress.current_tasks for progress in runtime.progress] == [
        ("/a",), ("/a", "/b"), ("/c",)
    ]  # fmt: skip
    assert all(progress.waiting for progress in runtime.progress)


def test_keys_of_calls_are_unique_and_tell_the_task() -> None:
    async def work(world: World) -> list[str]:
        return [world.next_call_key("/do/0/größe") for _ in range(2)]

    assert run(work)[0] == [f"memory:/do/0/gr%C3%B6%C3%9Fe:{n}" for n in (1, 2)]
