"""DSL reference, "MCP Call"."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from biz.dsl.calls.mcp_call import McpCall, McpHttp, McpStdio
from biz.dsl.durations import read_duration
from biz.dsl.endpoints import Endpoint, read_endpoint
from biz.dsl.frame import Outcome
from biz.dsl.model import Duration, Evaluable, Task
from biz.dsl.parameters import read_parameters
from biz.dsl.reading.reader import Node
from biz.dsl.values import ArrayValue, Literal, ObjectValue, read_value

if TYPE_CHECKING:
    from biz.dsl.frame import Frame
    from biz.dsl.parser import TaskSource

METHODS = (
    "tools/list",
    "tools/call",
    "prompts/list",
    "prompts/get",
    "resources/list",
    "resources/read",
    "resources/templates/list",
)
_PROTOCOL_VERSION = "2025-06-18"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Http:
    endpoint: Endpoint
    headers: Evaluable

    async def resolve(self, frame: Frame) -> McpHttp:
        return McpHttp(
            uri=await self.endpoint.resolve(frame), headers=await frame.evaluate(self.headers)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Stdio:
    command: Evaluable
    arguments: Evaluable
    environment: Evaluable

    async def resolve(self, frame: Frame) -> McpStdio:
        return McpStdio(
            command=await frame.evaluate(self.command),
            arguments=await frame.evaluate(self.arguments),
            environment=await frame.evaluate(self.environment),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class McpCallTask(Task):
    """Asks an MCP server; its output is the JSON-RPC result."""

    method: str
    parameters: Evaluable
    protocol_version: str
    client: tuple[Evaluable, Evaluable] | None
    patience: Duration | None
    http: _Http | None
    stdio: _Stdio | None

    @classmethod
    def parse(cls, source: TaskSource) -> McpCallTask | None:
        """Reads its own properties."""
        if "with" not in source.fields:
            source.parser.missing(source.common["pointer"], "with")
            return None
        variables = source.variables
        arguments = source.fields["with"].object(
            required=("method", "transport"),
            optional=("protocolVersion", "parameters", "timeout", "client"),
            is_open=True,
        )
        version = arguments.get("protocolVersion")
        patience = arguments.get("timeout")
        client = arguments.get("client")
        http, stdio = _read_transport(arguments["transport"], source)
        return cls(
            method=arguments["method"].choice(*METHODS),
            parameters=read_parameters(arguments.get("parameters"), variables),
            protocol_version=version.string() if version else _PROTOCOL_VERSION,
            client=_read_client(client, variables) if client else None,
            patience=read_duration(patience, source.without_secrets().variables)
            if patience
            else None,
            http=http,
            stdio=stdio,
            **source.common,
        )

    async def execute(self, frame: Frame) -> Outcome:
        """Evaluates the request and makes the call."""
        patience, run = None, frame.world.run
        if self.patience is not None:
            patience = (await frame.duration(self.patience)).total_seconds()
        authentication = self.http.endpoint.authentication if self.http else None
        name, version = self.client or (Literal(run.runtime_name), Literal(run.runtime_version))
        call = McpCall(
            method=self.method,
            parameters=await frame.evaluate(self.parameters),
            protocol_version=self.protocol_version,
            client_name=await frame.evaluate(name),
            client_version=await frame.evaluate(version),
            timeout_seconds=patience,
            http=await self.http.resolve(frame) if self.http else None,
            stdio=await self.stdio.resolve(frame) if self.stdio else None,
            authentication=await authentication.resolve(frame) if authentication else None,
            idempotency_key=frame.world.next_call_key(frame.path),
        )
        return Outcome(await frame.world.call(call, frame.path))


def _read_client(node: Node, variables: frozenset[str]) -> tuple[Evaluable, Evaluable]:
    """The name and version by which the client introduces itself; by default the engine's."""
    fields = node.object(required=("name", "version"), is_open=True)
    return _read_text(fields["name"], variables), _read_text(fields["version"], variables)


def _read_transport(node: Node, source: TaskSource) -> tuple[_Http | None, _Stdio | None]:
    fields = node.object(optional=("http", "stdio", "options"), is_open=True)
    if isinstance(node.value, dict) and ("http" in fields) == ("stdio" in fields):
        node.error("invalid-value", 'must have either "http" or "stdio"')
    if "options" in fields:
        _read_texts(fields["options"], source.variables)
        fields["options"].warning("ignored-property", "the transports here have no options")
    http = _read_http(fields["http"], source) if "http" in fields else None
    stdio = _read_stdio(fields["stdio"], source.variables) if "stdio" in fields else None
    return http, stdio


def _read_http(node: Node, source: TaskSource) -> _Http:
    fields = node.object(required=("endpoint",), optional=("headers",), is_open=True)
    return _Http(
        endpoint=read_endpoint(
            fields["endpoint"], source.variables, source.parser.use.authentications
        ),
        headers=_read_texts(fields.get("headers"), source.variables),
    )


def _read_stdio(node: Node, variables: frozenset[str]) -> _Stdio:
    fields = node.object(required=("command",), optional=("arguments", "environment"), is_open=True)
    arguments = fields["arguments"].array() if "arguments" in fields else ()
    return _Stdio(
        command=_read_text(fields["command"], variables),
        arguments=ArrayValue([_read_text(argument, variables) for argument in arguments]),
        environment=_read_texts(fields.get("environment"), variables),
    )


def _read_texts(node: Node | None, variables: frozenset[str]) -> Evaluable:
    """An object of strings, each of which may be an expression."""
    properties = node.mapping() if node is not None else {}
    return ObjectValue({name: _read_text(value, variables) for name, value in properties.items()})


def _read_text(node: Node, variables: frozenset[str]) -> Evaluable:
    node.string()
    return read_value(node, variables)
