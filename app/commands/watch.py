"""`watch`: an execution as it happens."""

import json
import time
from collections.abc import Iterator

import grpc
import typer
from rich.console import Console
from rich.text import Text

from api.execution.v1 import execution_pb2
from app.client import Client, connect
from app.commands.executions import Execution, ending, status_name
from app.commands.live_view import LiveView
from app.failure import Failure
from app.output import Format, to_json

_PATIENCE = 5
_PAUSE_SECONDS = 1.0


def watch(id: str, *, server: str, output: Format) -> None:
    """Shows what happens in an execution until its end; as JSON, a line for each event.

    Raises Failure where it ends otherwise than COMPLETED.
    """
    with connect(server) as client:
        if output == "json":
            for event in _events(client, id):
                typer.echo(json.dumps(to_json(event), ensure_ascii=False, sort_keys=True))
            execution = _get(client, id)
        else:
            execution = follow(client, _get(client, id))
    if execution.status != Execution.COMPLETED:
        raise Failure(ending(execution))


def follow(client: Client, execution: Execution) -> Execution:
    """Shows on standard error the tasks of an execution as they pass; returns it ended."""
    console = Console(stderr=True, highlight=False, soft_wrap=True)
    name = f"{execution.template_name} {execution.template_version}: {execution.id}"
    console.print(Text(name))
    with LiveView(console) as view:
        for event in _events(client, execution.id):
            view.show(event)
    execution = _get(client, execution.id)
    seconds = execution.duration.ToTimedelta().total_seconds()
    console.print(f"{status_name(execution).lower()} after {seconds:.1f} s")
    return execution


def _events(client: Client, id: str) -> Iterator[execution_pb2.ExecutionEvent]:
    """All events to the end; a stream that is cut is taken up some times."""
    request = execution_pb2.WatchExecutionRequest(id=id)
    cuts = 0
    while True:
        try:
            for record in client.executions.WatchExecution(request):
                if record.HasField("end"):
                    return
                request.after_sequence = record.event.sequence
                cuts = 0
                yield record.event
        except grpc.RpcError as error:
            if error.code() is not grpc.StatusCode.UNAVAILABLE or cuts == _PATIENCE:
                raise
        cuts += 1
        time.sleep(_PAUSE_SECONDS)


def _get(client: Client, id: str) -> Execution:
    return client.executions.GetExecution(execution_pb2.GetExecutionRequest(id=id)).execution
