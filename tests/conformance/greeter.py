"""Stands in for the gRPC service of the standard's example, which tells its proto by reflection."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import grpc
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message_factory import GetMessageClass
from grpc_reflection.v1alpha import reflection

from tests.fixtures.grpc_peer import descriptor_set

_SERVICE = "GreeterApi.Greeter"
_PROTO = """
syntax = "proto3";
package GreeterApi;
service Greeter { rpc SayHello(HelloRequest) returns (HelloReply); }
message HelloRequest { string name = 1; }
message HelloReply { string message = 1; }
"""


@asynccontextmanager
async def greeter() -> AsyncIterator[int]:
    """The port of the service."""
    pool = DescriptorPool()
    for file in descriptor_set(_PROTO).file:
        pool.Add(file)
    request, reply = (
        GetMessageClass(pool.FindMessageTypeByName(f"GreeterApi.{name}"))
        for name in ("HelloRequest", "HelloReply")
    )

    async def say_hello(asked: Any, context: Any) -> Any:
        return reply(message=f"Hello {asked.name}")

    handler = grpc.unary_unary_rpc_method_handler(
        say_hello,
        request_deserializer=request.FromString,
        response_serializer=reply.SerializeToString,
    )
    server = grpc.aio.server()
    server.add_generic_rpc_handlers(
        [grpc.method_handlers_generic_handler(_SERVICE, {"SayHello": handler})]
    )
    reflection.enable_server_reflection((_SERVICE, reflection.SERVICE_NAME), server, pool=pool)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    try:
        yield port
    finally:
        await server.stop(None)
