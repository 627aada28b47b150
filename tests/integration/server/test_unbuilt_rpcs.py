"""What later versions will answer is in the contract, and says that it isn't here yet."""

from typing import Any

import grpc
import pytest
from google.protobuf.descriptor import MethodDescriptor
from google.protobuf.message_factory import GetMessageClass

from api.admin.v1 import admin_pb2
from tests.fixtures.statuses import code_of, error_info, refusal

UNBUILT = [
    method
    for service in admin_pb2.DESCRIPTOR.services_by_name.values()
    for method in service.methods
]


@pytest.mark.parametrize("method", UNBUILT, ids=lambda method: method.name)
def test_an_rpc_that_isnt_built_yet_says_so(
    grpc_channel: grpc.Channel, method: MethodDescriptor
) -> None:
    path = f"/{method.containing_service.full_name}/{method.name}"
    status = refusal(_call, grpc_channel, path, method)
    assert code_of(status) is grpc.StatusCode.UNIMPLEMENTED
    assert error_info(status).reason == "UNIMPLEMENTED"
    assert path in status.message


def _call(channel: grpc.Channel, path: str, method: MethodDescriptor) -> Any:
    request = GetMessageClass(method.input_type)()
    if method.server_streaming:
        call = channel.unary_stream(path, request_serializer=type(request).SerializeToString)
        return list(call(request))
    return channel.unary_unary(path, request_serializer=type(request).SerializeToString)(request)
