"""Live histories: what happens in an execution, told to whoever watches it as it is recorded.

All watchers of an execution share one reading of what is new. Each takes it at its own pace: one
that falls behind what is kept in memory reads from the database again, so a slow one holds up
nobody.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Protocol

from biz.dsl.lifecycle import LifecycleEvent
from biz.errors import (
    ExecutionNotFound,
    InvalidArgument,
    ServerStopping,
    TooManyWatchers,
    Violation,
)
from biz.history.live_topic import Topic
from biz.history.steps import Growth, HistoryEnd, Step, next_step
from biz.repetition import attempt

_READERS = 4
"""Histories that are read at once for watchers, out of the threads that the database has."""

_PAUSE_SECONDS = 1.0
"""Before something that failed is tried again."""


class LiveHistoryRepo(Protocol):
    """Where histories are read as they grow."""

    async def read_after(self, execution_id: str, sequence: int) -> Growth:
        """A page of what comes after `sequence`. Raises ExecutionNotFound."""
        ...

    async def grown(self, positions: Mapping[str, int]) -> Sequence[str]:
        """Which of these executions have events after the place given, have ended, or are gone."""
        ...


class HistoryChanges(Protocol):
    """What tells that histories have grown, in whatever process."""

    async def follow(self, tell: Callable[[str | None], None]) -> None:
        """Tells the id of each execution whose history has grown or that has ended, until it is
        cancelled; None where any may have, at the beginning among others.
        """
        ...


class LiveHistory:
    """How callers watch executions. It works only while somebody does."""

    def __init__(
        self,
        *,
        repo: LiveHistoryRepo,
        changes: HistoryChanges,
        clock: Callable[[], datetime],
        max_watchers: int,
        patience: timedelta = timedelta(seconds=10),
    ) -> None:
        """`patience` is how long the end of a history is waited for once its execution has ended:
        where the run was cut off from outside, it may never come.
        """
        self._repo = repo
        self._changes = changes
        self._clock = clock
        self._max_watchers = max_watchers
        self._patience = patience
        self._topics: dict[str, Topic] = {}
        self._watchers = 0
        self._working: asyncio.Task[None] | None = None
        self._to_read: asyncio.Queue[str] = asyncio.Queue()
        self._queued: set[str] = set()
        self._any_changed = asyncio.Event()
        self._closed = False

    @property
    def watchers(self) -> int:
        """How many there are."""
        return self._watchers

    @property
    def watched(self) -> int:
        """How many executions they watch."""
        return len(self._topics)

    async def watch(
        self, execution_id: str, *, after_sequence: int = 0
    ) -> AsyncGenerator[LifecycleEvent | HistoryEnd]:
        """The events after `after_sequence`, each once and in order, as they are recorded; at last
        the end.

        Raises InvalidArgument, ExecutionNotFound, TooManyWatchers, ServerStopping.
        """
        if after_sequence < 0:
            message = "must not be negative"
            raise InvalidArgument(
                [Violation(field="after_sequence", code="out-of-range", message=message)]
            )
        position = after_sequence
        with self._joined(execution_id) as topic:
            while True:
                if self._closed:
                    raise ServerStopping(after_sequence=position)
                changed = topic.changed
                step = topic.after(position)
                if step is None:
                    step = await self._catch_up(topic, position)
                for event in step.events:
                    yield event
                    position = event.sequence
                if step.end is not None:
                    yield step.end
                    return
                if not step.more:
                    await changed.wait()

    async def close(self) -> None:
        """Ends all watching, now and for ever: watchers are told to go on elsewhere."""
        self._closed = True
        for topic in self._topics.values():
            topic.wake()
        await self._stop_working()

    @contextmanager
    def _joined(self, execution_id: str) -> Iterator[Topic]:
        if self._watchers >= self._max_watchers:
            raise TooManyWatchers(self._max_watchers)
        topic = self._topics.setdefault(execution_id, Topic(execution_id))
        topic.watchers += 1
        self._watchers += 1
        try:
            yield topic
        finally:
            topic.watchers -= 1
            self._watchers -= 1
            if not topic.watchers:
                topic.stop_timer()
                del self._topics[execution_id]
            if not self._topics and self._working is not None:
                self._working.cancel()
                self._working = None

    async def _catch_up(self, topic: Topic, position: int) -> Step:
        """What the database has for a watcher; once that is all, the topic has what follows."""
        growth = await self._repo.read_after(topic.execution_id, position)
        step = self._step(growth, position)
        if not step.more and step.end is None:
            reached = step.events[-1].sequence if step.events else position
            if topic.begin(at=min(reached, growth.last_sequence)):
                # What was written since is unknown to anybody yet.
                self._read_soon(topic.execution_id)
                self._start_working()
        return step

    def _step(self, growth: Growth, position: int) -> Step:
        return next_step(growth, position, now=self._clock(), patience=self._patience)

    def _start_working(self) -> None:
        if self._working is None and not self._closed:
            self._working = asyncio.create_task(self._work(), name="the live histories")

    async def _stop_working(self) -> None:
        if self._working is not None:
            working, self._working = self._working, None
            working.cancel()
            await asyncio.wait([working])

    async def _work(self) -> None:
        """Reads what is new for all topics, until it is cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._repeat(self._follow))
            tasks.create_task(self._repeat(self._find_grown))
            for _ in range(_READERS):
                tasks.create_task(self._repeat(self._read_next))

    async def _repeat(self, step: Callable[[], Awaitable[None]]) -> None:
        """Does a step again and again, after a pause where it failed."""
        while True:
            if not await attempt(step, what="watching"):
                await asyncio.sleep(_PAUSE_SECONDS)

    async def _follow(self) -> None:
        await self._changes.follow(self._tell)

    def _tell(self, execution_id: str | None) -> None:
        if execution_id is None:
            self._any_changed.set()
        elif execution_id in self._topics:
            self._read_soon(execution_id)

    def _read_soon(self, execution_id: str) -> None:
        if execution_id not in self._queued:
            self._queued.add(execution_id)
            self._to_read.put_nowait(execution_id)

    async def _find_grown(self) -> None:
        await self._any_changed.wait()
        self._any_changed.clear()
        positions = {
            topic.execution_id: topic.last
            for topic in self._topics.values()
            if topic.last is not None and not topic.ended
        }
        try:
            grown = await self._repo.grown(positions)
        except BaseException:
            self._any_changed.set()
            raise
        for execution_id in grown:
            self._read_soon(execution_id)

    async def _read_next(self) -> None:
        execution_id = await self._to_read.get()
        self._queued.discard(execution_id)
        topic = self._topics.get(execution_id)
        if topic is None:
            return
        try:
            async with topic.reading:
                await self._read(topic)
        except ExecutionNotFound as error:
            topic.fail(error)
        except BaseException:
            self._read_soon(execution_id)
            raise

    async def _read(self, topic: Topic) -> None:
        """Gives a topic what is new, between its beginning and its end."""
        if (position := topic.last) is None or topic.ended:
            return
        growth = await self._repo.read_after(topic.execution_id, position)
        step = self._step(growth, position)
        topic.take(step)
        topic.stop_timer()
        if step.more:
            self._read_soon(topic.execution_id)
        elif step.again is not None:
            topic.timer = asyncio.get_running_loop().call_later(
                step.again, self._read_soon, topic.execution_id
            )
