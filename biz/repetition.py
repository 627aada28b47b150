"""Work in the background: the same step again and again, whatever fails."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import timedelta

import structlog

from biz.errors import Unavailable

_log = structlog.get_logger(__name__)


async def repeat(
    step: Callable[[], Awaitable[object]],
    *,
    what: str,
    pause: timedelta,
    pause_after_failure: timedelta | None = None,
    news: asyncio.Event | None = None,
) -> None:
    """Does the step after each pause, until it is cancelled; sooner where `news` is set meanwhile.

    `what` names the step in the log; `pause_after_failure` is as long as `pause` by default.
    """
    news = news or asyncio.Event()
    while True:
        news.clear()
        succeeded = await attempt(step, what=what)
        wait = pause if succeeded or pause_after_failure is None else pause_after_failure
        with suppress(TimeoutError):
            async with asyncio.timeout(wait.total_seconds()):
                await news.wait()


async def attempt(step: Callable[[], Awaitable[object]], *, what: str) -> bool:
    """Whether the step succeeded; the log has what it failed of.

    Whatever that was, what else there is to do is still done.
    """
    try:
        await step()
    except Unavailable as error:
        _log.warning(f"{what} is put off", reason=error.reason)
    except Exception:
        _log.exception(f"{what} failed")
    else:
        return True
    return False
