"""DSL reference, "gRPC Call"."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from biz.dsl.authentication import Authentication, read_authentication
from biz.dsl.calls.grpc_call import GrpcCall
from biz.dsl.external.external_resources import ExternalResource, read_external_resource
from biz.dsl.frame import Outcome
from biz.dsl.model import Evaluable, Task
from biz.dsl.reading.reader import Node
from biz.dsl.values import Literal, read_value

if TYPE_CHECKING:
    from biz.dsl.frame import Frame
    from biz.dsl.parser import TaskSource

_HOST = re.compile(r"[a-zA-Z0-9](?:[a-zA-Z0-9-.]{0,61}[a-zA-Z0-9])?")
_TLS_PORT = 443
_LAST_PORT = 65_535


@dataclass(frozen=True, slots=True, kw_only=True)
class GrpcCallTask(Task):
    """Calls a method of a gRPC service; its output is the answer as JSON, an array of a stream's.

    It goes by TLS to port 443, without it to any other, unless `tls` in the task's metadata says
    otherwise: the standard has no place for that.
    """

    proto: ExternalResource
    service: Evaluable
    host: str
    port: int
    tls: bool
    method: Evaluable
    arguments: Evaluable
    authentication: Authentication | None

    @classmethod
    def parse(cls, source: TaskSource) -> GrpcCallTask:
        """Reads its own properties."""
        if "with" not in source.fields:
            source.parser.missing(source.common["pointer"], "with")
            return cls(**source.common, **_NOTHING)
        fields = source.fields["with"].object(
            required=("proto", "service", "method"), optional=("arguments",)
        )
        service = fields["service"].object(
            required=("name", "host"), optional=("port", "authentication")
        )
        variables, named = source.variables, source.parser.use.authentications
        for text in (service["name"], fields["method"]):
            text.string()
        arguments = fields.get("arguments")
        if arguments:
            arguments.mapping()
        authentication = service.get("authentication")
        port = _read_port(service.get("port"))
        return cls(
            proto=read_external_resource(fields["proto"], variables, named, is_fetched=False),
            service=read_value(service["name"], variables),
            host=_read_host(service["host"]),
            port=port,
            tls=_read_tls(source.fields.get("metadata"), default=port == _TLS_PORT),
            method=read_value(fields["method"], variables),
            arguments=read_value(arguments, variables) if arguments else Literal({}),
            authentication=read_authentication(authentication, variables, named)
            if authentication
            else None,
            **source.common,
        )

    async def execute(self, frame: Frame) -> Outcome:
        """Evaluates the arguments and makes the call."""
        call = GrpcCall(
            proto=await self.proto.resolve(frame),
            service=await frame.evaluate(self.service),
            host=self.host,
            port=self.port,
            tls=self.tls,
            method=await frame.evaluate(self.method),
            arguments=await frame.evaluate(self.arguments),
            authentication=await self.authentication.resolve(frame)
            if self.authentication
            else None,
            idempotency_key=frame.world.next_call_key(frame.path),
        )
        return Outcome(await frame.world.call(call, frame.path))


_NOTHING: Mapping[str, Any] = dict.fromkeys(
    ("proto", "service", "host", "port", "tls", "method", "arguments", "authentication")
)


def _read_host(node: Node) -> str:
    host = node.string()
    if node.is_string and not _HOST.fullmatch(host):
        node.error("invalid-value", "must be a host, such as orders.example.com")
    return host


def _read_port(node: Node | None) -> int:
    if node is None:
        return _TLS_PORT
    port = node.integer()
    if not 0 <= port <= _LAST_PORT:
        node.error("invalid-value", f"must be a port from 0 to {_LAST_PORT}")
    return port


def _read_tls(metadata: Node | None, *, default: bool) -> bool:
    """What `tls` in the metadata says, where it says something."""
    if metadata is None or not isinstance(metadata.value, dict) or "tls" not in metadata.value:
        return default
    node = metadata.at("tls")
    if not isinstance(node.value, bool):
        node.warning("ignored-property", '"tls" of a gRPC call must be true or false')
        return default
    return node.value
