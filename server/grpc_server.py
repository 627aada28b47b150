"""The gRPC transport: one grpc.aio server with health, reflection and a graceful stop."""

import asyncio
import errno
import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import grpc.aio
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection

from server.interceptors.chain import Chain

# What a body of 4 MiB, Envoy's limit, can grow to as Protobuf, where a number takes eleven bytes.
DEFAULT_MAX_RECEIVE_BYTES = 24 * 1024 * 1024
_MAX_METADATA_BYTES = 128 * 1024
_MAX_PENDING_CALLS = 100_000


class ListenError(Exception):
    """The server can't listen on its address; the text names it, in one line."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """One service to serve: its full name, the generated `add_…_to_server`, and its servicer."""

    name: str
    add: Callable[[Any, grpc.aio.Server], None]
    servicer: Any


class GrpcServer:
    """Serves until it is stopped; made anew for each start."""

    def __init__(
        self,
        *,
        address: str,
        services: Sequence[Service],
        chain: Chain,
        max_receive_bytes: int = DEFAULT_MAX_RECEIVE_BYTES,
    ) -> None:
        """`address` is `host:port`; port 0 takes a free one.

        A message over `max_receive_bytes` is refused with RESOURCE_EXHAUSTED.
        """
        self._address = address
        self._services = services
        self._chain = chain
        self._max_receive_bytes = max_receive_bytes
        self._health = health.aio.HealthServicer()
        self._server: grpc.aio.Server | None = None
        self._port = 0

    @property
    def port(self) -> int:
        """Where it listens, once started."""
        return self._port

    async def start(self) -> None:
        """Listens and serves. Raises ListenError."""
        await _require_free(self._address)
        server = grpc.aio.server(
            interceptors=[self._chain],
            options=self._options(),
        )
        for service in self._services:
            service.add(service.servicer, server)
        health_pb2_grpc.add_HealthServicer_to_server(self._health, server)
        names = [service.name for service in self._services]
        reflection.enable_server_reflection(
            [*names, health.SERVICE_NAME, reflection.SERVICE_NAME], server
        )
        try:
            self._port = server.add_insecure_port(self._address)
        except RuntimeError:
            raise ListenError(
                f"can't listen on {self._address}: this machine has no such address, or it is taken"
            ) from None
        await server.start()
        self._server = server
        for name in names:
            await self._health.set(name, health_pb2.HealthCheckResponse.SERVING)

    async def stop(self, grace: timedelta) -> None:
        """Takes no new calls, and cancels those that aren't done after `grace`.

        Health says NOT_SERVING from the beginning on.
        """
        await self._health.enter_graceful_shutdown()
        if self._server is not None:
            await self._server.stop(grace.total_seconds())

    async def wait(self) -> None:
        """Returns when the server has stopped."""
        if self._server is not None:
            await self._server.wait_for_termination()

    def _options(self) -> Sequence[tuple[str, int]]:
        return (
            # Two servers on one port would share its connections, unnoticed.
            ("grpc.so_reuseport", 0),
            ("grpc.max_receive_message_length", self._max_receive_bytes),
            # Beyond the first gRPC refuses at random, beyond the second always. Envoy lets 60 KiB
            # pass; here each header counts 32 bytes more.
            ("grpc.max_metadata_size", _MAX_METADATA_BYTES),
            ("grpc.absolute_max_metadata_size", _MAX_METADATA_BYTES),
            # Likewise for calls that came in a burst and wait to be taken up: as many as Envoy lets
            # run at once.
            ("grpc.server.max_pending_requests", _MAX_PENDING_CALLS),
            ("grpc.server.max_pending_requests_hard_limit", _MAX_PENDING_CALLS),
            # Watchers may be quiet for long: ask whether they are still there, and let them ask.
            ("grpc.keepalive_time_ms", 60_000),
            ("grpc.keepalive_timeout_ms", 20_000),
            ("grpc.keepalive_permit_without_calls", 1),
            ("grpc.http2.min_ping_interval_without_data_ms", 10_000),
            ("grpc.http2.min_recv_ping_interval_without_data_ms", 10_000),
        )


async def _require_free(address: str) -> None:
    """Raises ListenError where a port is taken on any address that the host stands for.

    gRPC is content when it gets one of them: of a taken `localhost` it would serve the IPv6 half.
    """
    host, _, port = address.rpartition(":")
    loop = asyncio.get_running_loop()
    try:
        places = await loop.getaddrinfo(
            host.strip("[]"), port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )
    except OSError as error:
        raise ListenError(f"can't listen on {address}: {error.strerror}") from None
    for family, kind, protocol, _, place in places:
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(place)
            except OSError as error:
                if error.errno == errno.EADDRINUSE:
                    raise ListenError(f"can't listen on {address}: the port is in use") from None
