"""The port to the world: all that a running workflow may ask of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Protocol


class HttpOutput(StrEnum):
    """What an HTTP call gives: the body in base64, its content, or the whole response."""

    RAW = "raw"
    CONTENT = "content"
    RESPONSE = "response"


@dataclass(frozen=True, slots=True, kw_only=True)
class Basic:
    """DSL reference, "Basic Authentication"."""

    username: str
    password: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Bearer:
    """DSL reference, "Bearer Authentication"."""

    token: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpCall:
    """DSL reference, "HTTP Call", with every expression evaluated.

    `query` and `headers` are in the order of the definition; a name may stand in them more than
    once. `body` is a JSON value, None for no body. `idempotency_key` is the same for every
    attempt of this call, and of no other call.
    """

    method: str
    uri: str
    query: Sequence[tuple[str, str]]
    headers: Sequence[tuple[str, str]]
    body: Any
    output: HttpOutput
    redirect: bool
    authentication: Basic | Bearer | None
    idempotency_key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """Where a run stands: the tasks that are being done, each by its path.

    A path is a task's reference with the number of the iteration behind each loop, such as
    `/do/4/loop/for/2/do/0/getPet`.
    """

    current_tasks: Sequence[str]
    waiting: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class RunDescriptor:
    """What a run knows of itself. `metadata` are facts of the runtime, by name."""

    id: str
    started_at: datetime
    runtime_name: str
    runtime_version: str
    runtime_metadata: Mapping[str, Any]


class Runtime(Protocol):
    """Implemented durably by `workflows`, and in memory by `biz.dsl.memory_runtime`."""

    def describe(self) -> RunDescriptor:
        """The run."""
        ...

    def now(self) -> datetime:
        """The run's own clock, the same in a replay. UTC."""
        ...

    async def sleep(self, duration: timedelta, progress: Progress) -> None:
        """Returns after `duration`."""
        ...

    async def call_http(self, call: HttpCall, progress: Progress) -> Any:
        """The call's output, as `call.output` says; raises TaskFault."""
        ...

    async def evaluate(self, program: str, data: str) -> Any:
        """The first result of a jq program on a JSON text, null where there is none.

        The program may take any time and memory: it is evaluated where it can be stopped. Raises
        EvaluationError, where it is stopped too.
        """
        ...

    async def breathe(self) -> None:
        """Gives way after a number of steps, so that a long computation blocks nothing else."""
        ...
