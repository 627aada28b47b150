"""`publish` and `signal`: events from the command line."""

from api.execution.v1 import execution_pb2
from app.client import connect
from app.json_argument import json_argument
from app.output import Format, print_done
from biz.templates.template import DEFAULT_NAMESPACE


def publish(event: str, *, server: str, namespace: str, output: Format) -> None:
    """Gives an event to all executions of a namespace; `event` is JSON, or @FILE."""
    request = execution_pb2.PublishEventRequest(
        event=json_argument(event, name="EVENT"), namespace=namespace
    )
    with connect(server) as client:
        answer = client.executions.PublishEvent(request)
    where = namespace or DEFAULT_NAMESPACE
    print_done(answer, f"the event is accepted in the namespace {where}", output)


def signal(id: str, event: str, *, server: str, output: Format) -> None:
    """Gives an event to one execution; `event` is JSON, or @FILE."""
    request = execution_pb2.SignalExecutionRequest(id=id, event=json_argument(event, name="EVENT"))
    with connect(server) as client:
        answer = client.executions.SignalExecution(request)
    print_done(answer, "the event is accepted", output)
