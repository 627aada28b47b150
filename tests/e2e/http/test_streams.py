"""Streams as JSON, a line a message, as they come."""

import json
from collections.abc import Iterator
from datetime import timedelta
from time import monotonic
from typing import Any

import httpx
import pytest

from app.embedded.envoy_config import load_envoy_config
from server.grpc_server import GrpcServer
from tests.fixtures.echo_services import STREAM_PAUSE
from tests.fixtures.envoy import StartEnvoy
from tests.fixtures.refusals import refusal

# Shorter than the pause between two messages, and so than any stream.
_SHORT = timedelta(seconds=0.1)


@pytest.fixture(scope="module")
def impatient_http(envoy: StartEnvoy, grpc_server: GrpcServer) -> Iterator[httpx.Client]:
    """A client of an Envoy whose ordinary timeouts are shorter than a stream's pauses."""
    config = load_envoy_config()
    manager = config["static_resources"]["listeners"][0]["filter_chains"][0]["filters"][0]
    manager["typed_config"]["stream_idle_timeout"] = f"{_SHORT.total_seconds()}s"
    for route in manager["typed_config"]["route_config"]["virtual_hosts"][0]["routes"]:
        if route["name"] == "calls":
            route["route"]["timeout"] = f"{_SHORT.total_seconds()}s"
    with httpx.Client(base_url=envoy(grpc_port=grpc_server.port, config=config)) as client:
        yield client


def arrivals(http: httpx.Client, path: str) -> Iterator[tuple[float, Any]]:
    """The lines of a stream as JSON, each with the seconds since the request."""
    start = monotonic()
    with http.stream("GET", path) as answer:
        assert answer.status_code == 200
        for line in answer.iter_lines():
            yield monotonic() - start, json.loads(line)


def test_each_message_is_a_line_and_comes_at_once(http: httpx.Client) -> None:
    times, lines = zip(*arrivals(http, "/api/v1/executions/abc:watch"), strict=True)
    sequences = [line["event"]["sequence"] for line in lines[:-1]]
    assert sequences == ["1", "2", "3"]
    assert lines[-1]["end"]["last_sequence"] == "3"
    assert times[-1] - times[0] > STREAM_PAUSE.total_seconds()


def test_a_stream_is_taken_up_where_the_caller_left_it(http: httpx.Client) -> None:
    lines = [line for _, line in arrivals(http, "/api/v1/executions/abc:watch?after_sequence=7")]
    assert lines[0]["event"]["sequence"] == "8"


def test_a_payload_comes_as_it_is(http: httpx.Client) -> None:
    answer = http.get("/api/v1/executions/abc/payloads/0f1e")
    assert answer.headers["content-type"] == "application/json"
    assert answer.json() == {"digest": "0f1e"}


@pytest.mark.parametrize("path", ["abc:watch", "abc:watch?after_sequence=7", "abc/payloads/0f1e"])
def test_streams_outlive_the_timeouts_of_other_calls(
    impatient_http: httpx.Client, path: str
) -> None:
    start = monotonic()
    answer = impatient_http.get(f"/api/v1/executions/{path}")
    assert monotonic() - start > 3 * STREAM_PAUSE.total_seconds() > 3 * _SHORT.total_seconds()
    assert "last_sequence" in answer.text or "digest" in answer.text


def test_a_stream_refused_at_once_is_an_ordinary_error(http: httpx.Client) -> None:
    missing = refusal(http.get("/api/v1/executions/missing:watch"))
    assert (missing.status, missing.code, missing.reason) == (404, 5, "EXECUTION_NOT_FOUND")


def test_a_stream_that_fails_midway_lacks_its_end_record(http: httpx.Client) -> None:
    lines = [line for _, line in arrivals(http, "/api/v1/executions/breaks:watch")]
    assert [list(line) for line in lines] == [["event"]]
