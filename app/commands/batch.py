"""`batch`: one thing done to all executions that match."""

import uuid
from collections.abc import Sequence

import typer
from rich.console import Console
from rich.prompt import Confirm

from api.execution.v1 import execution_pb2
from app.client import connect
from app.commands.operations import Batch, end, follow
from app.failure import Failure
from app.output import Format, print_json, to_json
from app.time_argument import time_argument


def batch(
    action: str,
    *,
    template: str,
    statuses: Sequence[str],
    labels: Sequence[str],
    parent: str,
    after: str,
    before: str,
    namespace: str,
    is_all: bool,
    is_dry: bool,
    is_agreed: bool,
    reason: str,
    output: Format,
    server: str,
) -> None:
    """Counts what matches, asks unless it `is_agreed`, does it, and shows how far it is.

    No more executions are touched than were counted: where more match by then, it fails. Raises
    Failure, also where some have refused.
    """
    filter = execution_pb2.BatchExecutionsRequest.Filter(
        namespace=namespace,
        template_name=template,
        status=[execution_pb2.Execution.Status.Value(status) for status in statuses],
        labels=labels,
        parent_id=parent,
        created_after=time_argument(after, name="--after"),
        created_before=time_argument(before, name="--before"),
    )
    if is_all == bool(filter.ListFields()):
        raise Failure("choose filters, or --all and no filter", exit_code=2)
    request = execution_pb2.BatchExecutionsRequest(
        action=execution_pb2.BatchExecutionsRequest.Action.Value(action.upper()),
        filter=filter,
        reason=reason,
        validate_only=True,
    )
    with connect(server) as client:
        counted = Batch.of(client.executions.BatchExecutions(request))
        matched = counted.metadata.matched
        if is_dry and output == "json":
            print_json(to_json(counted.operation))
            return
        typer.echo(f"{_executions(matched)} match", err=not is_dry)
        if is_dry or not matched:
            return
        if not is_agreed and not _agrees(f"{action} {_executions(matched)}?"):
            raise typer.Abort
        request.validate_only = False
        request.max_count = matched
        request.request_id = str(uuid.uuid4())
        started = Batch.of(client.executions.BatchExecutions(request))
        end(follow(client, started), output)


def _agrees(question: str) -> bool:
    return Confirm.ask(question, default=False, console=Console(stderr=True, highlight=False))


def _executions(count: int) -> str:
    return f"{count} execution{'' if count == 1 else 's'}"
