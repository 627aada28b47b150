"""DSL reference, "gRPC Call": the method to be called, before its proto is read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from biz.dsl.calls.call import Call
from biz.dsl.calls.resource import Resource
from biz.dsl.errors import TaskFault, WorkflowError
from biz.dsl.json_types import describe


@dataclass(frozen=True, slots=True, kw_only=True)
class GrpcCall(Call):
    """A method of a gRPC service.

    `service` is the service's full name. `arguments` is an object: the request by the JSON mapping
    of Protobuf, or the requests of a stream under `messages`.
    """

    KIND: ClassVar[str] = "grpc_call"

    proto: Resource
    service: Any
    host: str
    port: int
    tls: bool
    method: Any
    arguments: Any

    @property
    def is_reflected(self) -> bool:
        """Whether the service itself is asked for its proto, which no worker has as a file."""
        return self.proto.scheme == "file"

    def require_valid(self) -> None:
        """See Call."""
        if not self.is_reflected:
            self.proto.require_valid()
        for what, value in (("service's name", self.service), ("method", self.method)):
            if not isinstance(value, str):
                detail = f"the {what} must be a string, not {describe(value)}"
                raise TaskFault(WorkflowError.standard("expression", detail))
