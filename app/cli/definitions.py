"""The words of what is done with definitions: `validate`, `test`, `apply` and `render`."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from app.cli.options import SERVER, Files, Output, Server

commands = typer.Typer()

PANEL = "Definitions"


@commands.command(rich_help_panel=PANEL)
def validate(files: Files, output: Output = "table") -> None:
    """Checks definitions; needs no server. Exits 1 where one has an error."""
    from app.commands import validate as command

    if not command.validate(files, output=output):
        raise typer.Exit(1)


@commands.command("test", rich_help_panel=PANEL)
def run_tests(
    files: Annotated[
        list[Path] | None,
        typer.Argument(metavar="FILE…", help="Files of tests (docs/testing.md)."),
    ] = None,
    junit: Annotated[
        Path | None,
        typer.Option("--junit", metavar="FILE", help="Write the results as JUnit's XML, too."),
    ] = None,
    faults: Annotated[
        bool,
        typer.Option(
            "--faults",
            help="Fail each call of each case in turn, and tell how the run ends then and which "
            "calls follow.",
        ),
    ] = False,
    from_execution: Annotated[
        str,
        typer.Option(
            "--from-execution",
            metavar="ID",
            help="Write FILE, or print it, as the test of an execution: its history as the mocks.",
        ),
    ] = "",
    workflow: Annotated[
        str,
        typer.Option(
            "--workflow",
            metavar="PATH",
            help="With --from-execution: the definition that FILE is to test, from there; by "
            "default the one that the execution ran.",
        ),
    ] = "",
    output: Output = "table",
    server: Server = SERVER,
) -> None:
    """Tests workflows in memory; needs no server. Exits 1 where a case isn't as expected."""
    if from_execution:
        from app.commands import recording

        file = files[0] if files else None
        recording.record(from_execution, server=server, file=file, workflow=workflow)
        return
    from app.commands import test as command

    if not files:
        raise typer.BadParameter("name a FILE of tests, or an execution by --from-execution")

    if faults:
        is_well = command.fail_calls(files, output=output)
    else:
        is_well = command.run_cases(files, junit=junit, output=output)
    if not is_well:
        raise typer.Exit(1)


@commands.command(rich_help_panel=PANEL)
def apply(
    files: Files,
    namespace: Annotated[
        str,
        typer.Option(
            "--namespace", "-n", help="Namespace to store in; by default the definition's own."
        ),
    ] = "",
    output: Output = "table",
    server: Server = SERVER,
) -> None:
    """Creates templates, or updates those whose text has changed. Exits 1 where one can't be."""
    from app.commands import apply as command

    if not command.apply(files, server=server, namespace=namespace, output=output):
        raise typer.Exit(1)


@commands.command(rich_help_panel=PANEL)
def render(
    what: Annotated[
        str,
        typer.Argument(
            metavar="FILE|NAME|ID",
            help="A definition's file, which needs no server; or the name of a template, or the id "
            "of an execution, as the options say.",
        ),
    ],
    to: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="FILE", help="Where to write it; without it, here."),
    ] = None,
    format: Annotated[
        Literal["svg", "mermaid"] | None,
        typer.Option(help="By default as the name of the output ends, and SVG without one."),
    ] = None,
    template: Annotated[
        bool, typer.Option("--template", "-t", help="Draw the template of this name.")
    ] = False,
    execution: Annotated[
        bool,
        typer.Option(
            "--execution",
            "-e",
            help="Draw the execution of this id, with what became of its tasks.",
        ),
    ] = False,
    version: Annotated[
        str, typer.Option(help="Version of the template, or an alias; by default the newest.")
    ] = "",
    namespace: Annotated[
        str,
        typer.Option("--namespace", "-n", help="Namespace of the template; without it, `default`."),
    ] = "",
    server: Server = SERVER,
) -> None:
    """Draws a workflow as SVG, or as a Mermaid flowchart."""
    from app.commands import render as command

    command.render(
        what,
        to=to,
        format=format,
        is_template=template,
        is_execution=execution,
        version=version,
        namespace=namespace,
        server=server,
    )
