"""Asks gRPC services for their own proto, by the protocol of server reflection."""

import grpc
from google.protobuf.descriptor_pb2 import FileDescriptorProto, FileDescriptorSet
from grpc_reflection.v1alpha.reflection_pb2 import (
    ServerReflectionRequest,
    ServerReflectionResponse,
)

from biz.dsl.errors import TaskFault, WorkflowError

_VERSIONS = ("v1", "v1alpha")
"""The same messages by two names; the second one is what older servers have."""

_MOST_FILES = 500
_SECONDS = 20


async def reflect(
    channel: grpc.aio.Channel, service: str, metadata: grpc.aio.Metadata
) -> FileDescriptorSet:
    """The files that describe a service, with all that they import.

    Raises TaskFault where the server knows no such service, and AioRpcError where it can't answer.
    """
    for version in _VERSIONS:
        asking = channel.stream_stream(
            f"/grpc.reflection.{version}.ServerReflection/ServerReflectionInfo",
            request_serializer=ServerReflectionRequest.SerializeToString,
            response_deserializer=ServerReflectionResponse.FromString,
        )
        stream = asking(timeout=_SECONDS, metadata=metadata)
        try:
            return await _files(stream, service)
        except grpc.aio.AioRpcError as error:
            if error.code() is not grpc.StatusCode.UNIMPLEMENTED:
                raise
        finally:
            stream.cancel()
    raise _fault(f"the server of {service} doesn't tell its proto: it has no reflection")


async def _files(
    stream: grpc.aio.StreamStreamCall[ServerReflectionRequest, ServerReflectionResponse],
    service: str,
) -> FileDescriptorSet:
    found: dict[str, FileDescriptorProto] = {}
    wanted = [ServerReflectionRequest(file_containing_symbol=service)]
    while wanted:
        await stream.write(wanted.pop())
        answer = await stream.read()
        if not isinstance(answer, ServerReflectionResponse):
            raise _fault(f"the server of {service} doesn't tell all of its proto")
        if answer.HasField("error_response"):
            message = answer.error_response.error_message
            raise _fault(f"the server doesn't tell the proto of {service}: {message}")
        for content in answer.file_descriptor_response.file_descriptor_proto:
            file = FileDescriptorProto.FromString(content)
            found[file.name] = file
        if len(found) > _MOST_FILES:
            raise _fault(f"the proto of {service} has more than {_MOST_FILES} files")
        missing = {name for file in found.values() for name in file.dependency} - found.keys()
        wanted = [ServerReflectionRequest(file_by_filename=name) for name in sorted(missing)[:1]]
    return FileDescriptorSet(file=found.values())


def _fault(detail: str) -> TaskFault:
    return TaskFault(WorkflowError.standard("configuration", detail))
