"""The log of the call that is being made: lines with its execution and task, and no secrets."""

import asyncio
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import datetime
from typing import Any

from opentelemetry.trace import INVALID_TRACE_ID, format_trace_id, get_current_span

from biz.dsl.errors import TaskFault
from biz.dsl.sizes import json_size
from biz.logs.log import ExecutionLog, LogLevel, LogSink
from workflows.activities.redaction import Secrecy

MOST_LINES = 1_000
MOST_BYTES = 256 * 1024
"""Of one call: what is more is left out, and a last line says so."""

LONGEST_LINE = 8_192
"""Characters of a message, and bytes of its fields."""


class CallLog:
    """What is said of one call, which may outlive it."""

    def __init__(
        self,
        *,
        sink: LogSink,
        clock: Callable[[], datetime],
        execution_id: str,
        task: str,
        secrets: Secrecy,
    ) -> None:
        self._sink = sink
        self._clock = clock
        self._execution_id = execution_id
        self._task = task
        self._secrets = secrets
        self._trace_id = present_trace_id()
        self._lines = MOST_LINES
        self._bytes = MOST_BYTES

    def write(self, level: LogLevel, message: str, fields: Mapping[str, Any] | None = None) -> None:
        """Adds a line, from any thread; what is too long is cut."""
        if self._lines < 0:
            return
        message = shortened(self._secrets.redact(message))
        told = {name: _redacted(value, self._secrets) for name, value in (fields or {}).items()}
        size = json_size(told)
        if size > LONGEST_LINE:
            told, size = {"left_out": f"fields of {size} bytes"}, 0
        self._lines -= 1
        self._bytes -= len(message.encode(errors="replace")) + size
        if self._bytes < 0:
            self._lines = -1
        if self._lines < 0:
            level, told = LogLevel.WARNING, {}
            message = "the rest of this call's log is left out: "
            message += f"it has more than {MOST_LINES} lines or {MOST_BYTES} bytes"
        self._sink.write(
            ExecutionLog(
                execution_id=self._execution_id,
                time=self._clock(),
                level=level,
                message=message,
                task=self._task,
                fields=told,
                trace_id=self._trace_id,
            )
        )


_CURRENT: ContextVar[CallLog | None] = ContextVar("call_log", default=None)


@contextmanager
def logged_call(log: CallLog) -> Iterator[None]:
    """What is logged in the block, and by tasks begun in it, goes to this log."""
    token = _CURRENT.set(log)
    try:
        yield
    finally:
        _CURRENT.reset(token)


def log_line(level: LogLevel, message: str, fields: Mapping[str, Any] | None = None) -> None:
    """Adds a line to the log of the call that is being made, if there is one."""
    if log := _CURRENT.get():
        log.write(level, message, fields)


def is_call_logged() -> bool:
    """Whether a line would go anywhere."""
    return _CURRENT.get() is not None


@contextmanager
def logged_request(name: str) -> Iterator[None]:
    """Adds a line on the request that is made in the block: how it ended, and how long it took."""
    began = time.perf_counter()
    try:
        yield
    except BaseException as error:
        fields: dict[str, Any] = {"request": name, "duration_ms": since(began)}
        if isinstance(error, TaskFault):
            fields["status"] = error.error.status
        ending = failing(error)
        message = ending if name in ending else f"{name} {ending}"
        log_line(LogLevel.WARNING, message, fields)
        raise
    log_line(LogLevel.INFO, f"{name} succeeded", {"request": name, "duration_ms": since(began)})


def since(began: float) -> float:
    """Milliseconds from a moment of the performance counter on."""
    return round((time.perf_counter() - began) * 1000, 3)


def failing(error: BaseException) -> str:
    """How a request failed, as it stands behind its name, which the detail of a fault may have."""
    if isinstance(error, asyncio.CancelledError):
        return "was given up"
    if isinstance(error, TaskFault):
        return error.error.detail or error.error.title
    return f"failed: {type(error).__name__}"


def shortened(text: str) -> str:
    """The beginning of a text that is too long for a line, with a notice."""
    if len(text) <= LONGEST_LINE:
        return text
    return f"{text[:LONGEST_LINE]}… ({len(text) - LONGEST_LINE} characters more)"


def _redacted(value: Any, secrets: Secrecy) -> Any:
    if isinstance(value, str):
        return secrets.redact(value)
    if isinstance(value, Mapping):
        return {key: _redacted(item, secrets) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_redacted(item, secrets) for item in value]
    return value


def present_trace_id() -> str:
    """That of the present span, which Temporal's tracing has from the start of the run."""
    trace_id = get_current_span().get_span_context().trace_id
    return "" if trace_id == INVALID_TRACE_ID else format_trace_id(trace_id)
