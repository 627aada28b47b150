"""`run`, `get` and `list`: executions from the command line."""

import json
import time
import uuid
from collections.abc import Sequence
from typing import Any

import typer
from rich.console import Console

from api.execution.v1 import execution_pb2
from app.client import Client, connect
from app.failure import Failure
from app.json_argument import json_argument
from app.output import Format, print_json, print_table, time_text, to_json
from app.program import program

Execution = execution_pb2.Execution

_LOOK_EVERY_SECONDS = 0.25
_ENDS = (Execution.COMPLETED, Execution.FAULTED, Execution.CANCELLED, Execution.TERMINATED)


def run(
    *,
    server: str,
    namespace: str,
    name: str,
    version: str,
    alias: str,
    input: str,
    follow: bool,
    output: Format,
) -> None:
    """Starts an execution of a template; with `follow` prints its output when it has ended.

    `input` is JSON, or @FILE. Raises Failure where what it follows ends otherwise than COMPLETED.
    """
    request = execution_pb2.StartExecutionRequest(
        namespace=namespace,
        template_name=name,
        version=version,
        alias=alias,
        input=json_argument(input, name="--input"),
        request_id=str(uuid.uuid4()),
    )
    with connect(server) as client:
        execution = client.executions.StartExecution(request).execution
        if not follow:
            _show(execution, output)
            typer.echo(f"see how it goes: {program()} get {execution.id}", err=True)
            return
        execution = _follow(client, execution)
    if execution.status != Execution.COMPLETED:
        raise Failure(_ending(execution))
    print_json(to_json(execution)["output"])


def get(id: str, *, server: str, output: Format) -> None:
    """Prints one execution."""
    request = execution_pb2.GetExecutionRequest(id=id)
    with connect(server) as client:
        _show(client.executions.GetExecution(request).execution, output)


def list_(
    *,
    server: str,
    namespace: str,
    template: str,
    statuses: Sequence[str],
    limit: int,
    output: Format,
) -> None:
    """Prints the newest executions, at most `limit`."""
    request = execution_pb2.ListExecutionsRequest(
        namespace=namespace,
        template_name=template,
        status=[Execution.Status.Value(status) for status in statuses],
        page_size=limit,
    )
    with connect(server) as client:
        executions = client.executions.ListExecutions(request).executions
    if output == "json":
        print_json([to_json(execution) for execution in executions])
    else:
        print_table(_COLUMNS, [_row(execution) for execution in executions])


def _follow(client: Client, execution: Execution) -> Execution:
    """Shows the tasks that are seen running, on standard error; returns the ended execution."""
    console = Console(stderr=True, highlight=False)
    console.print(f"{execution.template_name} {execution.template_version}: {execution.id}")
    look = execution_pb2.GetExecutionRequest(id=execution.id)
    shown: set[str] = set()
    with console.status("starting") as status:
        while execution.status not in _ENDS:
            for task in execution.current_tasks:
                if task not in shown:
                    console.print(f"  {task}")
                    shown.add(task)
            status.update(_status_name(execution).lower())
            time.sleep(_LOOK_EVERY_SECONDS)
            execution = client.executions.GetExecution(look).execution
    seconds = execution.duration.ToTimedelta().total_seconds()
    console.print(f"{_status_name(execution).lower()} after {seconds:.1f} s")
    return execution


_COLUMNS = ("ID", "TEMPLATE", "VERSION", "STATUS", "CREATED (UTC)")


def _row(execution: Execution) -> tuple[str, ...]:
    created = time_text(execution.created_at)
    template = f"{execution.namespace}/{execution.template_name}"
    version = execution.template_version
    return execution.id, template, version, _status_name(execution), created


def _show(execution: Execution, output: Format) -> None:
    if output == "json":
        print_json(to_json(execution))
        return
    shown = to_json(execution)
    rows = [
        (name, _cell(value)) for name, value in shown.items() if value not in ("", None, {}, [])
    ]
    print_table(("FIELD", "VALUE"), rows)


def _cell(value: Any) -> str:
    return (
        value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, sort_keys=True)
    )


def _status_name(execution: Execution) -> str:
    return Execution.Status.Name(execution.status)


def _ending(execution: Execution) -> str:
    error = execution.error
    what = f"the execution {execution.id} ended {_status_name(execution)}"
    if not error.type:
        return what
    return f"{what} at {error.instance}: {error.title} ({error.status}): {error.detail}"
