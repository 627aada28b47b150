"""The one configuration of Envoy, and what is put in where it starts."""

import json
from pathlib import Path
from typing import Any

from google.protobuf.descriptor_pb2 import FileDescriptorSet

from app.embedded.envoy_config import envoy_command, load_envoy_config, readdressed
from server.grpc_server import DEFAULT_MAX_RECEIVE_BYTES


def http_manager(config: dict[str, Any]) -> dict[str, Any]:
    manager: dict[str, Any] = config["static_resources"]["listeners"][0]["filter_chains"][0]
    return manager["filters"][0]["typed_config"]


def http_filter(config: dict[str, Any], name: str) -> dict[str, Any]:
    (found,) = (
        each["typed_config"]
        for each in http_manager(config)["http_filters"]
        if each["name"] == f"envoy.filters.http.{name}"
    )
    return found


def addresses(config: dict[str, Any]) -> list[tuple[str, int]]:
    """Where it listens, then where the server is."""
    resources = config["static_resources"]
    endpoint = resources["clusters"][0]["load_assignment"]["endpoints"][0]["lb_endpoints"][0]
    both = (resources["listeners"][0]["address"], endpoint["endpoint"]["address"])
    return [
        (each["socket_address"]["address"], each["socket_address"]["port_value"]) for each in both
    ]


def test_the_file_has_the_addresses_of_a_container() -> None:
    assert addresses(load_envoy_config()) == [("0.0.0.0", 8000), ("server", 9000)]


def test_other_addresses_replace_them() -> None:
    config = readdressed(load_envoy_config(), listen="127.0.0.1:18000", upstream="[::1]:19000")
    assert addresses(config) == [("127.0.0.1", 18000), ("::1", 19000)]


def test_the_descriptors_are_those_beside_the_file() -> None:
    config = readdressed(load_envoy_config(), listen="127.0.0.1:1", upstream="127.0.0.1:2")
    assert Path(http_filter(config, "grpc_json_transcoder")["proto_descriptor"]).is_file()


def test_what_was_given_stays_as_it_was() -> None:
    original = load_envoy_config()
    readdressed(original, listen="127.0.0.1:1", upstream="127.0.0.1:2")
    assert original == load_envoy_config()


def test_every_service_is_transcoded() -> None:
    config = readdressed(load_envoy_config(), listen="127.0.0.1:1", upstream="127.0.0.1:2")
    transcoder = http_filter(config, "grpc_json_transcoder")
    files = FileDescriptorSet.FromString(Path(transcoder["proto_descriptor"]).read_bytes()).file
    services = [
        f"{file.package}.{service.name}"
        for file in files
        if file.package.startswith("api.")
        for service in file.service
    ]
    assert sorted(transcoder["services"]) == sorted(services)


def test_the_grpc_server_takes_any_body_that_envoy_takes() -> None:
    limit = http_filter(load_envoy_config(), "buffer")["max_request_bytes"]
    # The shortest number in a list, two bytes as JSON, takes eleven as Protobuf.
    assert limit / 2 * 11 <= DEFAULT_MAX_RECEIVE_BYTES


def test_there_is_no_admin_interface() -> None:
    assert "admin" not in load_envoy_config()


def test_the_command_carries_the_configuration_and_shares_nothing_with_others() -> None:
    command = envoy_command(
        binary=Path("/opt/envoy"), listen="127.0.0.1:18000", upstream="127.0.0.1:19000"
    )
    assert command[:2] == ["/opt/envoy", "--config-yaml"]
    assert addresses(json.loads(command[2])) == [("127.0.0.1", 18000), ("127.0.0.1", 19000)]
    assert "--disable-hot-restart" in command
