"""The log: structured events of ours, lines of executions and of libraries, to standard output."""

import asyncio
import logging
import sys
from typing import Literal, TextIO

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from app import execution_output

_CHATTY_LIBRARIES = ("httpcore", "httpx", "temporalio.worker")
_READS = ("Get", "List")
_SHOWN = ("timestamp", "event", "level", "execution_id", "task")
_SHOWN_FIELDS = ("stream", "attempt", "duration_ms")
_FAILED_ACTIVITY = "Completing activity as failed"


def configure_logging(
    *, level: str, format: Literal["json", "text"], output: TextIO | None = None
) -> None:
    """Sets up structlog and the standard library's logging for this process.

    `output` is standard output, unless another is given.
    """
    output = output or sys.stdout
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
    ]
    render: list[Processor]
    if format == "json":
        shared.append(structlog.processors.TimeStamper(fmt="iso", utc=True))
        render = [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
    else:
        shared += [_to_read, structlog.processors.TimeStamper(fmt="%H:%M:%S", utc=False)]
        render = [
            structlog.dev.ConsoleRenderer(
                colors=output.isatty(),
                pad_event_to=32,
                exception_formatter=structlog.dev.plain_traceback,  # the rich one shows secrets
            )
        ]
    handler = logging.StreamHandler(output)
    handler.addFilter(_is_no_cancellation)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*shared, structlog.stdlib.ExtraAdder()],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *render],
        )
    )
    logging.basicConfig(handlers=[handler], level=level.upper(), force=True)
    for library in _CHATTY_LIBRARIES:
        logging.getLogger(library).setLevel(logging.WARNING)
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )


def _is_no_cancellation(record: logging.LogRecord) -> bool:
    """Whether it is another line than Temporal's for an activity that was cancelled.

    The loser of a race or what ran out of time ends as it should; its trace would tell nothing.
    """
    if record.name != "temporalio.activity" or not record.exc_info:
        return True
    is_cancelled = isinstance(record.exc_info[1], asyncio.CancelledError)
    return not (is_cancelled and record.getMessage().startswith(_FAILED_ACTIVITY))


def _to_read(logger: WrappedLogger, level: str, event: EventDict) -> EventDict:
    """Leaves out what is of no use to a reader as long as all is well.

    Calls that only read, and went well, are many where somebody polls: they are for debugging.
    """
    if event["event"] == "rpc" and event["code"] == "OK":
        event.pop("request_id", None)
        is_read = event["method"].rpartition("/")[2].startswith(_READS)
        if is_read and not logging.getLogger(event["logger"]).isEnabledFor(logging.DEBUG):
            raise structlog.DropEvent
    if event.get("logger") == execution_output.__name__:
        return _execution_line(event)
    if level in ("debug", "info"):
        event.pop("logger", None)
    return event


def _execution_line(event: EventDict) -> EventDict:
    """What a reader wants of a line of an execution, on one line, without control characters."""
    fields = event["fields"]
    shown = {name: event[name] for name in _SHOWN if event.get(name)}
    shown |= {name: fields[name] for name in _SHOWN_FIELDS if fields.get(name) is not None}
    shown["event"] = "".join(c if c.isprintable() else " " for c in shown.get("event", ""))
    return shown
