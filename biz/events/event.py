"""Events: kept first, then made known to the executions that listen.

An event that is stored reaches every execution of its namespace that was there before it, whatever
crashes: a wake-up carries nothing, so that one too many does no harm, and a run that is woken
fetches what it hasn't seen. Events that were stored, but perhaps not made known, are swept.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from biz.dsl.events.arrivals import EventPage, Listener
from biz.dsl.events.event import Event, event_faults, without_nulls
from biz.dsl.reading.pointers import child
from biz.engine import Engine
from biz.errors import EngineUnavailable, ExecutionEnded, InvalidArgument, Violation
from biz.executions.execution import ExecutionRepo
from biz.limits import check_size
from biz.templates.template import DEFAULT_NAMESPACE

_WOKEN_AT_ONCE = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class NewEvent:
    """An event before it is stored. `target` is the only execution that it is for, if any."""

    namespace: str
    target: str
    event: Event
    accepted_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredEvent:
    """What is known of an event beside its content; `is_new` where it was stored just now."""

    sequence: int
    namespace: str
    target: str
    type: str
    is_new: bool
    is_delivered: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownListener:
    """A listener of an execution; `id` is the repository's own."""

    id: int
    execution_id: str


class EventRepo(Protocol):
    """Where events are kept, and who listens for them. Every method is one unit of work, but fetch.

    Within a namespace events become visible in the order of their sequences.
    """

    async def add(self, event: NewEvent) -> StoredEvent:
        """Stores an event; one with the same source and id that reaches the same is answered."""
        ...

    async def list_undelivered(
        self, *, accepted_before: datetime, limit: int
    ) -> Sequence[StoredEvent]:
        """Events that may not have been made known, oldest first."""
        ...

    async def mark_delivered(self, sequence: int, at: datetime) -> None:
        """All that listen know of the event."""
        ...

    async def purge(self, *, accepted_before: datetime, limit: int) -> int:
        """Removes delivered events; answers how many they were."""
        ...

    async def list_listeners(
        self, event: StoredEvent, *, asleep: bool, after_id: int, limit: int
    ) -> Sequence[KnownListener]:
        """Listeners that may want the event, in the order of their ids.

        Those that are `asleep` have fetched since they were last claimed; otherwise it is all.
        """
        ...

    async def claim(self, listeners: Sequence[KnownListener]) -> Sequence[KnownListener]:
        """Those of them that are asleep still, to be woken by who has claimed them.

        One wake-up stands for all events until a listener fetches again.
        """
        ...

    async def fetch(self, execution_id: str, listener: Listener, after: int) -> EventPage:
        """A new round of a listener: events for its execution later than `after`.

        First it is known to listen, then it looks, so that it misses nothing. The events are those
        accepted since the execution was stored; a page is bounded in bytes.
        """
        ...

    async def stop_listening(self, execution_id: str, listener_id: int) -> None:
        """The listener isn't known any more."""
        ...

    async def forget(self, execution_id: str) -> None:
        """No listener of the execution is known any more."""
        ...

    async def forget_ended(self) -> None:
        """No listener of executions that have ended is known any more."""
        ...


class EventUsecase:
    """What callers, and runs, can do with events."""

    def __init__(
        self,
        *,
        repo: EventRepo,
        executions: ExecutionRepo,
        engine: Engine,
        clock: Callable[[], datetime],
        news: asyncio.Event | None = None,
    ) -> None:
        """`news` is set when an event for all was stored, for those in this process who look."""
        self._news = news
        self._repo = repo
        self._executions = executions
        self._engine = engine
        self._clock = clock

    async def publish(self, event: Any, *, namespace: str = "") -> None:
        """Gives an event to all executions of a namespace; the same source and id count once.

        Once it is stored it will reach them, even if the engine doesn't answer now.

        Raises InvalidArgument.
        """
        await self._accept(event, namespace=namespace or DEFAULT_NAMESPACE, target="")

    async def signal(self, execution_id: str, event: Any) -> None:
        """Gives an event to one execution.

        Raises InvalidArgument, ExecutionNotFound, ExecutionEnded.
        """
        _check(event)
        execution = await self._executions.get(execution_id)
        if execution.status.is_end:
            raise ExecutionEnded(execution_id, execution.status)
        await self._accept(event, namespace=execution.namespace, target=execution_id)

    async def deliver_again(self, event: StoredEvent) -> None:
        """Wakes all that may want a stored event: a wake-up that was claimed may be lost.

        Raises EngineUnavailable.
        """
        async for listeners in self._listeners(event, asleep=False):
            await self._wake(listeners)
        await self._repo.mark_delivered(event.sequence, self._clock())

    async def _accept(self, event: Any, *, namespace: str, target: str) -> None:
        _check(event)
        new = NewEvent(
            namespace=namespace,
            target=target,
            event=without_nulls(event),
            accepted_at=self._clock(),
        )
        stored = await self._repo.add(new)
        if self._news is not None and not target:
            self._news.set()
        with suppress(EngineUnavailable):  # the sweeper makes it known then
            if stored.is_new:
                await self._deliver(stored)
            elif not stored.is_delivered:
                await self.deliver_again(stored)

    async def _deliver(self, event: StoredEvent) -> None:
        async for listeners in self._listeners(event, asleep=True):
            await self._wake(await self._repo.claim(listeners))
        await self._repo.mark_delivered(event.sequence, self._clock())

    async def _listeners(
        self, event: StoredEvent, *, asleep: bool
    ) -> AsyncIterator[Sequence[KnownListener]]:
        after = 0
        while found := await self._repo.list_listeners(
            event, asleep=asleep, after_id=after, limit=_WOKEN_AT_ONCE
        ):
            yield found
            after = found[-1].id

    async def _wake(self, listeners: Sequence[KnownListener]) -> None:
        ids = sorted({listener.execution_id for listener in listeners})
        answers = await asyncio.gather(*map(self._engine.wake, ids), return_exceptions=True)
        for id, answer in zip(ids, answers, strict=True):
            if isinstance(answer, BaseException):
                raise answer
            if not answer:
                await self._repo.forget(id)


def _check(event: Any) -> None:
    if faults := list(_faults(event)):
        raise InvalidArgument(faults)


def _faults(event: Any) -> Iterator[Violation]:
    known = without_nulls(event) if isinstance(event, dict) else event
    for fault in event_faults(known):
        yield Violation(
            field="event",
            code="invalid-event",
            message=fault.message,
            pointer=child("", fault.attribute) if fault.attribute else "",
        )
    yield from check_size("event", event)
