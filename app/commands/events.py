"""`events`: what happened in an execution."""

from collections.abc import Iterator

from api.execution.v1 import execution_pb2
from app.client import Client, connect
from app.output import Format, print_json, print_table, time_text, to_json

_PAGE = 1000
_COLUMNS = ("NO", "TIME (UTC)", "EVENT", "TASK", "ATTEMPT", "SECONDS", "ERROR")
_FAMILY = "io.serverlessworkflow."


def events(id: str, *, server: str, output: Format) -> None:
    """Prints all of an execution's history, oldest first."""
    with connect(server) as client:
        found = list(all_events(client, id))
    if output == "json":
        print_json([to_json(event) for event in found])
    else:
        print_table(_COLUMNS, [_row(event) for event in found])


def all_events(client: Client, id: str) -> Iterator[execution_pb2.ExecutionEvent]:
    """The whole history of an execution, oldest first."""
    request = execution_pb2.ListExecutionEventsRequest(id=id, page_size=_PAGE)
    while True:
        page = client.executions.ListExecutionEvents(request)
        yield from page.events
        if not page.next_page_token:
            return
        request.page_token = page.next_page_token


def _row(event: execution_pb2.ExecutionEvent) -> tuple[str, ...]:
    kind = event.type.removeprefix(_FAMILY).removesuffix(".v1")
    took = (
        f"{event.duration.ToTimedelta().total_seconds():.3f}" if event.HasField("duration") else ""
    )
    error = f"{event.error.title}: {event.error.detail}" if event.HasField("error") else ""
    return (
        str(event.sequence),
        time_text(event.time),
        kind,
        event.task,
        str(event.attempt),
        took,
        " ".join(error.split()),
    )
