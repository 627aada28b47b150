"""Arguments and options that several commands have."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Literal

import typer

SERVER = "localhost:9000"
"""Where the server is by default."""

Config = Annotated[
    Path | None,
    typer.Option(
        "--config",
        envvar="WORKFLOW_ENGINE_CONFIG",
        metavar="FILE",
        help="TOML file of settings (docs/settings.md); variables count before it.",
    ),
]
Server = Annotated[
    str,
    typer.Option(
        "--server",
        envvar="WORKFLOW_ENGINE_SERVER",
        metavar="HOST:PORT",
        help="Address of the gRPC server.",
    ),
]
Output = Annotated[
    Literal["json", "table"], typer.Option("--output", "-o", help="Form of what is printed.")
]
Files = Annotated[
    list[Path], typer.Argument(metavar="FILE…", help="Workflow definitions, JSON or YAML.")
]
Event = Annotated[
    str, typer.Argument(metavar="EVENT", help="The CloudEvent as a JSON object, or @FILE.")
]
Id = Annotated[str, typer.Argument(metavar="ID", help="Id of the execution.")]
Reason = Annotated[str, typer.Option(help="Why, for those who look later.")]

# Which executions.
Namespace = Annotated[
    str, typer.Option("--namespace", "-n", help="Only of this namespace; by default of all.")
]
Template = Annotated[str, typer.Option(help="Only of this template, by name.")]
After = Annotated[
    str,
    typer.Option(
        metavar="TIME", help="Only those accepted later: 2025-03-14T15:00 (UTC), or 24h for ago."
    ),
]
Before = Annotated[
    str, typer.Option(metavar="TIME", help="Only those accepted earlier, written as --after.")
]
Parent = Annotated[str, typer.Option(metavar="ID", help="Only those that this execution started.")]
Labels = Annotated[
    list[str] | None,
    typer.Option("--label", metavar="KEY=VALUE", help="Only with this label; may be repeated."),
]


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


Statuses = Annotated[
    list[Status] | None,
    typer.Option("--status", help="Only with this status; may be repeated."),
]
