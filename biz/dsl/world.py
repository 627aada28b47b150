"""What tasks ask of the world, and the account of it: where the run stands, when it gives way."""

from __future__ import annotations

from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any, TypeVar
from urllib.parse import quote

from biz.dsl.calls.call import Call
from biz.dsl.chronicle import Chronicle
from biz.dsl.concurrency import first
from biz.dsl.runtime import Progress, RunDescriptor, Runtime

_TASKS_IN_A_BREATH = 200
_CHARACTERS_IN_A_BREATH = 4_000_000

_T = TypeVar("_T")


class OutOfTime(Exception):
    """What was limited took longer."""


class World:
    """Stands between a run's tasks and its runtime. A `path` is that of the task that asks."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._doing: dict[str, bool] = {}
        self._tasks = 0
        self._characters = 0
        self._calls = 0
        self.run: RunDescriptor = runtime.describe()
        self.chronicle = Chronicle(runtime)

    def now(self) -> datetime:
        """The run's own clock, UTC."""
        return self._runtime.now()

    def random(self) -> float:
        """A number from 0 up to 1."""
        return self._runtime.random()

    async def sleep(self, duration: timedelta, path: str) -> None:
        """Returns after `duration`."""
        self._rest()
        with self._at(path, waiting=True):
            await self._runtime.sleep(duration, self._progress())

    async def limit(self, duration: timedelta, work: Coroutine[Any, Any, _T]) -> _T:
        """What the work gives; cancels it after `duration`, and raises OutOfTime."""
        return await first([work, self._run_out(duration)])

    async def call(self, call: Call, path: str) -> Any:
        """What the call gives; raises TaskFault."""
        self._rest()
        with self._at(path, waiting=False):
            return await self._runtime.call(call, self._progress())

    def next_call_key(self, path: str) -> str:
        """An idempotency key for one call of a task."""
        self._calls += 1
        return f"{self.run.id}:{quote(path)}:{self._calls}"

    def charge(self, size: int) -> None:
        """Adds the characters that an expression or a schema has read."""
        self._characters += size

    async def evaluate(self, program: str, data: str) -> Any:
        """Has the runtime evaluate, which gives way too."""
        self._rest()
        return await self._runtime.evaluate(program, data)

    async def breathe(self) -> None:
        """Gives way after a fixed amount of work, never by a clock: a replay does the same."""
        self._tasks += 1
        if self._tasks >= _TASKS_IN_A_BREATH or self._characters >= _CHARACTERS_IN_A_BREATH:
            self._rest()
            await self._runtime.breathe()

    def _rest(self) -> None:
        self._tasks = self._characters = 0

    async def _run_out(self, duration: timedelta) -> Any:
        await self._runtime.timer(duration)
        raise OutOfTime

    @contextmanager
    def _at(self, path: str, *, waiting: bool) -> Iterator[None]:
        self._doing[path] = waiting
        try:
            yield
        finally:
            del self._doing[path]

    def _progress(self) -> Progress:
        return Progress(current_tasks=tuple(self._doing), waiting=all(self._doing.values()))
