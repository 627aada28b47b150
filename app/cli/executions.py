"""The words of what starts executions and looks at them."""

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
    Server,
    Statuses,
    Template,
)

commands = typer.Typer()

PANEL = "Executions"


@commands.command(rich_help_panel=PANEL)
def run(
    name: Annotated[str, typer.Argument(help="Name of the template.")],
    input: Annotated[
        str, typer.Option("--input", "-i", metavar="JSON", help="The input: JSON, or @FILE.")
    ] = "{}",
    version: Annotated[str, typer.Option(help="Version, or an alias; by default the newest.")] = "",
    alias: Annotated[str, typer.Option(help="Alias of a version.")] = "",
    label: Annotated[
        list[str] | None,
        typer.Option(metavar="KEY=VALUE", help="Labels it so; may be repeated."),
    ] = None,
    business_key: Annotated[
        str, typer.Option(help="Your name for it, unique among the namespace's live executions.")
    ] = "",
    follow: Annotated[
        bool,
        typer.Option(
            "--follow",
            "-f",
            help="Show its tasks as they pass, and print the output at its end; exit 0 only for "
            "COMPLETED.",
        ),
    ] = False,
    namespace: Annotated[
        str,
        typer.Option("--namespace", "-n", help="Namespace of the template; without it, `default`."),
    ] = "",
    output: Output = "table",
    server: Server = SERVER,
) -> None:
    """Starts an execution of a template."""
    from app.commands import executions as command

    command.run(
        server=server,
        namespace=namespace,
        name=name,
        version=version,
        alias=alias,
        labels=label or (),
        business_key=business_key,
        input=input,
        follow=follow,
        output=output,
    )


@commands.command(rich_help_panel=PANEL)
def get(
    id: Id,
    full: Annotated[bool, typer.Option("--full", help="With the definition that it runs.")] = False,
    output: Output = "table",
    server: Server = SERVER,
) -> None:
    """Shows an execution."""
    from app.commands import executions as command

    command.get(id, is_full=full, server=server, output=output)


@commands.command("list", rich_help_panel=PANEL)
def list_(
    template: Template = "",
    status: Statuses = None,
    label: Labels = None,
    parent: Parent = "",
    business_key: Annotated[str, typer.Option(help="Only with this business key.")] = "",
    after: After = "",
    before: Before = "",
    limit: Annotated[int, typer.Option(min=1, max=1000, help="How many at most.")] = 50,
    namespace: Namespace = "",
    output: Output = "table",
    server: Server = SERVER,
) -> None:
    """Lists executions, newest first."""
    from app.commands import executions as command

    command.list_(
        server=server,
        namespace=namespace,
        template=template,
        statuses=status or (),
        labels=label or (),
        parent=parent,
        business_key=business_key,
        after=after,
        before=before,
        limit=limit,
        output=output,
    )


@commands.command(rich_help_panel=PANEL)
def watch(id: Id, output: Output = "table", server: Server = SERVER) -> None:
    """Shows an execution's tasks as they pass, to its end; exits 0 only for COMPLETED."""
    from app.commands import watch as command

    command.watch(id, server=server, output=output)


@commands.command(rich_help_panel=PANEL)
def events(
    id: Id,
    output: Output = "table",
    server: Server = SERVER,
) -> None:
    """Shows what happened in an execution, task by task."""
    from app.commands import events as command

    command.events(id, server=server, output=output)


@commands.command(rich_help_panel=PANEL)
def logs(
    id: Id,
    level: Annotated[
        Literal["DEBUG", "INFO", "WARNING", "ERROR"], typer.Option(help="At least this grave.")
    ] = "DEBUG",
    task: Annotated[
        str, typer.Option(metavar="PATH", help="Of this task, as `events` shows it.")
    ] = "",
    output: Output = "table",
    server: Server = SERVER,
) -> None:
    """Shows the log of an execution."""
    from app.commands import logs as command

    command.logs(id, level=level, task=task, server=server, output=output)


@commands.command(rich_help_panel=PANEL)
def stats(
    template: Template = "",
    after: After = "",
    before: Before = "",
    interval: Annotated[
        str,
        typer.Option(metavar="DURATION", help="Tell what happened in each 15m, 1h or 7d, too."),
    ] = "",
    namespace: Namespace = "",
    output: Output = "table",
    server: Server = SERVER,
) -> None:
    """Counts and measures executions and their tasks."""
    from app.commands import statistics as command

    command.stats(
        namespace=namespace,
        template=template,
        after=after,
        before=before,
        interval=interval,
        server=server,
        output=output,
    )
