"""The kinds of resources of a process, and what providers are made with."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any, Protocol

from dependency_injector import providers


class Base(providers.Resource[Any]):
    """What others stand on: opened before them, closed after them."""


class Part(providers.Resource[Any]):
    """What takes work in: closed first."""


class Runner(Protocol):
    """What runs until it is cancelled."""

    async def run(self) -> None:
        """Runs."""


async def run(runner: Runner, *, name: str) -> AsyncIterator[asyncio.Task[None]]:
    """The task in which it runs."""
    task = asyncio.create_task(runner.run(), name=name)
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.wait([task])


def seconds(number: providers.Provider[float]) -> providers.Provider[timedelta]:
    """A time of so many seconds."""
    return providers.Callable(_seconds, number)


def hours(number: providers.Provider[int]) -> providers.Provider[timedelta]:
    """A time of so many hours."""
    return providers.Callable(_hours, number)


def _seconds(number: float) -> timedelta:
    return timedelta(seconds=number)


def _hours(number: int) -> timedelta:
    return timedelta(hours=number)
