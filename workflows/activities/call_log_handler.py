"""Takes what modules and libraries log during a call into the log of that call."""

import logging
from collections.abc import Collection
from typing import Any

from biz.logs.log import LogLevel
from workflows.activities.call_log import log_line

_OURS = ("biz", "data", "workflows")
_NO_FIELDS = frozenset(
    {"event", "level", "logger", "timestamp", "execution_id", "task", "trace", "exc_info"}
)


class CallLogHandler(logging.Handler):
    """Of our own modules from INFO on, of all others only what may need a look.

    What the loggers in `silent` say is told elsewhere.
    """

    def __init__(self, *, silent: Collection[str]) -> None:
        super().__init__(level=logging.INFO)
        self._silent = silent

    def emit(self, record: logging.LogRecord) -> None:
        """See logging.Handler; no traces are taken, and no error is raised."""
        is_ours = record.name.partition(".")[0] in _OURS
        if record.name in self._silent or not (is_ours or record.levelno >= logging.WARNING):
            return
        fields: dict[str, Any] = {"logger": record.name}
        if isinstance(record.msg, dict):  # as structlog passes it on
            message = str(record.msg.get("event", ""))
            fields |= {k: str(v) for k, v in record.msg.items() if k not in _NO_FIELDS}
        else:
            message = record.getMessage()
        log_line(_level(record.levelno), message, fields)


def _level(number: int) -> LogLevel:
    return max((level for level in LogLevel if level <= number), default=LogLevel.DEBUG)
