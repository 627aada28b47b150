"""DSL reference, "MCP Call": one request to a server of the Model Context Protocol."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from biz.dsl.calls.call import Call
from biz.dsl.calls.http_call import pairs
from biz.dsl.errors import TaskFault, WorkflowError
from biz.dsl.json_types import describe


@dataclass(frozen=True, slots=True, kw_only=True)
class McpHttp:
    """DSL reference, "MCP HTTP Transport": where the server is; `headers` are an object."""

    uri: Any
    headers: Any

    def require_valid(self) -> None:
        """See Call."""
        if not isinstance(self.uri, str):
            raise _fault("the endpoint's expression must give a string")
        pairs("headers", self.headers)


@dataclass(frozen=True, slots=True, kw_only=True)
class McpStdio:
    """DSL reference, "MCP STDIO Transport": the program that is the server, an array of what it is
    started with, and an object of its environment."""

    command: Any
    arguments: Any
    environment: Any

    def require_valid(self) -> None:
        """See Call."""
        _require_text("command", self.command)
        if not self.command:
            raise _fault("the command is empty")
        for argument in self.arguments:
            _require_text("arguments", argument)
        for name, value in self.environment.items():
            if not name or "=" in name:
                raise _fault(f'"{name}" can\'t be the name of an environment variable')
            _require_text("environment", name)
            _require_text("environment", value)


@dataclass(frozen=True, slots=True, kw_only=True)
class McpCall(Call):
    """A request of `method`, in a session of its own; either `http` or `stdio` is there.

    `timeout_seconds` bounds the whole of it, where the definition does.
    """

    KIND: ClassVar[str] = "mcp_call"

    method: str
    parameters: Any
    protocol_version: str
    client_name: Any
    client_version: Any
    timeout_seconds: float | None
    http: McpHttp | None
    stdio: McpStdio | None

    def require_valid(self) -> None:
        """See Call."""
        if not isinstance(self.parameters, dict):
            raise _fault(f"the parameters must be an object, not {describe(self.parameters)}")
        _require_text("client's name", self.client_name)
        _require_text("client's version", self.client_version)
        for transport in (self.http, self.stdio):
            if transport is not None:
                transport.require_valid()


def _require_text(what: str, value: Any) -> None:
    if not isinstance(value, str):
        raise _fault(f"the {what} must be text, not {describe(value)}")
    if "\0" in value:
        raise _fault(f"the {what} can't hold a NUL character")


def _fault(detail: str) -> TaskFault:
    return TaskFault(WorkflowError.standard("expression", detail))
