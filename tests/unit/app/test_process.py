import asyncio
import os
import signal

import pytest

from app.failure import Failure
from app.process import run_until_signal, until_one_ends


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_closes_what_was_opened_and_ends_well(number: signal.Signals) -> None:
    told = []

    async def main() -> None:
        try:
            os.kill(os.getpid(), number)
            await asyncio.sleep(30)
        finally:
            os.kill(os.getpid(), signal.SIGTERM)  # from a supervisor that tells all of a group
            await asyncio.sleep(0.05)
            told.append("closed")

    run_until_signal(main(), say=lambda: told.append("stopping"))
    assert told == ["stopping", "closed"]


def test_a_second_ctrl_c_cancels_the_closing() -> None:
    told = []

    async def main() -> None:
        try:
            os.kill(os.getpid(), signal.SIGINT)
            await asyncio.sleep(30)
        finally:
            os.kill(os.getpid(), signal.SIGINT)
            await asyncio.sleep(30)
            told.append("closed")

    run_until_signal(main(), say=lambda: told.append("stopping"))
    assert told == ["stopping"]


def test_what_fails_reaches_the_caller() -> None:
    async def main() -> None:
        raise Failure("no database")

    with pytest.raises(Failure, match="no database"):
        run_until_signal(main(), say=print)


def test_a_cancellation_from_within_is_no_signal() -> None:
    async def main() -> None:
        raise asyncio.CancelledError

    with pytest.raises(asyncio.CancelledError):
        run_until_signal(main(), say=print)


async def forever() -> None:
    await asyncio.Event().wait()


async def test_a_part_that_ends_by_itself_is_named() -> None:
    async def done() -> None:
        return

    running = asyncio.create_task(forever())
    with pytest.raises(Failure, match="the worker ended by itself"):
        await until_one_ends(running, asyncio.create_task(done(), name="the worker"))
    running.cancel()


async def test_a_part_that_fails_is_named_and_says_why() -> None:
    async def failing() -> None:
        raise RuntimeError("out of memory")

    running = asyncio.create_task(forever())
    with pytest.raises(Failure, match="the worker failed: out of memory"):
        await until_one_ends(running, asyncio.create_task(failing(), name="the worker"))
    running.cancel()


async def test_a_part_that_says_itself_what_is_wrong_is_taken_at_its_word() -> None:
    async def failing() -> None:
        raise Failure("Envoy ended by itself")

    with pytest.raises(Failure, match=r"^Envoy ended by itself$"):
        await until_one_ends(asyncio.create_task(failing()))
