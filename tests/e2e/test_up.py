"""`workflow-engine up`: it starts all, keeps its state, and leaves nothing running."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from app.failure import Failure
from tests.fixtures.pids import all_end, children_of, is_alive, name_of
from tests.fixtures.polling import until
from tests.fixtures.stack import Stack, running_stack, stack_environment
from tests.patience import PATIENCE_SECONDS

HELLO = """
document: { dsl: 1.0.0, namespace: up, name: hello, version: 1.0.0 }
do:
  - greet:
      set: { greeting: '${ "hello " + .name }' }
"""


SLOW = HELLO.replace("do:", "do:\n  - pause:\n      wait: { seconds: 60 }")


async def define(stack: Stack, config: str = HELLO) -> None:
    async with httpx.AsyncClient(base_url=stack.http_url) as http:
        answer = await http.post("/api/v1/templates", json={"config": config})
        assert answer.is_success, answer.text


async def run_hello(stack: Stack) -> dict[str, object]:
    async with httpx.AsyncClient(base_url=stack.http_url, timeout=PATIENCE_SECONDS) as http:
        body = {
            "template_name": "hello",
            "namespace": "up",
            "input": {"name": "Ada"},
            "wait": "20s",
        }
        answer = await http.post("/api/v1/executions", json=body)
        execution: dict[str, object] = answer.raise_for_status().json()["execution"]
        return execution


async def until_running(stack: Stack) -> None:
    """Returns when an execution is known."""
    async with (
        httpx.AsyncClient(base_url=stack.http_url) as http,
        asyncio.timeout(PATIENCE_SECONDS),
    ):
        while not (await http.get("/api/v1/executions")).json().get("executions"):  # noqa: ASYNC110 - no Event tells it
            await asyncio.sleep(0.05)


async def test_ctrl_c_stops_all_children_and_ends_well(tmp_path: Path) -> None:
    async with running_stack(stack_environment(tmp_path)) as stack:
        children = children_of(stack.child.pid)
        assert len(children) == 2, "Temporal and Envoy"
        os.kill(stack.child.pid, signal.SIGINT)
        async with asyncio.timeout(PATIENCE_SECONDS):
            assert await stack.child.wait() == 0
        assert not any(map(is_alive, children))


async def test_a_second_ctrl_c_does_not_wait_for_calls_in_flight(tmp_path: Path) -> None:
    async with running_stack({**stack_environment(tmp_path), "DRAIN_SECONDS": "60"}) as stack:
        children = children_of(stack.child.pid)
        await define(stack, SLOW)
        call = asyncio.create_task(run_hello(stack))
        await until_running(stack)
        log = tmp_path / "up.log"
        os.kill(stack.child.pid, signal.SIGINT)
        await until(lambda: "calls in flight get up to 60 s" in log.read_text())
        await asyncio.sleep(0.5)
        assert is_alive(stack.child.pid)
        os.kill(stack.child.pid, signal.SIGINT)
        async with asyncio.timeout(PATIENCE_SECONDS / 2):
            assert await stack.child.wait() == 0
        assert not any(map(is_alive, children))
    with pytest.raises(httpx.HTTPError):
        await call


async def test_a_child_that_dies_ends_it_with_its_name(tmp_path: Path) -> None:
    async with running_stack(stack_environment(tmp_path)) as stack:
        envoy, temporal = sorted(children_of(stack.child.pid), key=name_of)
        os.kill(envoy, signal.SIGKILL)
        async with asyncio.timeout(PATIENCE_SECONDS):
            assert await stack.child.wait() == 1
        assert not is_alive(temporal)
    assert "Envoy ended by itself (exit code -9)" in (tmp_path / "up.log").read_text()


async def test_a_kill_leaves_no_child_and_the_state_survives_it(tmp_path: Path) -> None:
    settings = stack_environment(tmp_path)
    async with running_stack(settings) as stack:
        await define(stack)
        before = await run_hello(stack)
        children = children_of(stack.child.pid)
        os.kill(stack.child.pid, signal.SIGKILL)
        assert await asyncio.to_thread(all_end, children, within=PATIENCE_SECONDS)
    async with running_stack(settings) as stack, httpx.AsyncClient(base_url=stack.http_url) as http:
        answer = await http.get(f"/api/v1/executions/{before['id']}")
        assert answer.json()["execution"]["output"] == {"greeting": "hello Ada"}
        assert (await run_hello(stack))["status"] == "COMPLETED"


def test_ports_in_use_are_a_line_each_that_names_the_setting(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        settings = {**stack_environment(tmp_path), "HTTP_PORT": port, "TEMPORAL_PORT": port}
        process = subprocess.run(
            [sys.executable, "-m", "app", "up"],
            env={**os.environ, **settings},
            capture_output=True,
            text=True,
            timeout=PATIENCE_SECONDS,
            check=False,
        )
    advice = "free it or set {} to another"
    assert process.stderr.splitlines() == [
        f"port {port} for Envoy is in use; {advice.format('HTTP_PORT')}",
        f"port {port} for the Temporal development server is in use; "
        f"{advice.format('TEMPORAL_PORT')}",
    ]
    assert process.returncode == 1
    assert not (tmp_path / "logs").exists(), "something was started"


async def test_a_second_up_on_the_same_state_is_told_of_the_first(tmp_path: Path) -> None:
    async with running_stack(stack_environment(tmp_path)) as stack:
        process = await asyncio.to_thread(
            subprocess.run,
            [sys.executable, "-m", "app", "up"],
            env={**os.environ, **stack_environment(tmp_path)},
            capture_output=True,
            text=True,
            timeout=PATIENCE_SECONDS,
            check=False,
        )
        assert process.stderr == (
            f"`{tmp_path}` is in use by process {stack.child.pid}; "
            "stop that, or set STATE_DIRECTORY\n"
        )
        assert process.returncode == 1
        await define(stack)
        assert (await run_hello(stack))["status"] == "COMPLETED"


async def test_a_temporal_that_is_not_there_ends_it_with_one_line(tmp_path: Path) -> None:
    settings = {**stack_environment(tmp_path), "TEMPORAL_BINARY": "/does/not/exist"}
    with pytest.raises(Failure, match="TEMPORAL_BINARY: /does/not/exist isn't a program"):
        async with running_stack(settings):
            pass
