"""`operations`: what batches do, while they do it and later."""

import time
from dataclasses import dataclass

import typer
from google.longrunning.operations_pb2 import Operation
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from api.execution.v1 import execution_pb2
from app.client import Client, connect
from app.failure import Failure
from app.output import Format, print_done, print_json, print_table, time_text, to_json
from app.program import program

_PREFIX = "operations/"
_PAUSE_SECONDS = 0.5
_COLUMNS = ("ID", "ACTION", "STATE", "MATCHED", "DONE", "REFUSED", "CREATED (UTC)")


@dataclass(frozen=True, slots=True)
class Batch:
    """An operation with what its metadata say."""

    operation: Operation
    metadata: execution_pb2.BatchExecutionsMetadata

    @classmethod
    def of(cls, operation: Operation) -> "Batch":
        """Reads the metadata."""
        metadata = execution_pb2.BatchExecutionsMetadata()
        operation.metadata.Unpack(metadata)
        return cls(operation, metadata)

    @property
    def id(self) -> str:
        """As commands take it."""
        name: str = self.operation.name
        return name.removeprefix(_PREFIX)

    @property
    def action(self) -> str:
        """As `batch` takes it."""
        return execution_pb2.BatchExecutionsRequest.Action.Name(self.metadata.action).lower()

    @property
    def state(self) -> str:
        """How it stands, in a word or two."""
        if not self.operation.done:
            return "under way"
        return "cancelled" if self.operation.HasField("error") else "ended"

    @property
    def worked_off(self) -> int:
        """How many executions it is through with."""
        return self.metadata.succeeded + self.metadata.failed


def list_(*, limit: int, namespace: str, output: Format, server: str) -> None:
    """Prints the newest operations, at most `limit`."""
    request = execution_pb2.ListOperationsRequest(namespace=namespace, page_size=limit)
    with connect(server) as client:
        operations = client.executions.ListOperations(request).operations
    if output == "json":
        print_json([to_json(operation) for operation in operations])
    else:
        print_table(_COLUMNS, [_row(Batch.of(operation)) for operation in operations])


def get(id: str, *, output: Format, server: str) -> None:
    """Prints one operation."""
    with connect(server) as client:
        show(_get(client, id), output)


def watch(id: str, *, output: Format, server: str) -> None:
    """Shows how far it is; raises Failure as `end` does."""
    with connect(server) as client:
        end(follow(client, _get(client, id)), output)


def cancel(id: str, *, output: Format, server: str) -> None:
    """Stops it, and prints how it stands then."""
    request = execution_pb2.CancelOperationRequest(id=id)
    with connect(server) as client:
        batch = Batch.of(client.executions.CancelOperation(request))
    line = f"cancel is accepted: the operation {id} is {batch.state}"
    print_done(batch.operation, line, output)


def follow(client: Client, batch: Batch) -> Batch:
    """Shows on standard error how far it is; answers it ended.

    Raises Failure where the user gives up watching: the operation goes on.
    """
    console = Console(stderr=True, highlight=False)
    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    )
    try:
        with bar:
            task = bar.add_task(batch.action, total=batch.metadata.matched)
            while not batch.operation.done:
                time.sleep(_PAUSE_SECONDS)
                batch = _get(client, batch.id)
                bar.update(task, completed=batch.worked_off)
    except KeyboardInterrupt:
        raise Failure(
            f"the operation {batch.id} goes on; "
            f"`{program()} operations cancel {batch.id}` stops it",
            exit_code=130,
        ) from None
    return batch


def end(batch: Batch, output: Format) -> None:
    """Prints how it ended; raises Failure where it was cancelled, or executions have refused."""
    show(batch, output)
    if batch.state == "cancelled":
        raise Failure(f"the operation {batch.id} was cancelled; what it has done stays done")
    if batch.metadata.failed:
        raise Failure(f"{batch.metadata.failed} of {batch.metadata.matched} executions refused")


def show(batch: Batch, output: Format) -> None:
    """Prints an operation; as a table, the executions that refused stand under it."""
    if output == "json":
        print_json(to_json(batch.operation))
        return
    print_table(_COLUMNS, [_row(batch)])
    if batch.metadata.failures:
        typer.echo()
        print_table(
            ("REFUSED", "REASON", "MESSAGE"),
            [(each.id, each.reason, each.message) for each in batch.metadata.failures],
        )


def _row(batch: Batch) -> tuple[str, ...]:
    metadata = batch.metadata
    counts = (metadata.matched, metadata.succeeded, metadata.failed)
    created = time_text(metadata.created_at)
    return batch.id, batch.action, batch.state, *map(str, counts), created


def _get(client: Client, id: str) -> Batch:
    request = execution_pb2.GetOperationRequest(id=id)
    return Batch.of(client.executions.GetOperation(request))
