"""The program: all commands, and how its process ends."""

import os
import sys
import traceback
from contextlib import suppress

import typer

from app.cli import control, definitions, executions, operations, publishing, schedules, service
from app.failure import Failure, show

cli = typer.Typer(
    help="Stores workflows in the Open Workflow DSL and runs them durably on Temporal.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for part in (service, definitions, executions, control, publishing):
    cli.add_typer(part.commands)
cli.add_typer(operations.commands, name="operations", rich_help_panel=control.PANEL)
cli.add_typer(schedules.commands, name="schedules", rich_help_panel=schedules.PANEL)


def _wrong_words(error: typer.TyperException) -> Failure:
    """What is wrong with the words of a command, in a line with what to do."""
    context: typer.Context | None = getattr(error, "ctx", None)
    help = f"; see `{context.command_path} --help`" if context else ""
    return Failure(f"{' '.join(error.format_message().split()).rstrip('.?')}{help}")


def main() -> None:
    """The console script: runs a command, and ends the process with its exit code."""
    code: int | str | None
    try:
        code = cli(standalone_mode=False)
    except typer.TyperException as error:
        if error.format_message():  # without words there is help, which is shown by now
            show(_wrong_words(error))
        code = error.exit_code
    except typer.Abort:
        show(Failure("nothing was done"))
        code = 1
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
