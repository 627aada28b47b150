"""Settings: from environment variables, then a TOML file, then defaults."""

import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, ValidationError
from pydantic_settings import (
    BaseSettings,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from app.failure import Failure
from workflows.activities.processes.policy import ProcessKind

_BAD_SETTING = 2
_NUMBERS = {
    "int_parsing": "whole number",
    "int_type": "whole number",
    "int_from_float": "whole number",
    "float_parsing": "number",
    "float_type": "number",
}
"""What pydantic's faults of numbers ask for."""


def _checked_address(text: str) -> str:
    host, _, port = text.rpartition(":")
    if not host or not port.isdecimal() or not 0 <= int(port) <= 65535:
        raise ValueError("must be HOST:PORT, such as 127.0.0.1:9000")
    return text


def _checked_database_url(text: str) -> str:
    if not text.startswith(("sqlite:///", "postgresql://", "postgres://")):
        raise ValueError("must be sqlite:///FILE or postgresql://USER:PASSWORD@HOST:PORT/NAME")
    return text


def _split(value: object) -> object:
    """A list as a variable has it: `a,b`, or `none`, since an empty variable counts as unset."""
    if value == "none":
        return ()
    if isinstance(value, str):
        return [part.strip() for part in value.split(",") if part.strip()]
    return value


Address = Annotated[str, AfterValidator(_checked_address)]
DatabaseUrl = Annotated[str, AfterValidator(_checked_database_url)]
Port = Annotated[int, Field(ge=1, le=65535)]
Seconds = Annotated[float, Field(gt=0, le=86_400)]
Count = Annotated[int, Field(ge=1, le=100_000)]
Processes = Annotated[tuple[ProcessKind, ...], NoDecode, BeforeValidator(_split)]
Names = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_split)]


def _default_database_url(known: dict[str, Any]) -> str:
    return f"sqlite:///{known['state_directory']}/workflow-engine.db"


def _default_temporal_address(known: dict[str, Any]) -> str:
    return f"127.0.0.1:{known['temporal_port']}"


class Settings(BaseSettings):
    """All of them; each is read from the variable of its name in capitals."""

    model_config = SettingsConfigDict(frozen=True, extra="forbid", env_ignore_empty=True)

    state_directory: Path = Field(
        default=Path(".local"),
        description="Folder of the embedded databases and of the logs of `up`.",
    )
    database_url: DatabaseUrl = Field(
        default_factory=_default_database_url,
        repr=False,
        description="Where rows are kept: `sqlite:///FILE` or `postgresql://…`. "
        "By default a SQLite file in STATE_DIRECTORY.",
    )
    database_pool_size: Count = Field(
        default=8,
        description="Threads, and so connections, that each process has for the database.",
    )
    temporal_port: Port = Field(
        default=7233, description="Port of the Temporal development server that `up` starts."
    )
    temporal_ui_port: Port = Field(default=8088, description="Port of its web interface.")
    temporal_address: Address = Field(
        default_factory=_default_temporal_address,
        description="Address of Temporal; where it is set, `up` starts no server of its own. "
        "By default 127.0.0.1 and TEMPORAL_PORT.",
    )
    temporal_namespace: str = Field(
        default="default", min_length=1, description="Namespace of all runs in Temporal."
    )
    temporal_connect_seconds: Seconds = Field(
        default=30, description="Time that Temporal gets to answer when a process starts."
    )
    temporal_binary: Path | None = Field(
        default=None,
        description="Program of the Temporal development server. By default the one on PATH, or "
        "one that `up` downloads or builds once.",
    )
    temporal_ui_url: str = Field(
        default="",
        pattern=r"^(https?://.+)?$",
        description="Where Temporal's web interface is, for the links of executions. By default "
        "there are none; in `up` it is the server's own.",
    )
    task_queue: str = Field(
        default="workflow-engine",
        min_length=1,
        description="Temporal task queue that servers fill and workers empty.",
    )
    http_port: Port = Field(default=8000, description="Port of HTTP/JSON in `up`, on loopback.")
    grpc_address: Address = Field(
        default="0.0.0.0:9000", description="Address of the gRPC server; in `up` on loopback."
    )
    metrics_address: Address = Field(
        default="0.0.0.0:9464",
        description="Address of the Prometheus metrics of `serve`; in `up` on loopback.",
    )
    rpc_deadline_seconds: Seconds = Field(
        default=75, description="Time that a gRPC call gets whose caller named none."
    )
    max_watchers: Count = Field(
        default=2_000,
        description="Streams of WatchExecution that a server has open at once.",
    )
    max_concurrent_calls: Count = Field(
        default=100,
        description="Calls and other activities that a worker performs at once.",
    )
    call_timeout_seconds: float = Field(
        default=30,
        gt=0,
        le=300,
        description="Silence after which a call of a workflow is given up, by HTTP, gRPC, MCP or "
        "A2A.",
    )
    call_max_response_bytes: int = Field(
        default=1_000_000,
        ge=1,
        le=1_500_000,
        description="Most bytes that a call of a workflow takes as its answer, by HTTP, gRPC, MCP "
        "or A2A.",
    )
    expression_cpu_seconds: int = Field(
        default=2,
        ge=1,
        le=60,
        description="Time that a processor gets for an expression that may not end by itself.",
    )
    expression_memory_mb: int = Field(
        default=256,
        ge=64,
        le=65_536,
        description="Memory in MiB that such an expression gets; a worker evaluates up to four "
        "at once.",
    )
    dry_run_cpu_seconds: int = Field(
        default=5, ge=1, le=60, description="Time that a processor gets for a dry run."
    )
    dry_run_memory_mb: int = Field(
        default=512,
        ge=256,
        le=65_536,
        description="Memory in MiB that a dry run gets; a server does up to two at once.",
    )
    processes: Processes = Field(
        default=(),
        description="Kinds of processes that definitions may have a worker run, with commas "
        "between: `shell`, `script`, `container`, `mcp`; or `none`, the default. In `up` the "
        "default is shell and script.",
    )
    process_namespaces: Names = Field(
        default=(),
        description="Namespaces whose definitions may, with commas between. By default all.",
    )
    secrets_directory: Path | None = Field(
        default=None,
        description="Folder with a folder for each namespace, and a file in it for each secret "
        "that its workflows may use: a JSON object, or a text. By default there is none.",
    )
    secrets_prefix: str = Field(
        default="WORKFLOW_SECRET_",
        pattern=r"^[A-Za-z_][A-Za-z0-9_]*$",
        description="What the variables of secrets begin with. Behind it stand namespace and name, "
        "with two underscores between, and one for each character but letters and digits.",
    )
    process_user: str = Field(
        default="",
        description="User that processes run as; a worker of root's can choose any. By default "
        "`nobody` there, and elsewhere the worker's own.",
    )
    process_seconds: Seconds = Field(
        default=600, description="Time after which a process is stopped."
    )
    process_cpu_seconds: int = Field(
        default=120, ge=1, le=86_400, description="Time that a processor gets for a process."
    )
    process_memory_mb: int = Field(
        default=512, ge=16, le=1_048_576, description="Memory in MiB that a process gets."
    )
    process_max_output_bytes: int = Field(
        default=500_000,
        ge=1,
        le=1_000_000,
        description="What a process may write to stdout and stderr together.",
    )
    max_concurrent_processes: Count = Field(
        default=8, description="Processes that a worker runs at once."
    )
    container_host: str = Field(
        default="",
        pattern=r"^((unix|tcp|http|https)://.+)?$",
        description="Address of the Docker or Podman API that runs containers, such as "
        "unix:///var/run/docker.sock. By default there is none.",
    )
    container_volumes: Names = Field(
        default=(),
        description="Folders of that engine's host that definitions may mount, with what is below "
        "them, with commas between. By default none.",
    )
    container_sweep_seconds: Seconds = Field(
        default=30, description="Time between two looks for containers that are to be deleted."
    )
    drain_seconds: Seconds = Field(
        default=10, description="Time that calls in flight get to end when a process is stopped."
    )
    reconcile_seconds: Seconds = Field(
        default=5,
        description="Time between two looks for runs that ended outside the service, for events "
        "that didn't reach those who wait for them, and for operations to go on with.",
    )
    reconcile_sweep_seconds: Seconds = Field(
        default=300, description="Time between two comparisons of all live runs with Temporal."
    )
    reconcile_pending_seconds: Seconds = Field(
        default=5, description="Age at which the start of a run that is still pending is repeated."
    )
    event_retention_hours: int = Field(
        default=168,
        ge=1,
        le=87_600,
        description="Time that an event is kept for executions which don't listen for it yet.",
    )
    execution_retention_hours: int = Field(
        default=0,
        ge=0,
        le=876_000,
        description="Time that an execution is kept after its end, with all that belongs to it. "
        "0, the default, keeps it until it is deleted.",
    )
    execution_retention_count: int = Field(
        default=0,
        ge=0,
        le=100_000_000,
        description="How many ended executions a namespace keeps, the last that ended. 0, the "
        "default, keeps all.",
    )
    history_retention_hours: int = Field(
        default=0,
        ge=0,
        le=876_000,
        description="Time that the history of an execution is kept after its end, with its log "
        "lines; the execution stays. 0, the default, keeps it as long as the execution.",
    )
    history_retention_count: int = Field(
        default=0,
        ge=0,
        le=100_000_000,
        description="Of how many ended executions a namespace keeps the history, the last that "
        "ended. 0, the default, keeps all.",
    )
    operation_retention_hours: int = Field(
        default=168,
        ge=1,
        le=876_000,
        description="Time that an operation, such as a batch of deletions, is kept after its end.",
    )
    retention_sweep_seconds: Seconds = Field(
        default=60, description="Time between two looks for what isn't kept any longer."
    )
    event_sink_url: str = Field(
        default="",
        pattern=r"^(https?://.+)?$",
        repr=False,
        description="Where emitted events go besides, as CloudEvents in structured mode. "
        "By default nowhere.",
    )
    history_sink_url: str = Field(
        default="",
        pattern=r"^(https?://.+)?$",
        repr=False,
        description="Where the lifecycle events of all executions go, as CloudEvents in structured "
        "mode; the same for servers and workers. By default nowhere.",
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        default="info", description="Least level that is logged: debug, info, warning or error."
    )
    log_format: Literal["json", "text"] = Field(
        default="json", description="`json`, a line an event, or `text` to read; in `up` text."
    )
    otel_exporter_otlp_endpoint: str = Field(
        default="",
        pattern=r"^(https?://.+)?$",
        description="Where traces go by OTLP over gRPC, such as http://localhost:4317. "
        "By default nowhere.",
    )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls)

    def with_defaults(self, **values: object) -> "Settings":
        """The same, but with `values` for what was not set."""
        unset = {name: values[name] for name in values.keys() - self.model_fields_set}
        return self.model_copy(update=unset)


def load_settings(file: Path | None = None) -> Settings:
    """The settings of this process; `file` is a TOML file whose keys are their names.

    Raises Failure with a line for each bad setting.
    """
    if file is not None and not file.is_file():
        raise Failure(f"there is no settings file {file}", exit_code=_BAD_SETTING)

    class FromFile(Settings, toml_file=file):
        pass

    try:
        return FromFile()
    except tomllib.TOMLDecodeError as error:
        raise Failure(f"{file} isn't TOML: {error}", exit_code=_BAD_SETTING) from error
    except ValidationError as error:
        raise Failure("\n".join(_faults(error)), exit_code=_BAD_SETTING) from error


def _faults(error: ValidationError) -> Iterator[str]:
    for fault in error.errors(include_url=False):
        name = str(fault["loc"][0])
        if fault["type"] == "extra_forbidden":
            yield f"{name}: there is no such setting; docs/settings.md lists all"
        elif kind := _NUMBERS.get(fault["type"]):
            yield f"{name.upper()}: must be a {kind}, not {fault['input']!r}"
        elif fault["type"] != "default_factory_not_called":  # follows from another fault
            reason = fault["msg"].removeprefix("Value error, ")
            yield f"{name.upper()}: {reason.replace('Input should be', 'must be', 1)}"
