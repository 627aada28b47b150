"""The words of `schedules`: what starts executions by itself."""

from typing import Annotated

import typer

from app.cli.options import SERVER, Output, Reason, Server

commands = typer.Typer(
    help="Shows, pauses and triggers what starts executions by itself.", no_args_is_help=True
)

PANEL = "Events and schedules"

_Schedule = Annotated[str, typer.Argument(metavar="ID", help="Id of the schedule.")]


@commands.command("list")
def list_(
    template: Annotated[str, typer.Option(help="Only of this template, by name.")] = "",
    limit: Annotated[int, typer.Option(min=1, max=1000, help="How many at most.")] = 50,
    namespace: Annotated[
        str, typer.Option("--namespace", "-n", help="Only of this namespace; by default of all.")
    ] = "",
    output: Output = "table",
    server: Server = SERVER,
) -> None:
    """Lists schedules, by template."""
    from app.commands import schedules as command

    command.list_(template=template, limit=limit, namespace=namespace, output=output, server=server)


@commands.command()
def get(id: _Schedule, output: Output = "table", server: Server = SERVER) -> None:
    """Shows a schedule, with its next times."""
    from app.commands import schedules as command

    command.get(id, output=output, server=server)


@commands.command()
def pause(
    id: _Schedule, reason: Reason = "", output: Output = "table", server: Server = SERVER
) -> None:
    """Keeps a schedule from starting executions until it is resumed."""
    from app.commands import schedules as command

    command.pause(id, reason=reason, output=output, server=server)


@commands.command()
def resume(
    id: _Schedule, reason: Reason = "", output: Output = "table", server: Server = SERVER
) -> None:
    """Lets a paused schedule start executions again."""
    from app.commands import schedules as command

    command.resume(id, reason=reason, output=output, server=server)


@commands.command()
def trigger(
    id: _Schedule,
    input: Annotated[
        str,
        typer.Option(
            "--input", "-i", metavar="JSON", help="Instead of the schedule's own: JSON, or @FILE."
        ),
    ] = "",
    output: Output = "table",
    server: Server = SERVER,
) -> None:
    """Starts an execution now, as the schedule would."""
    from app.commands import schedules as command

    command.trigger(id, input=input, output=output, server=server)


@commands.command()
def backfill(
    id: _Schedule,
    start: Annotated[
        str,
        typer.Option(
            "--from", metavar="TIME", help="The first moment: 2025-03-14T15:00 (UTC), or 24h ago."
        ),
    ],
    end: Annotated[
        str, typer.Option("--to", metavar="TIME", help="The moment after the last one.")
    ],
    output: Output = "table",
    server: Server = SERVER,
) -> None:
    """Makes the starts that a time in the past would have had, where there are none."""
    from app.commands import schedules as command

    command.backfill(id, start=start, end=end, output=output, server=server)
