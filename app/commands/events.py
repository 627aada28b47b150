"""`publish` and `signal`: events from the command line."""

import typer

from api.execution.v1 import execution_pb2
from app.client import connect
from app.json_argument import json_argument
from biz.templates.template import DEFAULT_NAMESPACE


def publish(event: str, *, server: str, namespace: str) -> None:
    """Gives an event to all executions of a namespace; `event` is JSON, or @FILE."""
    request = execution_pb2.PublishEventRequest(
        event=json_argument(event, name="EVENT"), namespace=namespace
    )
    with connect(server) as client:
        client.executions.PublishEvent(request)
    typer.echo(f"the event is accepted in the namespace {namespace or DEFAULT_NAMESPACE}")


def signal(id: str, event: str, *, server: str) -> None:
    """Gives an event to one execution; `event` is JSON, or @FILE."""
    request = execution_pb2.SignalExecutionRequest(id=id, event=json_argument(event, name="EVENT"))
    with connect(server) as client:
        client.executions.SignalExecution(request)
    typer.echo("the event is accepted")
