import asyncio
import time
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from biz.dsl.virtual_time import Stalled, VirtualLoop
from tests.patience import PATIENCE_SECONDS

YEAR = 365 * 24 * 3600


def run(work: Callable[[], Coroutine[Any, Any, Any]]) -> Any:
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(work())


def test_nobody_waits_for_time_to_pass() -> None:
    async def sleep() -> float:
        await asyncio.sleep(100 * YEAR)
        return asyncio.get_running_loop().time()

    began = time.monotonic()
    assert run(sleep) == pytest.approx(100 * YEAR)
    assert time.monotonic() - began < PATIENCE_SECONDS


def test_timers_fire_in_the_order_of_their_times() -> None:
    fired: list[float] = []

    async def sleep(seconds: float) -> None:
        await asyncio.sleep(seconds)
        fired.append(seconds)
        assert asyncio.get_running_loop().time() == pytest.approx(seconds)

    async def work() -> None:
        await asyncio.gather(*(sleep(seconds) for seconds in (3, 0.001, 86_401, 2)))

    run(work)
    assert fired == [0.001, 2, 3, 86_401]


def test_time_stands_still_while_something_is_done() -> None:
    async def work() -> float:
        for _ in range(1000):
            await asyncio.sleep(0)
        return asyncio.get_running_loop().time()

    assert run(work) == 0


def test_who_waits_for_nothing_that_comes_stalls() -> None:
    cleaned_up = []

    async def wait() -> None:
        try:
            await asyncio.get_running_loop().create_future()
        finally:
            cleaned_up.append(True)

    with pytest.raises(Stalled):
        run(wait)
    assert cleaned_up


def test_what_is_told_from_outside_of_the_loop_is_heard_where_it_goes_on() -> None:
    async def work() -> str:
        loop = asyncio.get_running_loop()
        told: asyncio.Future[str] = loop.create_future()
        loop.call_soon_threadsafe(told.set_result, "told")
        return await told

    assert run(work) == "told"


def test_a_short_time_passes_late_too() -> None:
    async def sleep() -> float:
        loop = asyncio.get_running_loop()
        await asyncio.sleep(1000 * YEAR)
        await asyncio.sleep(0.001)
        await asyncio.sleep(1e-9)
        return loop.time()

    assert run(sleep) == pytest.approx(1000 * YEAR)
