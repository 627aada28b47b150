"""What commands print: JSON for programs, tables for people."""

import json
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import typer
from google.protobuf.json_format import MessageToDict
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp

Format = Literal["json", "table"]

_NOTHING: Sequence[Any] = ("", None, {}, [])


def to_json(message: Message) -> dict[str, Any]:
    """A message as HTTP users see it."""
    shown: dict[str, Any] = _whole(
        MessageToDict(
            message, preserving_proto_field_name=True, always_print_fields_with_no_presence=True
        )
    )
    return shown


def print_json(value: Any) -> None:
    """Prints a JSON value, indented, its keys in the order of the alphabet."""
    typer.echo(json.dumps(value, indent=2, ensure_ascii=False, sort_keys=True))


def print_table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Prints rows under their columns; what is in them is never cut, so that it can be copied."""
    lines = [columns, *rows]
    widths = [max(map(len, cells)) for cells in zip(*lines, strict=True)]
    for line in lines:
        cells = (cell.ljust(width) for cell, width in zip(line, widths, strict=True))
        typer.echo("  ".join(cells).rstrip())


def print_fields(value: Mapping[str, Any]) -> None:
    """Prints a resource, a line for each field that holds something."""
    rows = [(name, _cell(field)) for name, field in value.items() if field not in _NOTHING]
    print_table(("FIELD", "VALUE"), rows)


def print_done(answer: Message, line: str, output: Format) -> None:
    """Prints what the server answered, or the line that says so."""
    if output == "json":
        print_json(to_json(answer))
    else:
        typer.echo(line)


def time_text(timestamp: Timestamp) -> str:
    """A time in UTC, to the second."""
    return timestamp.ToDatetime().strftime("%Y-%m-%d %H:%M:%S")


def _cell(value: Any) -> str:
    if isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False, sort_keys=True)


def _whole(value: Any) -> Any:
    """The same JSON value, its whole numbers without the fraction that protobuf gives them."""
    if isinstance(value, dict):
        return {key: _whole(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_whole(item) for item in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value
