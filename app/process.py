"""How a process of ours lives: until a signal, or until a part of it fails."""

import asyncio
import signal
from collections.abc import Coroutine
from typing import Any

from app.failure import Failure


def run_until_signal(main: Coroutine[Any, Any, None]) -> None:
    """Runs `main`, which SIGINT and SIGTERM cancel; it closes what it opened, then all is well.

    Further signals change nothing: closing has its own limits of time.
    """
    asyncio.run(_until_signal(main))


async def _until_signal(main: Coroutine[Any, Any, None]) -> None:
    loop = asyncio.get_running_loop()
    task = asyncio.create_task(main)
    signalled = False

    def stop() -> None:
        nonlocal signalled
        if not signalled:
            signalled = True
            task.cancel()

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop)
    try:
        await task
    except asyncio.CancelledError:
        if not signalled:
            raise


async def until_one_ends(*tasks: asyncio.Task[None]) -> None:
    """Waits as long as all of them run. Raises what ended one, or Failure."""
    done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task in done:
        task.result()
        raise Failure(f"{task.get_name()} ended by itself")
