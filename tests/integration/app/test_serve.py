"""`serve` and `worker` where Temporal doesn't answer."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from app.embedded.ports import free_port
from tests.patience import PATIENCE_SECONDS

ADDRESS = "127.0.0.1:1"
COMMANDS = pytest.mark.parametrize("command", ["serve", "worker"])


@contextmanager
def running(command: str, state: Path, **settings: str) -> Iterator[subprocess.Popen[str]]:
    environment = {
        **os.environ,
        "STATE_DIRECTORY": str(state),
        "TEMPORAL_ADDRESS": ADDRESS,
        "GRPC_ADDRESS": f"127.0.0.1:{free_port()}",
        "METRICS_ADDRESS": f"127.0.0.1:{free_port()}",
        "LOG_FORMAT": "text",
        **settings,
    }
    app = [sys.executable, "-m", "app"]
    subprocess.run([*app, "migrate"], env=environment, check=True, stdout=subprocess.DEVNULL)
    process = subprocess.Popen(
        [*app, command],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    with process:
        try:
            yield process
        finally:
            process.kill()


@COMMANDS
def test_its_patience_ends_in_one_line(command: str, tmp_path: Path) -> None:
    with running(command, tmp_path, TEMPORAL_CONNECT_SECONDS="1.5") as process:
        shown, _ = process.communicate(timeout=PATIENCE_SECONDS)
    waiting, fault = shown.splitlines()
    assert "waiting for Temporal" in waiting
    assert fault == f"TEMPORAL_ADDRESS: no Temporal answers at {ADDRESS}"
    assert process.returncode == 1


@COMMANDS
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_waiting_at_once(
    command: str, number: signal.Signals, tmp_path: Path
) -> None:
    with running(command, tmp_path) as process:
        assert process.stdout is not None
        assert "waiting for Temporal" in process.stdout.readline()
        process.send_signal(number)
        shown, _ = process.communicate(timeout=PATIENCE_SECONDS)
    (line,) = shown.splitlines()
    assert "stopping" in line
    assert process.returncode == 0
