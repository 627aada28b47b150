"""What goes into the log of a call: bounded, without secrets, with its execution and task."""

import asyncio
import logging
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.trace import format_trace_id

from biz.dsl.errors import TaskFault, WorkflowError
from biz.logs.log import ExecutionLog, LogLevel
from tests.fixtures.performers import KeptLines
from workflows.activities.call_log import (
    LONGEST_LINE,
    MOST_BYTES,
    MOST_LINES,
    CallLog,
    is_call_logged,
    log_line,
    logged_call,
    logged_request,
)
from workflows.activities.call_log_handler import CallLogHandler
from workflows.activities.redaction import Secrecy

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def new_log(sink: KeptLines, secrets: Secrecy | None = None) -> CallLog:
    return CallLog(
        sink=sink,
        clock=lambda: NOW,
        execution_id="e1",
        task="/do/0/x",
        secrets=secrets or Secrecy(),
    )


@pytest.fixture
def sink() -> Iterator[KeptLines]:
    """The lines of a call that is being made in the test."""
    kept = KeptLines()
    with logged_call(new_log(kept)):
        yield kept


def test_a_line_has_the_ids_of_its_call(sink: KeptLines) -> None:
    log_line(LogLevel.INFO, "hello", {"a": 1})
    assert sink.lines == [
        ExecutionLog(
            execution_id="e1",
            time=NOW,
            level=LogLevel.INFO,
            message="hello",
            task="/do/0/x",
            fields={"a": 1},
        )
    ]


def test_outside_of_a_call_nothing_is_logged() -> None:
    log_line(LogLevel.INFO, "hello")
    assert not is_call_logged()


async def test_tasks_begun_in_a_call_log_for_it(sink: KeptLines) -> None:
    async def say() -> None:
        log_line(LogLevel.INFO, "later")

    await asyncio.create_task(say())
    assert sink.messages == ["later"]


def test_a_line_has_the_trace_of_the_present_span() -> None:
    kept = KeptLines()
    with TracerProvider().get_tracer("test").start_as_current_span("call") as span:
        new_log(kept).write(LogLevel.INFO, "x")
    assert kept.lines[0].trace_id == format_trace_id(span.get_span_context().trace_id)


def test_secrets_are_left_out_wherever_they_stand() -> None:
    kept, secrets = KeptLines(), Secrecy()
    log = new_log(kept, secrets)
    secrets.add("s3cret")
    log.write(LogLevel.INFO, "the s3cret", {"a": ["s3cret", {"b": "xs3cretx", "c": 7}], "n": None})
    assert kept.messages == ["the ***"]
    assert kept.lines[0].fields == {"a": ["***", {"b": "x***x", "c": 7}], "n": None}


def test_each_line_of_a_secret_is_left_out() -> None:
    kept, secrets = KeptLines(), Secrecy()
    secrets.add("-----BEGIN KEY-----\nMIIEvQIBADAN\nab\n")
    log = new_log(kept, secrets)
    for text in ("MIIEvQIBADAN", "ab"):
        log.write(LogLevel.INFO, text)
    assert kept.messages == ["***", "ab"]


def test_a_long_line_is_cut_with_a_notice(sink: KeptLines) -> None:
    log_line(LogLevel.INFO, "x" * (LONGEST_LINE + 7), {"a": "y" * LONGEST_LINE})
    [line] = sink.lines
    assert line.message == "x" * LONGEST_LINE + "… (7 characters more)"
    assert line.fields == {"left_out": f"fields of {LONGEST_LINE + 9} bytes"}


@pytest.mark.parametrize(
    ("text", "lines"), [("x", MOST_LINES), ("x" * LONGEST_LINE, MOST_BYTES // (LONGEST_LINE + 2))]
)
def test_a_call_that_says_too_much_is_cut_with_one_notice(
    sink: KeptLines, text: str, lines: int
) -> None:
    for _ in range(MOST_LINES + 100):
        log_line(LogLevel.INFO, text)
    assert sink.messages[:-1] == [text] * lines
    assert sink.messages[-1].startswith("the rest of this call's log is left out")
    assert sink.lines[-1].level is LogLevel.WARNING


async def test_a_request_is_told_with_its_duration(sink: KeptLines) -> None:
    with logged_request("Get of pets"):
        pass
    fault = TaskFault(WorkflowError.standard("communication", "Get of pets broke", status=503))
    for error in (fault, asyncio.CancelledError(), ValueError("s3cret")):
        with pytest.raises(type(error)), logged_request("Get of pets"):
            raise error
    assert sink.messages == [
        "Get of pets succeeded",
        "Get of pets broke",
        "Get of pets was given up",
        "Get of pets failed: ValueError",
    ]
    assert [line.level for line in sink.lines] == [LogLevel.INFO] + [LogLevel.WARNING] * 3
    assert sink.lines[1].fields["status"] == 503
    assert all(line.fields["duration_ms"] >= 0 for line in sink.lines)


@pytest.fixture
def logger() -> Iterator[logging.Logger]:
    """The parent of the loggers in a test, which hands over to the call's log."""
    handler = CallLogHandler(silent=["other.silent"])
    names = ("workflows.test", "other", "other.silent")
    for name in names[:2]:
        logging.getLogger(name).addHandler(handler)
        logging.getLogger(name).setLevel(logging.DEBUG)
    yield logging.getLogger(names[0])
    for name in names[:2]:
        logging.getLogger(name).removeHandler(handler)


def test_what_modules_log_during_a_call_is_taken(sink: KeptLines, logger: logging.Logger) -> None:
    event: Any = {
        "event": "odd answer",
        "level": "info",
        "size": 7,
        "trace": "Traceback",
        "task": "x",
    }
    logger.info(event)
    logger.debug("too fine")
    logging.getLogger("other").info("chatter")
    logging.getLogger("other").critical("broken: %s", "pipe")
    logging.getLogger("other.silent").warning("told elsewhere")
    assert [(line.level, line.message, line.fields) for line in sink.lines] == [
        (LogLevel.INFO, "odd answer", {"logger": "workflows.test", "size": "7"}),
        (LogLevel.ERROR, "broken: pipe", {"logger": "other"}),
    ]
