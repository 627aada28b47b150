"""`suspend`, `resume`, `cancel`, `terminate`, `delete` and `retry`: an execution under control."""

import uuid
from typing import Literal

import typer

from api.execution.v1 import execution_pb2
from app.client import connect
from app.commands.executions import show, status_name
from app.json_argument import json_argument
from app.output import Format, print_done
from app.program import program

Verb = Literal["Suspend", "Resume", "Cancel", "Terminate"]

_REQUESTS = {
    "Suspend": execution_pb2.SuspendExecutionRequest,
    "Resume": execution_pb2.ResumeExecutionRequest,
    "Cancel": execution_pb2.CancelExecutionRequest,
    "Terminate": execution_pb2.TerminateExecutionRequest,
}


def control(verb: Verb, id: str, *, reason: str, server: str, output: Format) -> None:
    """Asks it of an execution, and prints how it stands then."""
    request = _REQUESTS[verb](id=id, reason=reason)
    with connect(server) as client:
        execution = getattr(client.executions, f"{verb}Execution")(request).execution
    status = status_name(execution)
    print_done(execution, f"{verb.lower()} is accepted: the execution {id} is {status}", output)


def delete(id: str, *, server: str, output: Format) -> None:
    """Removes an execution that has ended."""
    with connect(server) as client:
        answer = client.executions.DeleteExecution(execution_pb2.DeleteExecutionRequest(id=id))
    print_done(answer, f"the execution {id} is deleted", output)


def retry(
    id: str, *, from_task: str, input: str, latest: bool, server: str, output: Format
) -> None:
    """Starts an execution that takes up another one; `input` is JSON, @FILE, or empty for none."""
    request = execution_pb2.RetryExecutionRequest(
        id=id,
        from_task=from_task,
        input=json_argument(input, name="--input") if input else None,
        latest_template=latest,
        request_id=str(uuid.uuid4()),
    )
    with connect(server) as client:
        execution = client.executions.RetryExecution(request).execution
    show(execution, output)
    typer.echo(f"see how it goes: {program()} watch {execution.id}", err=True)
