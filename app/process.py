"""How a process of ours lives: until a signal, or until a part of it fails."""

import asyncio
import signal
from collections.abc import Callable, Coroutine
from typing import Any

import structlog

from app.failure import Failure

_log = structlog.get_logger(__name__)


def run_until_signal(main: Coroutine[Any, Any, None], *, say: Callable[[], None]) -> None:
    """Runs `main`, which SIGINT and SIGTERM cancel; it closes what it opened, then all is well.

    `say` is called at the first signal. A further SIGINT comes from an impatient user: it cancels
    what the closing waits for. A further SIGTERM changes nothing, since a supervisor may send one
    to the group and one to the process.
    """
    asyncio.run(_until_signal(main, say))


async def _until_signal(main: Coroutine[Any, Any, None], say: Callable[[], None]) -> None:
    loop = asyncio.get_running_loop()
    task = asyncio.create_task(main)
    signalled = False

    def stop(number: signal.Signals) -> None:
        nonlocal signalled
        if not signalled:
            signalled = True
            say()
            task.cancel()
        elif number is signal.SIGINT:
            task.cancel()

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop, number)
    try:
        await task
    except asyncio.CancelledError:
        if not signalled:
            raise


async def until_one_ends(*tasks: asyncio.Task[None]) -> None:
    """Waits as long as all of them run, then raises Failure with the name of one that ended."""
    done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task in done:
        error = task.exception()
        if isinstance(error, Failure):
            raise error
        if error is not None:
            _log.error("a part failed", part=task.get_name(), exc_info=error)
            raise Failure(f"{task.get_name()} failed: {error}") from error
        raise Failure(f"{task.get_name()} ended by itself")
