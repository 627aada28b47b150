"""The words of what runs the service: `up`, `serve`, `worker`, `migrate` and `demo`."""

from typing import Annotated

import typer

from app.cli.options import Config, Output

commands = typer.Typer()

PANEL = "Operation"


@commands.command(rich_help_panel=PANEL)
def up(config: Config = None) -> None:
    """Runs all of it on this machine: Temporal, database, server, worker, HTTP."""
    from app.commands import up as command
    from app.settings import load_settings

    command.up(load_settings(config))


@commands.command(rich_help_panel=PANEL)
def serve(config: Config = None) -> None:
    """Runs the gRPC server, metrics, and the work in the background."""
    from app.commands import serve as command
    from app.settings import load_settings

    command.serve(load_settings(config))


@commands.command(rich_help_panel=PANEL)
def worker(config: Config = None) -> None:
    """Runs a worker, which executes workflows."""
    from app.commands import serve as command
    from app.settings import load_settings

    command.work(load_settings(config))


@commands.command(rich_help_panel=PANEL)
def migrate(
    config: Config = None,
    down: Annotated[
        int | None, typer.Option("--down", metavar="N", min=1, help="Undo the last N migrations.")
    ] = None,
    output: Output = "table",
) -> None:
    """Brings the database's schema up to date."""
    from app.commands import migrate as command
    from app.settings import load_settings

    command.migrate(load_settings(config), down=down, output=output)


@commands.command(rich_help_panel=PANEL)
def demo() -> None:
    """Starts all of it for a moment, and runs an example live."""
    from app.commands import demo as command

    command.demo()
