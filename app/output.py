"""What commands print: JSON for programs, tables for people."""

import json
from collections.abc import Sequence
from typing import Any, Literal

import typer
from google.protobuf.json_format import MessageToDict
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp
from rich.console import Console
from rich.table import Table

Format = Literal["json", "table"]


def to_json(message: Message) -> dict[str, Any]:
    """A message as HTTP users see it."""
    shown: dict[str, Any] = _whole(
        MessageToDict(
            message, preserving_proto_field_name=True, always_print_fields_with_no_presence=True
        )
    )
    return shown


def print_json(value: Any) -> None:
    """Prints a JSON value, indented."""
    typer.echo(json.dumps(value, indent=2, ensure_ascii=False))


def print_table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Prints rows under their columns, as wide as the texts want."""
    table = Table(*columns, box=None, pad_edge=False)
    for row in rows:
        table.add_row(*row)
    Console(soft_wrap=True).print(table)


def time_text(timestamp: Timestamp) -> str:
    """A time in UTC, to the second."""
    return timestamp.ToDatetime().strftime("%Y-%m-%d %H:%M:%S")


def _whole(value: Any) -> Any:
    """The same JSON value, its whole numbers without the fraction that protobuf gives them."""
    if isinstance(value, dict):
        return {key: _whole(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_whole(item) for item in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value
