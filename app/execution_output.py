"""Writes the log lines of executions to this process's own log."""

import structlog

from biz.logs.log import ExecutionLog, LogSink
from workflows.activities.call_log import present_trace_id

_log = structlog.get_logger(__name__)


class ProcessLog:
    """`biz.logs.log.LogSink`: all lines go to the log of the process, and on to another sink
    where there is one.
    """

    def __init__(self, then: LogSink | None = None) -> None:
        self._then = then

    def write(self, line: ExecutionLog) -> None:
        """See LogSink."""
        _log.log(
            line.level,
            line.message,
            execution_id=line.execution_id,
            task=line.task,
            trace_id=line.trace_id or present_trace_id(),
            time=line.time.isoformat(),
            fields=dict(line.fields),
        )
        if self._then is not None:
            self._then.write(line)
