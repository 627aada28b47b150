"""`run`, `get` and `list`: executions from the command line."""

import uuid
from collections.abc import Sequence

import typer

from api.execution.v1 import execution_pb2
from app.client import connect
from app.failure import Failure
from app.json_argument import json_argument
from app.output import Format, print_fields, print_json, print_table, time_text, to_json
from app.program import program
from app.time_argument import time_argument

Execution = execution_pb2.Execution


def run(
    *,
    server: str,
    namespace: str,
    name: str,
    version: str,
    alias: str,
    labels: Sequence[str] = (),
    business_key: str = "",
    input: str,
    follow: bool,
    output: Format,
) -> None:
    """Starts an execution of a template; with `follow` prints its output when it has ended.

    `labels` are "KEY=VALUE". `input` is JSON, or @FILE. Raises Failure where what it follows ends
    otherwise than COMPLETED.
    """
    request = execution_pb2.StartExecutionRequest(
        namespace=namespace,
        template_name=name,
        version=version,
        alias=alias,
        labels=dict(_label(text) for text in labels),
        business_key=business_key,
        input=json_argument(input, name="--input"),
        request_id=str(uuid.uuid4()),
    )
    with connect(server) as client:
        execution = client.executions.StartExecution(request).execution
        if not follow:
            show(execution, output)
            typer.echo(f"see how it goes: {program()} watch {execution.id}", err=True)
            return
        from app.commands.watch import follow as show_live

        execution = show_live(client, execution)
    if execution.status != Execution.COMPLETED:
        raise Failure(ending(execution))
    print_json(to_json(execution)["output"])


def _label(text: str) -> tuple[str, str]:
    key, equals, value = text.partition("=")
    if not equals:
        raise Failure(f"--label isn't KEY=VALUE: {text}")
    return key, value


def get(id: str, *, is_full: bool, server: str, output: Format) -> None:
    """Prints one execution; a full one with its definition."""
    view = Execution.FULL if is_full else Execution.VIEW_UNSPECIFIED
    request = execution_pb2.GetExecutionRequest(id=id, view=view)
    with connect(server) as client:
        show(client.executions.GetExecution(request).execution, output)


def list_(
    *,
    server: str,
    namespace: str,
    template: str,
    statuses: Sequence[str],
    labels: Sequence[str],
    parent: str,
    business_key: str,
    after: str,
    before: str,
    limit: int,
    output: Format,
) -> None:
    """Prints the newest executions, at most `limit`."""
    request = execution_pb2.ListExecutionsRequest(
        namespace=namespace,
        template_name=template,
        status=[Execution.Status.Value(status) for status in statuses],
        labels=labels,
        parent_id=parent,
        business_key=business_key,
        created_after=time_argument(after, name="--after"),
        created_before=time_argument(before, name="--before"),
        page_size=limit,
    )
    with connect(server) as client:
        executions = client.executions.ListExecutions(request).executions
    if output == "json":
        print_json([to_json(execution) for execution in executions])
    else:
        print_table(_COLUMNS, [_row(execution) for execution in executions])


_COLUMNS = ("ID", "TEMPLATE", "VERSION", "STATUS", "CREATED (UTC)")


def _row(execution: Execution) -> tuple[str, ...]:
    created = time_text(execution.created_at)
    template = f"{execution.namespace}/{execution.template_name}"
    version = execution.template_version
    return execution.id, template, version, status_name(execution), created


def show(execution: Execution, output: Format) -> None:
    """Prints an execution."""
    if output == "json":
        print_json(to_json(execution))
        return
    print_fields(to_json(execution))


def status_name(execution: Execution) -> str:
    """Such as COMPLETED."""
    return Execution.Status.Name(execution.status)


def ending(execution: Execution) -> str:
    """How it ended, in a line."""
    error = execution.error
    what = f"the execution {execution.id} ended {status_name(execution)}"
    if not error.type:
        return what
    return f"{what} at {error.instance}: {error.title} ({error.status}): {error.detail}"
