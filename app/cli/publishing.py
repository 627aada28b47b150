"""The words of what gives events to executions: `publish` and `signal`."""

from typing import Annotated

import typer

from app.cli.options import SERVER, Event, Id, Output, Server

commands = typer.Typer()

PANEL = "Events and schedules"


@commands.command(rich_help_panel=PANEL)
def publish(
    event: Event,
    namespace: Annotated[
        str,
        typer.Option(
            "--namespace", "-n", help="Namespace of those who listen; without it, `default`."
        ),
    ] = "",
    output: Output = "table",
    server: Server = SERVER,
) -> None:
    """Gives an event to all executions that listen for it."""
    from app.commands import publishing as command

    command.publish(event, server=server, namespace=namespace, output=output)


@commands.command(rich_help_panel=PANEL)
def signal(
    id: Id,
    event: Event,
    output: Output = "table",
    server: Server = SERVER,
) -> None:
    """Gives an event to one execution."""
    from app.commands import publishing as command

    command.signal(id, event, server=server, output=output)
