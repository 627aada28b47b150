"""HTTP users of the echo services."""

from collections.abc import Iterator

import httpx
import pytest

from server.grpc_server import GrpcServer
from tests.fixtures.echo_services import echo_services
from tests.fixtures.envoy import StartEnvoy
from tests.fixtures.grpc_service import ServicesFactory


@pytest.fixture(scope="module")
def grpc_services() -> ServicesFactory:
    return echo_services


@pytest.fixture(scope="module")
def http(envoy: StartEnvoy, grpc_server: GrpcServer) -> Iterator[httpx.Client]:
    """A client of the server through Envoy, configured as in production."""
    with httpx.Client(base_url=envoy(grpc_port=grpc_server.port), timeout=20) as client:
        yield client
