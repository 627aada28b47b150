"""`validate`: checks definitions without a server."""

from collections.abc import Sequence
from pathlib import Path

import typer

from app.definition_file import check_definition, read_definition
from app.failure import Failure, show


def validate(files: Sequence[Path]) -> bool:
    """Prints what is wrong with each file; True where no definition has an error."""
    results = [_validate(file) for file in files]
    return all(results)


def _validate(file: Path) -> bool:
    try:
        is_valid = check_definition(file, read_definition(file))
    except Failure as failure:
        show(failure)
        return False
    if is_valid:
        typer.echo(f"{file}: valid")
    return is_valid
