"""`batch`, `operations` and `delete`, against a stack as `up` starts it."""

import json
import re
import time
from pathlib import Path

import pytest

from app.failure import Failure
from tests.fixtures.terminal import LISTENING, Terminal
from tests.patience import PATIENCE_SECONDS


@pytest.fixture
def waiting(terminal: Terminal, file: Path, name: str) -> set[str]:
    """Three executions that wait."""
    first = terminal.started(file, name)
    run = ("run", name, "-n", "cli", "-o", "json")
    return {first, *(str(json.loads(terminal.run(*run).stdout)["id"]) for _ in range(2))}


def statuses(terminal: Terminal, name: str) -> list[str]:
    listed = terminal.run("list", "--template", name, "-o", "json").stdout
    return [each["status"] for each in json.loads(listed)]


def until(terminal: Terminal, name: str, status: str) -> None:
    end = time.monotonic() + PATIENCE_SECONDS
    while set(statuses(terminal, name)) != {status}:
        assert time.monotonic() < end
        time.sleep(0.1)


def test_it_counts_asks_and_does_it(terminal: Terminal, name: str, waiting: set[str]) -> None:
    until(terminal, name, "WAITING")
    counted = terminal.run("batch", "cancel", "--template", name, "--dry-run")
    assert (counted.stdout, counted.exit_code) == ("3 executions match\n", 0)
    words = ("batch", "cancel", "--template", name, "--status", "WAITING", "--reason", "lunch")
    refused = terminal.run(*words, input="n\n")
    assert refused.exit_code == 1
    assert "cancel 3 executions? [y/n] (n):" in refused.stderr
    assert set(statuses(terminal, name)) == {"WAITING"}

    head, done = terminal.run(*words, input="y\n").stdout.splitlines()
    assert head.split()[:6] == ["ID", "ACTION", "STATE", "MATCHED", "DONE", "REFUSED"]
    assert done.split()[1:6] == ["cancel", "ended", "3", "3", "0"]
    until(terminal, name, "CANCELLED")
    operation = json.loads(terminal.run("operations", "get", done.split()[0], "-o", "json").stdout)
    assert operation["metadata"]["reason"] == "lunch"
    nothing = terminal.run(*words)
    assert (nothing.stdout, nothing.stderr) == ("", "0 executions match\n")


def test_those_that_refuse_are_told(terminal: Terminal, name: str, waiting: set[str]) -> None:
    with pytest.raises(Failure, match="3 of 3 executions refused"):
        terminal.run("batch", "delete", "--template", name, "-n", "cli", "--yes")
    listed = terminal.run("operations", "list", "-n", "cli", "-o", "json").stdout
    (failed,) = [
        each["metadata"]
        for each in json.loads(listed)
        if {failure["id"] for failure in each["metadata"]["failures"]} == waiting
    ]
    assert (failed["action"], failed["failed"]) == ("DELETE", 3)
    table = terminal.run("operations", "list", "-n", "cli").stdout
    assert re.search(r" delete +ended +3 +0 +3 ", table)


def test_a_single_one_is_deleted_once_it_has_ended(
    terminal: Terminal, file: Path, name: str
) -> None:
    id = terminal.started(file, name, LISTENING)
    with pytest.raises(Failure, match="FAILED_PRECONDITION"):
        terminal.run("delete", id)
    terminal.run("terminate", id)
    assert terminal.run("delete", id).stdout == f"the execution {id} is deleted\n"
    with pytest.raises(Failure, match=f"there is no execution {id}"):
        terminal.run("get", id)


def test_an_operation_that_has_ended_is_shown_and_stays(
    terminal: Terminal, name: str, waiting: set[str]
) -> None:
    words = ("batch", "terminate", "--template", name, "--yes", "--output", "json")
    operation = json.loads(terminal.run(*words).stdout)
    assert operation["response"]["succeeded"] == 3
    id = operation["name"].removeprefix("operations/")
    assert re.search(r"terminate +ended +3 +3 +0", terminal.run("operations", "watch", id).stdout)
    assert f"the operation {id} is ended" in terminal.run("operations", "cancel", id).stdout
    dry = ("batch", "retry", "--template", name, "--dry-run", "-o", "json")
    assert json.loads(terminal.run(*dry).stdout)["response"]["matched"] == 3


@pytest.mark.parametrize("command", ["get", "watch", "cancel"])
def test_an_operation_that_is_not_there_is_told(terminal: Terminal, command: str) -> None:
    with pytest.raises(Failure, match="there is no operation nobody"):
        terminal.run("operations", command, "nobody")
