"""HTTP users of the stub server."""

from collections.abc import Iterator

import httpx
import pytest

from tests.fixtures.envoy import StartEnvoy


@pytest.fixture(scope="module")
def http(envoy: StartEnvoy, stub_port: int) -> Iterator[httpx.Client]:
    """A client of the stub server through Envoy, configured as in production."""
    with httpx.Client(base_url=envoy(grpc_port=stub_port), timeout=20) as client:
        yield client
