"""Subscriptions that stay open between the activities which take messages from them.

A subscription lives in one worker, and what it holds is lost with it: messages that a broker
doesn't keep are received at most once.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from biz.dsl.errors import TaskFault
from biz.dsl.sizes import json_size

LARGEST_MESSAGE = 1_000_000
_LARGEST_BATCH = 500_000
_MOST_HELD = 1000
_IDLE_SECONDS = 600.0


@dataclass(frozen=True, slots=True)
class Message:
    """A message as a task sees it; `position` is where to go on after it, where a source knows."""

    value: dict[str, Any]
    position: str | None = None


@dataclass(slots=True)
class Batch:
    """Messages in the order of their coming; `ended` says that no more will come."""

    messages: list[dict[str, Any]] = field(default_factory=list)
    position: str | None = None
    ended: bool = False


Put = Callable[[Message], Awaitable[None]]
Pump = Callable[[Put], Awaitable[None]]
"""Passes on the messages of a source until it ends; raises TaskFault."""


class _End:
    """Stands behind the last message."""


class _Subscription:
    """A source at work, and what came from it."""

    def __init__(self, pump: Pump) -> None:
        self._held: asyncio.Queue[Message | TaskFault | _End] = asyncio.Queue(_MOST_HELD)
        self._pumping = asyncio.create_task(self._run(pump))

    async def _run(self, pump: Pump) -> None:
        try:
            await pump(self._held.put)
        except TaskFault as fault:
            await self._held.put(fault)
        else:
            await self._held.put(_End())

    async def receive(self, limit: int, seconds: float, position: str | None) -> Batch:
        batch = Batch(position=position)
        size = 0
        try:
            async with asyncio.timeout(seconds):
                item = await self._held.get()
        except TimeoutError:
            return batch
        while True:
            if isinstance(item, Message):
                batch.messages.append(item.value)
                batch.position = item.position or batch.position
                size += json_size(item.value)
            elif not batch.messages and isinstance(item, TaskFault):
                raise item
            else:
                self._put_back(item)
                batch.ended = isinstance(item, _End)
                return batch
            if len(batch.messages) >= limit or size >= _LARGEST_BATCH or self._held.empty():
                return batch
            item = self._held.get_nowait()

    def _put_back(self, item: TaskFault | _End) -> None:
        """What stands at the end is there for the next that asks, too."""
        self._held.put_nowait(item)

    async def close(self) -> None:
        self._pumping.cancel()
        with suppress(asyncio.CancelledError):
            await self._pumping


@dataclass(slots=True)
class _Open:
    subscription: _Subscription
    expiry: asyncio.TimerHandle | None = None


class Subscriptions:
    """The open ones of a worker, by key. One that nobody asks for a while is closed."""

    def __init__(self, *, idle_seconds: float = _IDLE_SECONDS) -> None:
        self._idle_seconds = idle_seconds
        self._open: dict[str, _Open] = {}
        self._closing: set[asyncio.Task[None]] = set()

    async def receive(
        self, key: str, pump: Pump, *, limit: int, seconds: float, position: str | None
    ) -> Batch:
        """The next messages, up to `limit`: those at hand, or else the first within a time.

        `pump` is the source where the subscription isn't open yet. One that fails, ends, or isn't
        waited for to the end is closed. Raises TaskFault.
        """
        if key not in self._open:
            self._open[key] = _Open(_Subscription(pump))
        open_ = self._open[key]
        if open_.expiry is not None:
            open_.expiry.cancel()
        try:
            batch = await open_.subscription.receive(limit, seconds, position)
        except BaseException:
            await self.end(key)
            raise
        if batch.ended:
            await self.end(key)
        else:
            loop = asyncio.get_running_loop()
            open_.expiry = loop.call_later(self._idle_seconds, self._expire, key)
        return batch

    async def end(self, key: str) -> None:
        """Closes a subscription, if it is open here."""
        open_ = self._open.pop(key, None)
        if open_ is None:
            return
        if open_.expiry is not None:
            open_.expiry.cancel()
        await open_.subscription.close()

    async def close(self) -> None:
        """Closes all."""
        for key in list(self._open):
            await self.end(key)
        await asyncio.gather(*self._closing)

    def _expire(self, key: str) -> None:
        closing = asyncio.create_task(self.end(key))
        self._closing.add(closing)
        closing.add_done_callback(self._closing.discard)
