import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from typing import Any

import pytest

from biz.dsl.concurrency import first, gather, race
from biz.dsl.virtual_time import VirtualLoop

Together = Callable[[Sequence[Coroutine[Any, Any, Any]]], Awaitable[Any]]


class Failed(Exception):
    """What a work raises."""


class Log:
    """Works that say what becomes of them."""

    def __init__(self) -> None:
        self.said: list[str] = []

    async def gives(self, name: str, seconds: float) -> str:
        await self._wait(name, seconds)
        return name

    async def fails(self, name: str, seconds: float) -> str:
        await self._wait(name, seconds)
        raise Failed(name)

    async def clings(self, name: str, seconds: float) -> str:
        """Has to clean up for so long before it lets itself be cancelled."""
        try:
            await asyncio.sleep(1000)
        finally:
            await asyncio.sleep(seconds)
            self.said.append(f"{name} cleaned up")
        return name

    async def _wait(self, name: str, seconds: float) -> None:
        try:
            await asyncio.sleep(seconds)
        except asyncio.CancelledError:
            self.said.append(f"{name} cancelled")
            raise
        self.said.append(name)


def run(work: Callable[[], Coroutine[Any, Any, Any]]) -> Any:
    """What the work gives; nothing that it began may be left."""

    async def alone() -> Any:
        try:
            return await work()
        finally:
            assert asyncio.all_tasks() == {asyncio.current_task()}

    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(alone())


def test_results_come_in_the_order_of_the_works() -> None:
    log = Log()
    assert run(
        lambda: gather([log.gives("a", 3), log.gives("b", 1), log.gives("c", 2)])
    ) == ["a", "b", "c"]  # fmt: skip
    assert log.said == ["b", "c", "a"]


def test_no_works_give_nothing() -> None:
    assert run(lambda: gather([])) == []


def test_the_first_failure_in_time_cancels_the_others() -> None:
    log = Log()
    with pytest.raises(Failed, match="b"):
        run(lambda: gather([log.fails("a", 3), log.fails("b", 1), log.gives("c", 2)]))
    assert log.said == ["b", "a cancelled", "c cancelled"]


def test_of_failures_at_one_time_the_first_declared_counts() -> None:
    log = Log()
    with pytest.raises(Failed, match="a"):
        run(lambda: gather([log.fails("a", 1), log.fails("b", 1)]))


def test_a_failure_waits_until_the_others_have_cleaned_up() -> None:
    log = Log()
    with pytest.raises(Failed):
        run(lambda: gather([log.fails("a", 1), log.clings("b", 5)]))
    assert log.said == ["a", "b cleaned up"]


def test_the_winner_of_a_race_cancels_the_others() -> None:
    log = Log()
    assert run(lambda: race([log.gives("a", 3), log.gives("b", 1), log.fails("c", 2)])) == "b"
    assert log.said == ["b", "a cancelled", "c cancelled"]


def test_who_fails_doesnt_win() -> None:
    log = Log()
    assert run(lambda: race([log.fails("a", 1), log.gives("b", 2)])) == "b"


def test_a_race_that_all_lose_fails_with_the_first_failure_in_time() -> None:
    log = Log()
    with pytest.raises(Failed, match="b"):
        run(lambda: race([log.fails("a", 2), log.fails("b", 1)]))


def test_who_has_no_result_that_wins_doesnt_win() -> None:
    log = Log()
    assert run(lambda: race([log.gives("a", 1), log.gives("b", 2)], lambda r: r == "b")) == "b"


def test_where_nobody_wins_a_failure_counts_before_a_result() -> None:
    log = Log()
    with pytest.raises(Failed, match="b"):
        run(lambda: race([log.gives("a", 1), log.fails("b", 2)], lambda result: False))
    assert run(lambda: race([log.gives("a", 2), log.gives("b", 1)], lambda r: False)) == "b"


def test_the_first_end_counts_whatever_it_is() -> None:
    log = Log()
    assert run(lambda: first([log.fails("a", 2), log.gives("b", 1)])) == "b"
    with pytest.raises(Failed, match="a"):
        run(lambda: first([log.fails("a", 1), log.gives("b", 2)]))
    assert log.said == ["b", "a cancelled", "a", "b cancelled"]


@pytest.mark.parametrize("together", [gather, race, first])
def test_cancelled_from_outside_it_cancels_all_and_stays_cancelled(together: Together) -> None:
    log = Log()

    async def cancel() -> None:
        work = asyncio.ensure_future(together([log.gives("a", 5), log.clings("b", 5)]))
        await asyncio.sleep(1)
        work.cancel()
        with pytest.raises(asyncio.CancelledError):
            await work

    run(cancel)
    assert log.said == ["a cancelled", "b cleaned up"]


@pytest.mark.parametrize("together", [gather, race, first])
def test_cancelled_twice_it_still_waits_for_all(together: Together) -> None:
    log = Log()

    async def cancel() -> None:
        work = asyncio.ensure_future(together([log.clings("a", 2), log.clings("b", 5)]))
        for _ in range(2):
            await asyncio.sleep(1)
            work.cancel()
        with pytest.raises(asyncio.CancelledError):
            await work

    run(cancel)


@pytest.mark.parametrize("together", [gather, race, first])
def test_cancelled_before_it_began_it_begins_nothing(together: Together) -> None:
    log = Log()

    async def cancel() -> None:
        work = asyncio.ensure_future(together([log.gives("a", 1)]))
        await asyncio.sleep(0)
        work.cancel()
        with pytest.raises(asyncio.CancelledError):
            await work

    run(cancel)
    assert "a" not in log.said


@pytest.mark.parametrize("together", [gather, race, first])
def test_a_work_that_is_cancelled_by_itself_cancels_the_whole(together: Together) -> None:
    async def gives_up() -> None:
        raise asyncio.CancelledError

    with pytest.raises(asyncio.CancelledError):
        run(lambda: together([asyncio.sleep(1), gives_up()]))
