"""`logs`: the log lines of an execution."""

from collections.abc import Iterator

from api.execution.v1 import execution_pb2
from app.client import Client, connect
from app.output import Format, print_json, print_table, time_text, to_json

_PAGE = 1000
_COLUMNS = ("TIME (UTC)", "LEVEL", "TASK", "MESSAGE")


def logs(id: str, *, level: str, task: str, server: str, output: Format) -> None:
    """Prints the lines that are at least as grave as `level`, oldest first."""
    request = execution_pb2.ListExecutionLogsRequest(
        id=id,
        level=execution_pb2.ExecutionLog.Level.Value(level),
        task=task,
        page_size=_PAGE,
    )
    with connect(server) as client:
        found = list(_all(client, request))
    if output == "json":
        print_json([to_json(line) for line in found])
    else:
        print_table(_COLUMNS, [_row(line) for line in found])


def _all(
    client: Client, request: execution_pb2.ListExecutionLogsRequest
) -> Iterator[execution_pb2.ExecutionLog]:
    while True:
        page = client.executions.ListExecutionLogs(request)
        yield from page.logs
        if not page.next_page_token:
            return
        request.page_token = page.next_page_token


def _row(line: execution_pb2.ExecutionLog) -> tuple[str, ...]:
    level = execution_pb2.ExecutionLog.Level.Name(line.level)
    return time_text(line.time), level, line.task, " ".join(line.message.split())
