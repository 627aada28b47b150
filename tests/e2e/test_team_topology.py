"""The parts of docker-compose.yaml as processes of their own, on PostgreSQL and behind Envoy."""

import json
import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest

from app.embedded.ports import free_port
from tests.fixtures.envoy import StartEnvoy
from tests.fixtures.http_service import HttpService

ROOT = Path(__file__).parents[2]
WORKFLOW = {
    "document": {"dsl": "1.0.0", "namespace": "default", "name": "greet", "version": "1.0.0"},
    "do": [
        {"fetch": {"call": "http", "with": {"method": "get", "endpoint": "${ .service }"}}},
        {"pause": {"wait": {"milliseconds": 20}}},
        {"greet": {"set": {"greeting": '${ "hello " + .name }'}}},
    ],
}

Process = subprocess.Popen[bytes]


@pytest.fixture
def grpc_port() -> int:
    return free_port()


@pytest.fixture
def run(
    postgres_url: str, temporal_address: str, grpc_port: int, tmp_path: Path
) -> Iterator[Callable[..., Process]]:
    """Runs a command of ours beside the others; stops it in the end."""
    settings = {
        "DATABASE_URL": postgres_url,
        "TEMPORAL_ADDRESS": temporal_address,
        "TASK_QUEUE": f"team-{uuid.uuid4()}",
        "GRPC_ADDRESS": f"127.0.0.1:{grpc_port}",
        "METRICS_ADDRESS": f"127.0.0.1:{free_port()}",
    }
    with ExitStack() as stack:

        def start(command: str) -> Process:
            log = stack.enter_context((tmp_path / f"{uuid.uuid4()}.log").open("wb"))
            process = subprocess.Popen(
                [sys.executable, "-m", "app", command],
                cwd=ROOT,
                env={**os.environ, **settings},
                stdout=log,
                stderr=subprocess.STDOUT,
            )
            stack.callback(process.wait, timeout=60)
            stack.callback(process.terminate)
            return process

        yield start


def await_ready(http: httpx.Client, server: Process) -> None:
    while http.get("/api/v1/templates").status_code != 200:
        assert server.poll() is None
        time.sleep(0.2)


def test_runs_complete_over_http_while_workers_come_and_go(
    run: Callable[..., Process], envoy: StartEnvoy, grpc_port: int, http_service: HttpService
) -> None:
    assert run("migrate").wait(timeout=60) == 0
    server, first, second = run("serve"), run("worker"), run("worker")
    with httpx.Client(base_url=envoy(grpc_port=grpc_port), timeout=70) as http:
        await_ready(http, server)
        config = json.dumps(WORKFLOW)
        created = http.post("/api/v1/templates", json={"config": config})
        template_id = created.json()["template"]["id"]

        def execute(pet: int) -> dict[str, Any]:
            body = {
                "template_id": template_id,
                "input": {"service": f"{http_service.url}/pets/{pet}"},
                "wait": "60s",
            }
            execution: dict[str, Any] = http.post("/api/v1/executions", json=body).json()
            return execution["execution"]

        for pet in range(5):
            ended = execute(pet)
            assert (ended["status"], ended["output"]) == (
                "COMPLETED",
                {"greeting": f"hello pet{pet}"},
            )
        first.send_signal(signal.SIGTERM)
        assert first.wait(timeout=60) == 0
        assert execute(7)["output"] == {"greeting": "hello pet7"}
    for process in (second, server):
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=60) == 0
