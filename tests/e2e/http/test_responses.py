"""What an HTTP user gets: the form of the JSON, the headers and the errors."""

from collections.abc import Iterator

import grpc
import httpx
import pytest

from app.embedded.envoy_config import load_envoy_config
from app.embedded.ports import free_port
from server.grpc_server import GrpcServer
from tests.fixtures.envoy import StartEnvoy
from tests.fixtures.refusals import refusal


@pytest.fixture(scope="module")
def http_before_nothing(envoy: StartEnvoy) -> Iterator[httpx.Client]:
    """A client of an Envoy whose server is down."""
    with httpx.Client(base_url=envoy(grpc_port=free_port())) as client:
        yield client


def test_fields_keep_their_names_and_are_printed_with_their_defaults(http: httpx.Client) -> None:
    template = http.post("/api/v1/templates", json={"name": "a"}).json()["template"]
    assert template == {
        "id": "0",
        "name": "a",
        "description": "",
        "version": "",
        "config": "",
        "status": "",
        "etag": "",
        "namespace": "",
        "digest": "",
        "labels": {},
    }


def test_long_numbers_are_strings_and_enums_are_names(http: httpx.Client) -> None:
    execution = http.get("/api/v1/executions/abc").json()["execution"]
    assert execution["template_id"] == "0"
    assert execution["status"] == "RUNNING"


def test_an_error_of_the_service_keeps_code_message_and_details(http: httpx.Client) -> None:
    missing = refusal(http.get("/api/v1/templates/404"))
    assert (missing.status, missing.code, missing.reason) == (404, 5, "TEMPLATE_NOT_FOUND")
    assert missing.message == "there is no template 404"
    assert missing.details[0]["metadata"] == {"template_id": "404"}


def test_field_violations_are_among_the_details(http: httpx.Client) -> None:
    faulty = refusal(http.get("/api/v1/templates/400"))
    assert (faulty.status, faulty.code, faulty.reason) == (400, 3, "INVALID_ARGUMENT")
    (bad_request,) = (each for each in faulty.details if each["@type"].endswith("BadRequest"))
    fields = [each["field"] for each in bad_request["field_violations"]]
    assert fields == ["config", "config#/do/0"]


def test_a_call_of_a_later_part_is_not_implemented(http: httpx.Client) -> None:
    later = refusal(http.post("/api/v1/executions/abc:cancel", json={}))
    assert (later.status, later.code, later.reason) == (501, 12, "UNIMPLEMENTED")


def test_a_service_that_nobody_serves_is_not_implemented(http: httpx.Client) -> None:
    answer = http.get("/api/v1/audit-events")
    assert answer.headers["content-type"] == "application/json"
    assert (answer.status_code, answer.json()["code"]) == (501, 12)


def test_an_answer_that_json_cannot_carry_is_an_internal_error(http: httpx.Client) -> None:
    broken = refusal(http.get("/api/v1/executions/nan"))
    assert (broken.code, broken.reason) == (13, "INTERNAL")


@pytest.mark.parametrize("path", ["templates/1", "executions", "executions/abc:watch"])
def test_a_server_that_is_down_is_unavailable(http_before_nothing: httpx.Client, path: str) -> None:
    down = refusal(http_before_nothing.get(f"/api/v1/{path}"))
    assert (down.status, down.code, down.reason) == (503, 14, "SERVER_UNAVAILABLE")


def test_a_call_that_takes_too_long_is_ended(envoy: StartEnvoy, grpc_server: GrpcServer) -> None:
    config = load_envoy_config()
    manager = config["static_resources"]["listeners"][0]["filter_chains"][0]["filters"][0]
    for route in manager["typed_config"]["route_config"]["virtual_hosts"][0]["routes"]:
        if route["name"] == "calls":
            route["route"]["timeout"] = "0.5s"
    late = refusal(
        httpx.get(envoy(grpc_port=grpc_server.port, config=config) + "/api/v1/executions/slow")
    )
    assert (late.status, late.code, late.reason) == (504, 4, "DEADLINE_EXCEEDED")


def test_a_call_may_take_longer_than_the_longest_wait() -> None:
    (listener,) = load_envoy_config()["static_resources"]["listeners"]
    manager = listener["filter_chains"][0]["filters"][0]["typed_config"]
    (timeout,) = (
        route["route"]["timeout"]
        for route in manager["route_config"]["virtual_hosts"][0]["routes"]
        if route["name"] == "calls"
    )
    assert (
        65 < int(timeout.removesuffix("s")) < int(manager["stream_idle_timeout"].removesuffix("s"))
    )


@pytest.mark.parametrize(
    "path", ["templates/1", "templates/404", "templates/abc", "nothing", "executions/missing:watch"]
)
def test_the_request_id_of_the_caller_comes_back(http: httpx.Client, path: str) -> None:
    for request_id in ("mine", "c3a6a1f0-7d7e-4a56-9f11-6a1a1e0b2c3d"):
        answer = http.get(f"/api/v1/{path}", headers={"x-request-id": request_id})
        assert answer.headers.get_list("x-request-id") == [request_id]


def test_the_request_id_of_the_caller_reaches_the_server(http: httpx.Client) -> None:
    request_id = "c3a6a1f0-7d7e-4a56-9f11-6a1a1e0b2c3d"
    answer = http.get("/api/v1/templates/1", headers={"x-request-id": request_id})
    assert answer.json()["template"]["labels"]["x-request-id"] == request_id


def test_a_request_without_an_id_gets_one_for_both_sides(http: httpx.Client) -> None:
    answer = http.get("/api/v1/templates/1")
    assert answer.headers["x-request-id"] == answer.json()["template"]["labels"]["x-request-id"]


@pytest.mark.parametrize(
    "path", ["templates/1", "templates/404", "templates/abc", "nothing", "executions/missing:watch"]
)
def test_nothing_internal_is_among_the_headers(http: httpx.Client, path: str) -> None:
    answer = http.get(f"/api/v1/{path}")
    assert answer.headers["server"] == "workflow-engine"
    assert set(answer.headers) <= {
        "connection",
        "content-length",
        "content-type",
        "date",
        "server",
        "transfer-encoding",
        "x-request-id",
    }


def test_a_caller_can_not_steer_envoy(http: httpx.Client) -> None:
    steering = {
        "x-envoy-upstream-rq-timeout-ms": "1",
        "x-envoy-max-retries": "100",
        "x-envoy-internal": "true",
    }
    answer = http.get("/api/v1/templates/1", headers=steering)
    assert not steering.keys() & answer.json()["template"]["labels"].keys()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("grpc-timeout", "abc"),
        ("grpc-timeout", "0S"),
        ("grpc-encoding", "gzip"),
        ("x-mine-bin", "!!!"),
    ],
)
def test_a_header_that_means_something_to_grpc_stays_outside(
    http: httpx.Client, name: str, value: str
) -> None:
    answer = http.get("/api/v1/templates/1", headers={name: value})
    assert name not in answer.json()["template"]["labels"]
    assert http.post("/api/v1/templates", headers={name: value}, json={}).status_code == 200


def test_grpc_is_pointed_away_from_the_http_port(http: httpx.Client) -> None:
    with grpc.insecure_channel(f"{http.base_url.host}:{http.base_url.port}") as channel:
        call = channel.unary_unary("/api.template.v1.TemplateService/GetTemplate")
        with pytest.raises(grpc.RpcError) as raised:
            call(b"", timeout=10)
    assert raised.value.code() is grpc.StatusCode.UNIMPLEMENTED
