"""Files with definitions: read, and checked without a server."""

from pathlib import Path

import typer

from app.failure import Failure
from app.text_file import read_text
from biz.dsl.reading.diagnostics import Diagnostic
from biz.dsl.validator import check


def read_definition(file: Path) -> str:
    """The text of a definition; raises Failure, which names the file."""
    text = read_text(file)
    if not text.strip():
        raise Failure(f"{file}: the file is empty")
    return text


def check_definition(file: Path, text: str, *, err: bool = False) -> bool:
    """Prints a line for each fault, as FILE:LINE:COLUMN; True where none is an error."""
    checked = check(text)
    for fault in checked.diagnostics:
        typer.echo(fault_line(file, fault), err=err)
    return not checked.errors


def fault_line(file: Path, fault: Diagnostic) -> str:
    """What is wrong with a file, as FILE:LINE:COLUMN and the rest."""
    place = f"{file}:{fault.line}:{fault.column}"
    return f"{place}: {fault.severity}: {fault.message} [{fault.code}] {fault.pointer}"
