"""Logs: what the engine and the tasks of an execution say, line by line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import IntEnum
from typing import Any, Protocol

from biz.dsl.lifecycle import LifecycleEvent, LifecycleType
from biz.executions.execution import (
    ExecutionEnd,
    ExecutionProgress,
    ExecutionRecorder,
    ExecutionRepo,
)
from biz.executions.history_batch import NO_HISTORY, HistoryBatch
from biz.paging import Page, PageRequest, PageTokens, Rows, Slice

_FAMILY = "io.serverlessworkflow."
_LEVELS = {"retried": 30, "faulted": 40}


class LogLevel(IntEnum):
    """How grave a line is, by the numbers of Python's logging."""

    DEBUG = 10
    INFO = 20
    WARNING = 30
    ERROR = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class ExecutionLog:
    """One line. `task` is a task's path, with the numbers of iterations; empty for the run itself.

    `fields` are JSON values for programs. `trace_id` is in hexadecimal, empty without tracing.
    """

    execution_id: str
    time: datetime
    level: LogLevel
    message: str
    task: str = ""
    fields: Mapping[str, Any] = field(default_factory=dict)
    trace_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class LogQuery:
    """The lines of an execution that are at least as grave as `level`.

    With `task` only those of this task, and of the tasks within it.
    """

    execution_id: str
    level: LogLevel = LogLevel.DEBUG
    task: str = ""


class LogSink(Protocol):
    """Takes lines, from any thread; it never blocks, and never fails."""

    def write(self, line: ExecutionLog) -> None: ...


class LogRepo(Protocol):
    """Where lines are kept. Those of the lifecycle aren't: they are read from the history."""

    async def add(self, lines: Sequence[ExecutionLog]) -> None: ...

    async def list(self, query: LogQuery, slice: Slice) -> Rows[ExecutionLog]:
        """Those of the history among them. Order: time."""
        ...


class ExecutionLogUsecase:
    """How callers read logs."""

    def __init__(
        self, *, repo: LogRepo, executions: ExecutionRepo, page_tokens: PageTokens
    ) -> None:
        self._repo = repo
        self._executions = executions
        self._page_tokens = page_tokens

    async def list(self, request: PageRequest, *, query: LogQuery) -> Page[ExecutionLog]:
        """A page of an execution's lines, oldest first by default.

        Raises InvalidArgument, ExecutionNotFound.
        """
        content = ["logs", query.execution_id, query.level, query.task]
        slice = await self._page_tokens.slice(
            request, query=content, orders=("time",), default="time"
        )
        await self._executions.get(query.execution_id)
        rows = await self._repo.list(query, slice)
        return await self._page_tokens.page(rows, slice, query=content)


class ToldRecorder:
    """`biz.executions.execution.ExecutionRecorder`: what it has written is told to a sink too.

    A repeated call tells again what it may have told before.
    """

    def __init__(self, *, recorder: ExecutionRecorder, sink: LogSink) -> None:
        self._recorder = recorder
        self._sink = sink

    async def record_progress(
        self, id: str, progress: ExecutionProgress, events: HistoryBatch = NO_HISTORY
    ) -> None:
        """See ExecutionRecorder."""
        await self._recorder.record_progress(id, progress, events)
        self._tell(id, events)

    async def record_events(self, id: str, events: HistoryBatch) -> None:
        """See ExecutionRecorder."""
        await self._recorder.record_events(id, events)
        self._tell(id, events)

    async def record_end(
        self, id: str, end: ExecutionEnd, events: HistoryBatch = NO_HISTORY
    ) -> None:
        """See ExecutionRecorder."""
        await self._recorder.record_end(id, end, events)
        self._tell(id, events)

    def _tell(self, id: str, batch: HistoryBatch) -> None:
        for entry in batch.entries:
            if entry.type != LifecycleType.TASK_CREATED:
                event = entry._replace(input=None, output=None).event({})
                self._sink.write(lifecycle_line(id, event))


def lifecycle_line(execution_id: str, event: LifecycleEvent) -> ExecutionLog:
    """What an event of the history is as a line."""
    happened = event.type.removeprefix(_FAMILY).removesuffix(".v1")
    message = happened.replace(".", " ")
    fields: dict[str, Any] = {
        "event": happened,
        "sequence": event.sequence,
        "attempt": event.attempt,
    }
    if event.started_at is not None:
        fields["duration_ms"] = milliseconds(event.time - event.started_at)
    if event.error is not None:
        message = ": ".join(
            part for part in (message, event.error.title, event.error.detail) if part
        )
        fields["error"] = event.error.to_json()
    return ExecutionLog(
        execution_id=execution_id,
        time=event.time,
        level=_level(event.type),
        message=message,
        task=event.task,
        fields=fields,
    )


def lifecycle_types(level: LogLevel) -> Sequence[LifecycleType]:
    """The types of events that are lines at least that grave. A task's creation is none."""
    return [
        type
        for type in LifecycleType
        if type is not LifecycleType.TASK_CREATED and _level(type) >= level
    ]


def milliseconds(duration: timedelta) -> float:
    """As lines tell durations."""
    return round(duration.total_seconds() * 1000, 3)


def _level(type: LifecycleType) -> LogLevel:
    happened = type.removesuffix(".v1").rpartition(".")[2]
    return LogLevel(_LEVELS.get(happened, LogLevel.INFO))
