"""The words of `operations`: what `batch` has started."""

from typing import Annotated

import typer

from app.cli.options import SERVER, Output, Server

commands = typer.Typer(help="Shows and cancels what `batch` has started.", no_args_is_help=True)

_Operation = Annotated[str, typer.Argument(metavar="ID", help="Id of the operation.")]


@commands.command("list")
def list_(
    limit: Annotated[int, typer.Option(min=1, max=1000, help="How many at most.")] = 50,
    namespace: Annotated[
        str, typer.Option("--namespace", "-n", help="Only of this namespace; by default of all.")
    ] = "",
    output: Output = "table",
    server: Server = SERVER,
) -> None:
    """Lists operations, newest first."""
    from app.commands import operations as command

    command.list_(limit=limit, namespace=namespace, output=output, server=server)


@commands.command()
def get(id: _Operation, output: Output = "table", server: Server = SERVER) -> None:
    """Shows how far an operation is, and what has refused."""
    from app.commands import operations as command

    command.get(id, output=output, server=server)


@commands.command()
def watch(id: _Operation, output: Output = "table", server: Server = SERVER) -> None:
    """Shows how far an operation is, to its end; exits 0 only where none has refused."""
    from app.commands import operations as command

    command.watch(id, output=output, server=server)


@commands.command()
def cancel(id: _Operation, output: Output = "table", server: Server = SERVER) -> None:
    """Stops an operation before its next execution; what it has done stays done."""
    from app.commands import operations as command

    command.cancel(id, output=output, server=server)
