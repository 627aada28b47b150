"""`validate`: checks definitions without a server."""

from collections.abc import Sequence
from pathlib import Path

import typer

from app.failure import Failure
from biz.dsl.validator import check


def validate(files: Sequence[Path]) -> bool:
    """Prints a line for each fault, as FILE:LINE:COLUMN; True where no definition has an error."""
    results = [_validate(file) for file in files]
    return all(results)


def read_definition(file: Path) -> str:
    """The text of a definition."""
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise Failure(f"{file} can't be read: {error}") from error


def _validate(file: Path) -> bool:
    checked = check(read_definition(file))
    for fault in checked.diagnostics:
        place = f"{file}:{fault.line}:{fault.column}"
        typer.echo(f"{place}: {fault.severity}: {fault.message} [{fault.code}] {fault.pointer}")
    if not checked.errors:
        typer.echo(f"{file}: valid")
    return not checked.errors
