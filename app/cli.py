"""The command line: its words and options; what they do is in app/commands.

Each command imports its own part when it is called, so that `--help` and the client's commands
don't wait for the server's libraries.
"""

import os
import sys
import traceback
from contextlib import suppress
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Literal

import typer

from app.failure import Failure, show

cli = typer.Typer(
    help="Stores workflows in the Open Workflow DSL and runs them durably on Temporal.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

_Config = Annotated[
    Path | None,
    typer.Option(
        "--config",
        envvar="WORKFLOW_ENGINE_CONFIG",
        metavar="FILE",
        help="TOML file of settings (docs/settings.md); variables count before it.",
    ),
]
_Server = Annotated[
    str,
    typer.Option(
        "--server",
        envvar="WORKFLOW_ENGINE_SERVER",
        metavar="HOST:PORT",
        help="Address of the gRPC server.",
    ),
]
_Files = Annotated[
    list[Path], typer.Argument(metavar="FILE…", help="Workflow definitions, JSON or YAML.")
]
_Event = Annotated[
    str, typer.Argument(metavar="EVENT", help="The CloudEvent as a JSON object, or @FILE.")
]
_Id = Annotated[str, typer.Argument(metavar="ID", help="Id of the execution.")]
_Output = Annotated[
    Literal["json", "table"], typer.Option("--output", "-o", help="Form of what is printed.")
]


_Namespace = Annotated[
    str, typer.Option("--namespace", "-n", help="Only of this namespace; by default of all.")
]
_Template = Annotated[str, typer.Option(help="Only of this template, by name.")]
_After = Annotated[
    str,
    typer.Option(
        metavar="TIME", help="Only those accepted later: 2025-03-14T15:00 (UTC), or 24h for ago."
    ),
]
_Before = Annotated[
    str, typer.Option(metavar="TIME", help="Only those accepted earlier, written as --after.")
]
_Reason = Annotated[str, typer.Option(help="Why, for those who look later.")]


class Status(StrEnum):
    """The statuses of an execution."""

    PENDING = "PENDING"
    RUNNING = "RUNNING"
    WAITING = "WAITING"
    SUSPENDED = "SUSPENDED"
    CANCELLED = "CANCELLED"
    FAULTED = "FAULTED"
    COMPLETED = "COMPLETED"
    TERMINATED = "TERMINATED"


_SERVER = "localhost:9000"
_OPERATION = "Operation"
_USE = "Use"


@cli.command(rich_help_panel=_OPERATION)
def up(config: _Config = None) -> None:
    """Runs all of it on this machine: Temporal, database, server, worker, HTTP."""
    from app.commands import up as command
    from app.settings import load_settings

    command.up(load_settings(config))


@cli.command(rich_help_panel=_OPERATION)
def serve(config: _Config = None) -> None:
    """Runs the gRPC server, with the reconciler and metrics."""
    from app.commands import serve as command
    from app.settings import load_settings

    command.serve(load_settings(config))


@cli.command(rich_help_panel=_OPERATION)
def worker(config: _Config = None) -> None:
    """Runs a worker, which executes workflows."""
    from app.commands import serve as command
    from app.settings import load_settings

    command.work(load_settings(config))


@cli.command(rich_help_panel=_OPERATION)
def migrate(
    config: _Config = None,
    down: Annotated[
        int | None, typer.Option("--down", metavar="N", min=1, help="Undo the last N migrations.")
    ] = None,
) -> None:
    """Brings the database's schema up to date."""
    from app.commands import migrate as command
    from app.settings import load_settings

    command.migrate(load_settings(config), down=down)


@cli.command(rich_help_panel=_USE)
def validate(files: _Files) -> None:
    """Checks definitions; needs no server. Exits 1 where one has an error."""
    from app.commands import validate as command

    if not command.validate(files):
        raise typer.Exit(1)


@cli.command("test", rich_help_panel=_USE)
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
    server: _Server = _SERVER,
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

    is_well = command.fail_calls(files) if faults else command.run_cases(files, junit=junit)
    if not is_well:
        raise typer.Exit(1)


@cli.command(rich_help_panel=_USE)
def apply(
    files: _Files,
    namespace: Annotated[
        str,
        typer.Option(
            "--namespace", "-n", help="Namespace to store in; by default the definition's own."
        ),
    ] = "",
    server: _Server = _SERVER,
) -> None:
    """Creates templates, or updates those whose text has changed. Exits 1 where one can't be."""
    from app.commands import apply as command

    if not command.apply(files, server=server, namespace=namespace):
        raise typer.Exit(1)


@cli.command(rich_help_panel=_USE)
def run(
    name: Annotated[str, typer.Argument(help="Name of the template.")],
    input: Annotated[
        str, typer.Option("--input", "-i", metavar="JSON", help="The input: JSON, or @FILE.")
    ] = "{}",
    version: Annotated[str, typer.Option(help="Version, or an alias; by default the newest.")] = "",
    alias: Annotated[str, typer.Option(help="Alias of a version.")] = "",
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
    output: _Output = "table",
    server: _Server = _SERVER,
) -> None:
    """Starts an execution of a template."""
    from app.commands import executions as command

    command.run(
        server=server,
        namespace=namespace,
        name=name,
        version=version,
        alias=alias,
        input=input,
        follow=follow,
        output=output,
    )


@cli.command(rich_help_panel=_USE)
def get(
    id: _Id,
    output: _Output = "table",
    server: _Server = _SERVER,
) -> None:
    """Shows an execution."""
    from app.commands import executions as command

    command.get(id, server=server, output=output)


@cli.command(rich_help_panel=_USE)
def events(
    id: _Id,
    output: _Output = "table",
    server: _Server = _SERVER,
) -> None:
    """Shows what happened in an execution, task by task."""
    from app.commands import history as command

    command.events(id, server=server, output=output)


@cli.command(rich_help_panel=_USE)
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
    server: _Server = _SERVER,
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


@cli.command("list", rich_help_panel=_USE)
def list_(
    template: _Template = "",
    status: Annotated[
        list[Status] | None, typer.Option(help="Only with this status; may be repeated.")
    ] = None,
    label: Annotated[
        list[str] | None,
        typer.Option(metavar="KEY=VALUE", help="Only with this label; may be repeated."),
    ] = None,
    parent: Annotated[
        str, typer.Option(metavar="ID", help="Only those that this execution started.")
    ] = "",
    business_key: Annotated[str, typer.Option(help="Only with this business key.")] = "",
    after: _After = "",
    before: _Before = "",
    limit: Annotated[int, typer.Option(min=1, max=1000, help="How many at most.")] = 50,
    namespace: _Namespace = "",
    output: _Output = "table",
    server: _Server = _SERVER,
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


@cli.command(rich_help_panel=_USE)
def watch(id: _Id, output: _Output = "table", server: _Server = _SERVER) -> None:
    """Shows an execution's tasks as they pass, to its end; exits 0 only for COMPLETED."""
    from app.commands import watch as command

    command.watch(id, server=server, output=output)


@cli.command(rich_help_panel=_USE)
def logs(
    id: _Id,
    level: Annotated[
        Literal["DEBUG", "INFO", "WARNING", "ERROR"], typer.Option(help="At least this grave.")
    ] = "DEBUG",
    task: Annotated[
        str, typer.Option(metavar="PATH", help="Of this task, as `events` shows it.")
    ] = "",
    output: _Output = "table",
    server: _Server = _SERVER,
) -> None:
    """Shows the log of an execution."""
    from app.commands import logs as command

    command.logs(id, level=level, task=task, server=server, output=output)


@cli.command(rich_help_panel=_USE)
def stats(
    template: _Template = "",
    after: _After = "",
    before: _Before = "",
    interval: Annotated[
        str,
        typer.Option(metavar="DURATION", help="Tell what happened in each 15m, 1h or 7d, too."),
    ] = "",
    namespace: _Namespace = "",
    output: _Output = "table",
    server: _Server = _SERVER,
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


@cli.command(rich_help_panel=_USE)
def suspend(
    id: _Id, reason: _Reason = "", output: _Output = "table", server: _Server = _SERVER
) -> None:
    """Holds an execution before its next task."""
    from app.commands import control as command

    command.control("Suspend", id, reason=reason, server=server, output=output)


@cli.command(rich_help_panel=_USE)
def resume(
    id: _Id, reason: _Reason = "", output: _Output = "table", server: _Server = _SERVER
) -> None:
    """Lets a suspended execution go on."""
    from app.commands import control as command

    command.control("Resume", id, reason=reason, server=server, output=output)


@cli.command(rich_help_panel=_USE)
def cancel(
    id: _Id, reason: _Reason = "", output: _Output = "table", server: _Server = _SERVER
) -> None:
    """Cancels an execution, with its calls and branches."""
    from app.commands import control as command

    command.control("Cancel", id, reason=reason, server=server, output=output)


@cli.command(rich_help_panel=_USE)
def terminate(
    id: _Id, reason: _Reason = "", output: _Output = "table", server: _Server = _SERVER
) -> None:
    """Ends an execution at once, without waiting for anything."""
    from app.commands import control as command

    command.control("Terminate", id, reason=reason, server=server, output=output)


@cli.command(rich_help_panel=_USE)
def retry(
    id: _Id,
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
    output: _Output = "table",
    server: _Server = _SERVER,
) -> None:
    """Starts an execution that takes up an ended one, with its results kept."""
    from app.commands import control as command

    command.retry(id, from_task=from_task, input=input, latest=latest, server=server, output=output)


@cli.command(rich_help_panel=_USE)
def publish(
    event: _Event,
    namespace: Annotated[
        str,
        typer.Option(
            "--namespace", "-n", help="Namespace of those who listen; without it, `default`."
        ),
    ] = "",
    server: _Server = _SERVER,
) -> None:
    """Gives an event to all executions that listen for it."""
    from app.commands import events as command

    command.publish(event, server=server, namespace=namespace)


@cli.command(rich_help_panel=_USE)
def signal(
    id: _Id,
    event: _Event,
    server: _Server = _SERVER,
) -> None:
    """Gives an event to one execution."""
    from app.commands import events as command

    command.signal(id, event, server=server)


@cli.command(rich_help_panel=_OPERATION)
def demo() -> None:
    """Starts all of it for a moment, and runs an example live."""
    from app.commands import demo as command

    command.demo()


def main() -> None:
    """The console script: runs a command, and ends the process with its exit code."""
    code: int | str | None = 0
    try:
        cli()
    except SystemExit as ending:
        code = ending.code
    except Failure as failure:
        show(failure)
        code = failure.exit_code
    except Exception:
        traceback.print_exc()
        code = 1
    with suppress(BrokenPipeError):  # whoever read it has seen enough
        sys.stdout.flush()
    sys.stderr.flush()
    # Temporal's native runtime may crash when the interpreter winds up, after all work is done.
    os._exit(code if isinstance(code, int) else int(code is not None))
