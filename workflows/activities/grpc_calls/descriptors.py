"""What is known of a gRPC service: its methods and their messages."""

from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from google.protobuf import json_format
from google.protobuf.descriptor_database import DescriptorDatabase
from google.protobuf.descriptor_pb2 import FileDescriptorSet
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

from biz.dsl.errors import TaskFault, WorkflowError

_SHOWN = 20
_DEEPEST = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Method:
    """A method: its path, the types of its messages, and which of them come in a stream."""

    path: str
    request: type[Message]
    response: type[Message]
    takes_stream: bool
    gives_stream: bool
    pool: DescriptorPool

    def message(self, value: Any) -> Message:
        """A request of a JSON value; raises TaskFault, a validation error that names the field."""
        message = self.request()
        try:
            json_format.ParseDict(
                value, message, descriptor_pool=self.pool, max_recursion_depth=_DEEPEST
            )
        except (json_format.ParseError, TypeError, ValueError, AttributeError) as error:
            detail = f"the arguments of {self.path[1:]} are no {self.request.DESCRIPTOR.full_name}"
            raise TaskFault(WorkflowError.standard("validation", f"{detail}: {error}")) from None
        return message

    def value(self, message: Message) -> Any:
        """The JSON value of an answer: lowerCamelCase names, default values too, 64-bit integers as
        numbers where a double holds them.
        """
        return json_format.MessageToDict(
            message,
            always_print_fields_with_no_presence=True,
            unquote_int64_if_possible=True,
            descriptor_pool=self.pool,
        )


class Descriptors:
    """The services of some proto files."""

    def __init__(self, files: FileDescriptorSet) -> None:
        database = DescriptorDatabase()
        self._services: list[str] = []
        for file in files.file:
            database.Add(file)
            self._services += [f"{file.package}.{s.name}".lstrip(".") for s in file.service]
        self._pool = DescriptorPool(database)

    def method(self, service: str, method: str) -> Method:
        """A method of a service; raises TaskFault, a configuration error."""
        if service not in self._services:
            raise _fault(f"there is no service {service}; {_known(service, self._services)}")
        try:
            found = self._pool.FindServiceByName(service)
        except (KeyError, TypeError) as error:
            raise _fault(f"the proto of {service} is incomplete: {error}") from None
        if method not in found.methods_by_name:
            known = list(found.methods_by_name)
            raise _fault(f"{service} has no method {method}; {_known(method, known)}")
        descriptor = found.methods_by_name[method]
        return Method(
            path=f"/{service}/{method}",
            request=GetMessageClass(descriptor.input_type),
            response=GetMessageClass(descriptor.output_type),
            takes_stream=descriptor.client_streaming,
            gives_stream=descriptor.server_streaming,
            pool=self._pool,
        )


def _known(name: str, known: list[str]) -> str:
    if close := get_close_matches(name, known, n=1):
        return f"did you mean {close[0]}?"
    return f"there are {', '.join(known[:_SHOWN])}" if known else "there is none"


def _fault(detail: str) -> TaskFault:
    return TaskFault(WorkflowError.standard("configuration", detail))
