"""Stores log lines in the background, so that nobody waits for them."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from datetime import datetime, timedelta
from threading import Lock

import structlog

from biz.errors import Unavailable
from biz.logs.log import ExecutionLog, LogLevel, LogRepo

_GATHERING_SECONDS = 0.1
"""How long a line waits for others to be written with it."""

_PATIENCE_SECONDS = 1.0
_AT_ONCE = 500
_MOST_EXECUTIONS = 1_000
"""Of so many executions it is known how many lines were lost."""

_log = structlog.get_logger(__name__)


class LogWriter:
    """`biz.logs.log.LogSink`. Lines wait in memory while the database is down, within bounds:
    what comes then is lost, and a line says how much.
    """

    def __init__(
        self,
        *,
        repo: LogRepo,
        clock: Callable[[], datetime],
        most_lines: int = 10_000,
        most_characters: int = 16_000_000,
    ) -> None:
        """The bounds are of the lines that wait, and of their messages together."""
        self._repo = repo
        self._clock = clock
        self._most_lines = most_lines
        self._most_characters = most_characters
        self._lock = Lock()
        self._lines: deque[ExecutionLog] = deque()
        self._characters = 0
        self._lost: dict[str, int] = {}
        self._came = asyncio.Event()
        self._closing = False
        self._loop = asyncio.get_running_loop()

    def write(self, line: ExecutionLog) -> None:
        """See LogSink."""
        with self._lock:
            size = self._characters + len(line.message)
            if len(self._lines) >= self._most_lines or size > self._most_characters:
                if line.execution_id in self._lost or len(self._lost) < _MOST_EXECUTIONS:
                    self._lost[line.execution_id] = self._lost.get(line.execution_id, 0) + 1
                return
            self._lines.append(line)
            self._characters = size
            is_first = len(self._lines) == 1
        if is_first and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._came.set)

    async def run(self) -> None:
        """Writes until it is closed, and all that has come by then."""
        while True:
            await self._came.wait()
            self._came.clear()
            if not self._closing:
                await asyncio.sleep(_GATHERING_SECONDS)
            while batch := self._taken():
                await self._store(batch)
            if self._closing:
                return

    async def close(self, running: asyncio.Task[None], *, within: timedelta) -> None:
        """Ends `running`, the task of `run`, when all is written or the time is over."""
        self._closing = True
        self._came.set()
        await asyncio.wait([running], timeout=within.total_seconds())
        if running.cancel():
            await asyncio.wait([running])
            _log.warning("log lines of executions are lost", lines=len(self._lines))

    def _taken(self) -> list[ExecutionLog]:
        """The next lines, then what is to be said of those that were lost."""
        with self._lock:
            batch = [self._lines.popleft() for _ in range(min(_AT_ONCE, len(self._lines)))]
            self._characters -= sum(len(line.message) for line in batch)
            lost, self._lost = ({}, self._lost) if self._lines else (self._lost, {})
        return batch + [self._notice(id, count) for id, count in lost.items()]

    def _notice(self, execution_id: str, count: int) -> ExecutionLog:
        return ExecutionLog(
            execution_id=execution_id,
            time=self._clock(),
            level=LogLevel.WARNING,
            message=f"{count} lines are lost: they came faster than they could be stored",
            fields={"lost": count},
        )

    async def _store(self, batch: list[ExecutionLog]) -> None:
        while True:
            try:
                return await self._repo.add(batch)
            except Unavailable:
                await asyncio.sleep(_PATIENCE_SECONDS)
            except Exception:
                # Later lines may do better.
                _log.exception("log lines of executions can't be stored", lines=len(batch))
                return None
