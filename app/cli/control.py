"""The words of what controls executions."""

from typing import Annotated, Literal

import typer

from app.cli.options import (
    SERVER,
    After,
    Before,
    Id,
    Labels,
    Namespace,
    Output,
    Parent,
    Reason,
    Server,
    Statuses,
    Template,
)

commands = typer.Typer()

PANEL = "Control"


@commands.command(rich_help_panel=PANEL)
def suspend(id: Id, reason: Reason = "", output: Output = "table", server: Server = SERVER) -> None:
    """Holds an execution before its next task."""
    from app.commands import control as command

    command.control("Suspend", id, reason=reason, server=server, output=output)


@commands.command(rich_help_panel=PANEL)
def resume(id: Id, reason: Reason = "", output: Output = "table", server: Server = SERVER) -> None:
    """Lets a suspended execution go on."""
    from app.commands import control as command

    command.control("Resume", id, reason=reason, server=server, output=output)


@commands.command(rich_help_panel=PANEL)
def cancel(id: Id, reason: Reason = "", output: Output = "table", server: Server = SERVER) -> None:
    """Cancels an execution, with its calls and branches."""
    from app.commands import control as command

    command.control("Cancel", id, reason=reason, server=server, output=output)


@commands.command(rich_help_panel=PANEL)
def terminate(
    id: Id, reason: Reason = "", output: Output = "table", server: Server = SERVER
) -> None:
    """Ends an execution at once, without waiting for anything."""
    from app.commands import control as command

    command.control("Terminate", id, reason=reason, server=server, output=output)


@commands.command(rich_help_panel=PANEL)
def retry(
    id: Id,
    from_task: Annotated[
        str,
        typer.Option(
            "--from", metavar="PATH", help="Take up at this task; without it, at the fault."
        ),
    ] = "",
    input: Annotated[
        str,
        typer.Option(
            "--input", "-i", metavar="JSON", help="Another input of that task: JSON, or @FILE."
        ),
    ] = "",
    latest: Annotated[
        bool, typer.Option("--latest", help="Go on with the template's newest definition.")
    ] = False,
    output: Output = "table",
    server: Server = SERVER,
) -> None:
    """Starts an execution that takes up an ended one, with its results kept."""
    from app.commands import control as command

    command.retry(id, from_task=from_task, input=input, latest=latest, server=server, output=output)


@commands.command(rich_help_panel=PANEL)
def delete(id: Id, output: Output = "table", server: Server = SERVER) -> None:
    """Removes an execution that has ended, with all that was kept of it."""
    from app.commands import control as command

    command.delete(id, server=server, output=output)


@commands.command(rich_help_panel=PANEL)
def batch(
    action: Annotated[
        Literal["suspend", "resume", "cancel", "terminate", "retry", "delete"],
        typer.Argument(help="What is done to each."),
    ],
    template: Template = "",
    status: Statuses = None,
    label: Labels = None,
    parent: Parent = "",
    after: After = "",
    before: Before = "",
    namespace: Namespace = "",
    all_: Annotated[bool, typer.Option("--all", help="Without any filter: to all there are.")] = (
        False
    ),
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Count what matches, and change nothing.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Don't ask before it is done.")] = False,
    reason: Reason = "",
    output: Output = "table",
    server: Server = SERVER,
) -> None:
    """Does one thing to all executions that match: counts them, asks, and shows how far it is.

    Exits 0 only where none has refused.
    """
    from app.commands import batch as command

    command.batch(
        action,
        template=template,
        statuses=status or (),
        labels=label or (),
        parent=parent,
        after=after,
        before=before,
        namespace=namespace,
        is_all=all_,
        is_dry=dry_run,
        is_agreed=yes,
        reason=reason,
        output=output,
        server=server,
    )
