"""`validate`: checks definitions without a server."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import typer

from app.definition_file import fault_line, read_definition
from app.failure import Failure, show
from app.output import Format, print_json
from biz.dsl.reading.diagnostics import Diagnostic, Severity
from biz.dsl.validator import check


def validate(files: Sequence[Path], *, output: Format) -> bool:
    """Prints what is wrong with each file; True where no definition has an error.

    A file that can't be read is told on standard error, and holds up no other.
    """
    found = [(file, _faults(file)) for file in files]
    if output == "json":
        print_json([_as_json(file, faults) for file, faults in found])
    else:
        for file, faults in found:
            _print(file, faults)
    return all(_is_valid(faults) for _, faults in found)


def _faults(file: Path) -> Sequence[Diagnostic] | None:
    """None where the file can't be read, which is told."""
    try:
        return check(read_definition(file)).diagnostics
    except Failure as failure:
        show(failure)
        return None


def _is_valid(faults: Sequence[Diagnostic] | None) -> bool:
    return faults is not None and not any(each.severity is Severity.ERROR for each in faults)


def _print(file: Path, faults: Sequence[Diagnostic] | None) -> None:
    for fault in faults or ():
        typer.echo(fault_line(file, fault))
    if _is_valid(faults):
        typer.echo(f"{file}: valid")


def _as_json(file: Path, faults: Sequence[Diagnostic] | None) -> dict[str, Any]:
    shown = [
        {
            "severity": each.severity.value,
            "code": each.code,
            "message": each.message,
            "pointer": each.pointer,
            "line": each.line,
            "column": each.column,
        }
        for each in faults or ()
    ]
    return {"file": str(file), "valid": _is_valid(faults), "diagnostics": shown}
