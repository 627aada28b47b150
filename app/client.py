"""The service as a command sees it: its stubs over one connection, its errors as Failures."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TypeVar

import grpc
from google.protobuf.message import Message
from google.rpc import error_details_pb2
from grpc_status import rpc_status

from api.execution.v1.execution_pb2_grpc import ExecutionServiceStub
from api.template.v1.template_pb2_grpc import TemplateServiceStub
from api.workflow.v1.workflow_pb2_grpc import WorkflowServiceStub
from app.failure import Failure
from app.program import program

# None of our commands asks the server to wait, so it answers soon or not at all; but a stream lasts
# as long as what it shows.
_WATCH = {"service": "api.execution.v1.ExecutionService", "method": "WatchExecution"}
_DEADLINES = json.dumps(
    {"methodConfig": [{"name": [{}], "timeout": "30s"}, {"name": [_WATCH], "timeout": "86400s"}]}
)
_MAX_MESSAGE_BYTES = 64 * 1024 * 1024


class Client:
    """One server's services; calls block, and raise grpc.RpcError."""

    def __init__(self, channel: grpc.Channel) -> None:
        self.templates = TemplateServiceStub(channel)
        self.executions = ExecutionServiceStub(channel)
        self.workflows = WorkflowServiceStub(channel)


@contextmanager
def connect(server: str) -> Iterator[Client]:
    """A client of the server at an address; a call that fails in the block ends it as Failure."""
    options = [
        ("grpc.max_receive_message_length", _MAX_MESSAGE_BYTES),
        ("grpc.service_config", _DEADLINES),
    ]
    with grpc.insecure_channel(server, options=options) as channel:
        try:
            yield Client(channel)
        except grpc.RpcError as error:
            raise failure_of(error, server) from error


def info_of(error: grpc.RpcError) -> error_details_pb2.ErrorInfo | None:
    """Why the call failed, for programs; None where the server never saw it."""
    return next(_details(error, error_details_pb2.ErrorInfo), None)


def is_unreachable(error: grpc.RpcError) -> bool:
    """Whether no server has answered."""
    return info_of(error) is None and error.code() is grpc.StatusCode.UNAVAILABLE


def failure_of(error: grpc.RpcError, server: str) -> Failure:
    """One line for the error, then one for each field that is at fault."""
    if is_unreachable(error):
        return Failure(
            f"no server answers at {server}; start one with `{program()} up`, "
            "or name another with --server"
        )
    lines = [f"{error.details()} ({error.code().name})"]
    for request in _details(error, error_details_pb2.BadRequest):
        lines = [f"the server refuses the request ({error.code().name}):"]
        lines += [f"  {fault.field}: {fault.description}" for fault in request.field_violations]
    return Failure("\n".join(lines))


_Detail = TypeVar("_Detail", bound=Message)


def _details(error: grpc.RpcError, kind: type[_Detail]) -> Iterator[_Detail]:
    status = rpc_status.from_call(error)
    for packed in status.details if status else ():
        detail = kind()
        if packed.Unpack(detail):
            yield detail
