"""How a command ends when it can't do what was asked."""

import typer


class Failure(Exception):
    """Says to the user, in a line, what is wrong and what to do; further lines are details."""

    def __init__(self, message: str, *, exit_code: int = 1) -> None:
        super().__init__(message)
        self.message = message
        self.exit_code = exit_code


def show(failure: Failure) -> None:
    """Prints it to standard error."""
    typer.secho(failure.message, err=True, fg=typer.colors.RED)
