"""What tasks ask of the world, and the account of it: where the run stands, when it gives way."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Coroutine, Iterator, Sequence
from contextlib import AbstractContextManager, asynccontextmanager, contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import islice
from typing import TYPE_CHECKING, Any, TypeVar

from biz.dsl.branches import Branch
from biz.dsl.calls.call import Call
from biz.dsl.calls.call_keys import call_key
from biz.dsl.calls.child_call import ChildCall
from biz.dsl.calls.fetch_call import FetchCall, Purpose
from biz.dsl.calls.resource import Resource
from biz.dsl.checkpoint import CHILD, Checkpoint, Notes
from biz.dsl.chronicle import Chronicle
from biz.dsl.concurrency import first
from biz.dsl.deferral import defer
from biz.dsl.errors import TaskFault
from biz.dsl.events.arrivals import Arrival, Listener
from biz.dsl.events.event import Event
from biz.dsl.events.inbox import Inbox
from biz.dsl.events.interests import Interest
from biz.dsl.run_control import RunControl
from biz.dsl.runtime import Progress, RunDescriptor, Runtime

if TYPE_CHECKING:
    from biz.dsl.model import Document

_TASKS_IN_A_BREATH = 200
_SHOWN_TASKS = 20
_CHARACTERS_IN_A_BREATH = 4_000_000

_DOCUMENTS = 32
"""So many a run keeps; older ones are fetched again."""

_T = TypeVar("_T")


class OutOfTime(Exception):
    """What was limited took longer."""


class World:
    """Stands between a run's tasks and its runtime. A `path` is that of the task that asks."""

    def __init__(
        self,
        runtime: Runtime,
        document: Document,
        *,
        control: RunControl,
        secrets: Sequence[str] = (),
        checkpoint: Checkpoint | None = None,
    ) -> None:
        """`document` is that of the workflow; `secrets` are the names of those that it lists.

        `checkpoint` is where the run takes up.
        """
        self._runtime = runtime
        self._control = control
        self._secrets = secrets
        self.document = document
        self._doing: dict[str, bool] = {}
        self._suspended: Sequence[str] = ()
        self._awake = asyncio.Event()
        self._awake.set()
        self._tasks = 0
        self._characters = 0
        self._calls = 0
        self._events = 0
        self._listeners = 0
        self._inbox = Inbox(checkpoint.consumed if checkpoint else ())
        self.notes = Notes(checkpoint.notes if checkpoint else {})
        self._documents: deque[tuple[tuple[Resource, Purpose], Any]] = deque(maxlen=_DOCUMENTS)
        self.run: RunDescriptor = runtime.describe()
        self.chronicle = Chronicle(runtime, control)

    def checkpoint(self, context: Any, faulted: str) -> Checkpoint:
        """Where the run stands."""
        return Checkpoint(
            context=context,
            consumed=self.consumed,
            faulted=faulted,
            notes=self.notes.all(),
        )

    @property
    def consumed(self) -> Sequence[int]:
        """The sequences of the events that the run has consumed, in order."""
        return self._inbox.consumed

    def now(self) -> datetime:
        """The run's own clock, UTC."""
        return self._runtime.now()

    def active_now(self) -> datetime:
        """A clock that stands still while the run is suspended."""
        return self._runtime.now() - self._control.lost(self._runtime.now())

    def random(self) -> float:
        """A number from 0 up to 1."""
        return self._runtime.random()

    def controlled(self) -> AbstractContextManager[None]:
        """In the block it is told when the run is suspended and resumed."""
        return self._control.watched(self._tell)

    async def passed(self) -> None:
        """Returns when the run isn't held: nothing new starts before."""
        if self._control.is_suspended:
            self._runtime.show(self._progress)
        await self._control.passed()

    async def sleep(self, duration: timedelta, path: str) -> None:
        """Returns after `duration`, and not while the run is held."""
        await self.passed()
        self._rest()
        with self._at(path, waiting=True):
            await self._runtime.sleep(duration, self._progress())
            await self.passed()

    async def limit(self, duration: timedelta, work: Coroutine[Any, Any, _T]) -> _T:
        """What the work gives; cancels it after `duration`, and raises OutOfTime.

        The time in which the run is suspended doesn't count.
        """
        return await first([work, self._run_out(duration)])

    async def call(self, call: Call, path: str) -> Any:
        """What the call gives; raises TaskFault.

        What of the call reads secrets is left to the activity which makes it.
        """
        await self.passed()
        call, deferral = defer(call, self._secrets)
        call = replace(call, deferral=deferral)
        self._rest()
        with self._at(path, waiting=False):
            return await self._runtime.call(call, self._progress())

    async def fetch(self, call: FetchCall, path: str) -> Any:
        """The document that the call fetches, which a run keeps; raises TaskFault."""
        wanted = call.resource, call.purpose
        for known, document in self._documents:
            if known == wanted:
                return document
        document = await self.call(call, path)
        self._documents.append((wanted, document))
        return document

    async def run_workflow(self, call: ChildCall, path: str) -> Any:
        """What the workflow gives; raises TaskFault, also for the fault that it ended with.

        Where the run before had it run, it takes up from there.
        """

        def note(id: str, is_renewed: bool = False) -> None:
            self.notes.put(path, CHILD, [id, is_renewed])

        if before := self.notes.take(path, CHILD):
            note(*before)
            retry_of, is_renewed = before
            call = replace(call, retry_of=retry_of, is_renewed=is_renewed)
        await self.passed()
        self._rest()
        with self._at(path, waiting=False):
            try:
                output = await self._runtime.run_workflow(call, self._progress(), note)
            except TaskFault as fault:
                # The place of a fault in the other workflow says nothing in this one.
                raise TaskFault(replace(fault.error, instance="")) from None
        self.notes.drop(path, CHILD)
        return output

    def reach(self, branch: Branch) -> None:
        """Tells that the run takes one of several ways."""
        self._runtime.reach(branch)

    def next_call_key(self, path: str) -> str:
        """An idempotency key for one call of a task."""
        self._calls += 1
        return call_key(self.run.id, path, self._calls)

    def next_event_id(self, path: str) -> str:
        """An id for one event that a task emits."""
        self._events += 1
        return call_key(self.run.id, path, self._events)

    async def emit(self, event: Event, path: str) -> None:
        """Gives an event to all that listen; raises TaskFault."""
        await self.passed()
        self._rest()
        with self._at(path, waiting=False):
            await self._runtime.emit(event, self._progress())

    @asynccontextmanager
    async def listen(self, interests: Sequence[Interest], path: str) -> AsyncIterator[Subscription]:
        """The events that satisfy one of the interests, while the block is done."""
        self._listeners += 1
        listener = Listener(id=self._listeners, interests=interests)
        is_put_away = False
        try:
            yield Subscription(self, self._inbox, listener, path)
        except GeneratorExit:  # the run leaves the memory of its worker, and goes on from another
            is_put_away = True
            raise
        finally:
            if not is_put_away:
                await self._runtime.stop_listening(listener)

    async def fetch_events(self, listener: Listener, path: str) -> None:
        """Adds to the inbox what has come for a listener, or waits until something may have."""
        await self.passed()
        stream = self._inbox.stream(listener.interests)
        self._rest()
        with self._at(path, waiting=True):
            page = await self._runtime.fetch_events(listener, stream.cursor, self._progress())
            self._inbox.add(stream, page)
            if not page.arrivals and not page.has_more:
                await self._runtime.wait_for_events(listener)
            await self.passed()

    async def charge(self, size: int) -> None:
        """Told how many characters an expression or a schema reads; gives way after many."""
        await self._awake.wait()
        self._characters += size
        if self._characters >= _CHARACTERS_IN_A_BREATH:
            await self._give_way()

    async def evaluate(self, program: str, data: str) -> Any:
        """Has the runtime evaluate, which gives way too."""
        self._rest()
        return await self._runtime.evaluate(program, data)

    async def breathe(self) -> None:
        """Gives way after a fixed number of tasks, never by a clock: a replay does the same."""
        while not self._awake.is_set():
            await self._awake.wait()
        self._tasks += 1
        if self._tasks >= _TASKS_IN_A_BREATH:
            await self._give_way()

    async def _give_way(self) -> None:
        """All branches wait for one that gives way: each would go on in its place otherwise."""
        self._rest()
        self._awake.clear()
        try:
            await self._runtime.breathe()
        finally:
            self._awake.set()

    def _rest(self) -> None:
        self._tasks = self._characters = 0

    async def _run_out(self, duration: timedelta) -> Any:
        lost = self._control.lost(self.now())
        await self._runtime.timer(duration)
        while missed := self._control.lost(self.now()) - lost:
            await self.passed()
            lost = self._control.lost(self.now())
            await self._runtime.timer(missed)
        await self.passed()
        raise OutOfTime

    def _tell(self) -> None:
        if self._control.is_suspended:
            self._suspended = [path for path, waits in self._doing.items() if waits]
            self.chronicle.suspended(self._suspended)
        else:
            self.chronicle.resumed([path for path in self._suspended if path in self._doing])
            self._suspended = ()
        self._runtime.show(self._progress)

    @contextmanager
    def _at(self, path: str, *, waiting: bool) -> Iterator[None]:
        self._doing[path] = waiting
        try:
            yield
        finally:
            del self._doing[path]

    def _progress(self) -> Progress:
        newest = tuple(islice(reversed(self._doing), _SHOWN_TASKS))
        return Progress(
            current_tasks=newest[::-1],
            waiting=all(self._doing.values()),
            suspended=self._control.is_suspended,
        )


class Subscription:
    """The events that one task sees, each once, in the order in which they were accepted."""

    def __init__(self, world: World, inbox: Inbox, listener: Listener, path: str) -> None:
        self._world = world
        self._inbox = inbox
        self._listener = listener
        self._path = path
        self._seen = 0

    async def next(self) -> Arrival:
        """Waits for the next event that no task of the run has consumed."""
        await self._world.breathe()
        await self._world.passed()
        stream = self._inbox.stream(self._listener.interests)
        while (arrival := stream.after(self._seen)) is None:
            await self._world.fetch_events(self._listener, self._path)
        self._seen = arrival.sequence
        return arrival

    def claim(self, arrival: Arrival) -> bool:
        """Consumes an event; False where another task of the run was faster."""
        return self._inbox.claim(arrival)
