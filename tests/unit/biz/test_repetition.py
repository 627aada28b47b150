import asyncio
from datetime import timedelta

import pytest
from structlog.testing import capture_logs

from biz.errors import DatabaseUnavailable
from biz.repetition import attempt, repeat

HOUR = timedelta(hours=1)
AT_ONCE = timedelta()


class Step:
    """Fails as it is told, one time after the other, then succeeds, and does no more."""

    def __init__(self, *failures: Exception) -> None:
        self._failures = list(failures)
        self.succeeded = asyncio.Event()

    async def __call__(self) -> None:
        if self._failures:
            raise self._failures.pop(0)
        self.succeeded.set()


async def succeeds(step: Step, **pauses: timedelta) -> None:
    """Fails where the repeated step doesn't succeed soon."""
    repeating = asyncio.create_task(repeat(step, what="work", **pauses))
    try:
        async with asyncio.timeout(10):
            await step.succeeded.wait()
    finally:
        repeating.cancel()
        with pytest.raises(asyncio.CancelledError):
            await repeating


async def test_a_step_is_repeated_whatever_it_fails_of() -> None:
    with capture_logs() as logs:
        await succeeds(Step(ValueError("odd"), DatabaseUnavailable("gone")), pause=AT_ONCE)
    assert [entry["event"] for entry in logs] == ["work failed", "work is put off"]
    assert logs[1]["reason"] == "DATABASE_UNAVAILABLE"


async def test_a_step_that_failed_may_have_a_pause_of_its_own() -> None:
    await succeeds(Step(ValueError("odd")), pause=HOUR, pause_after_failure=AT_ONCE)


async def test_news_end_a_pause() -> None:
    news, step = asyncio.Event(), Step()
    repeating = asyncio.create_task(repeat(step, what="work", pause=HOUR, news=news))
    async with asyncio.timeout(10):
        await step.succeeded.wait()
        step.succeeded.clear()
        await asyncio.sleep(0)
        news.set()
        await step.succeeded.wait()
    repeating.cancel()
    with pytest.raises(asyncio.CancelledError):
        await repeating


async def test_a_cancellation_is_no_failure() -> None:
    async def cancelled() -> None:
        raise asyncio.CancelledError

    with pytest.raises(asyncio.CancelledError):
        await attempt(cancelled, what="work")
