"""`schedules`, against a stack as `up` starts it."""

import json
import re
from pathlib import Path

import pytest

from app.failure import Failure
from tests.fixtures.terminal import Terminal

YEARLY = """
document: {{ dsl: 1.0.0, namespace: cli, name: {name}, version: 1.0.0 }}
schedule: {{ cron: "0 3 1 1 *" }}
do:
  - greet:
      set: {{ seen: '${{ . }}' }}
"""


@pytest.fixture
def id(terminal: Terminal, file: Path, name: str) -> str:
    """The schedule of a template."""
    file.write_text(YEARLY.format(name=name))
    terminal.run("apply", str(file))
    listed = terminal.run("schedules", "list", "--template", name, "-n", "cli", "-o", "json")
    (schedule,) = json.loads(listed.stdout)
    return str(schedule["id"])


def test_schedules_are_listed_and_shown(terminal: Terminal, id: str, name: str) -> None:
    head, row = terminal.run("schedules", "list", "--template", name).stdout.splitlines()
    assert head.split() == [
        "ID", "TEMPLATE", "VERSION", "KIND", "EXPRESSION", "STATE", "NEXT", "(UTC)",
    ]  # fmt: skip
    assert re.match(rf"{id} +cli/{name} +1.0.0 +CRON +0 3 1 1 \* +active +\d+-01-01 03:00", row)
    shown = terminal.run("schedules", "get", id).stdout
    assert re.search(r"expression +0 3 1 1 \*", shown)
    assert json.loads(terminal.run("schedules", "get", id, "-o", "json").stdout)["id"] == id


def test_a_schedule_is_paused_and_resumed(terminal: Terminal, id: str) -> None:
    paused = terminal.run("schedules", "pause", id, "--reason", "lunch").stdout
    assert paused == f"the schedule {id} is paused\n"
    assert re.search(r"pause_reason +lunch", terminal.run("schedules", "get", id).stdout)
    resumed = json.loads(terminal.run("schedules", "resume", id, "-o", "json").stdout)
    assert resumed["paused"] is False


def test_a_schedule_starts_executions_by_hand(terminal: Terminal, id: str, name: str) -> None:
    words = ("schedules", "trigger", id, "--input", '{"by": "hand"}', "-o", "json")
    assert json.loads(terminal.run(*words).stdout)["input"] == {"by": "hand"}
    backfill = ("schedules", "backfill", id, "--from", "2024-06-01", "--to", "2025-02-01")
    assert terminal.run(*backfill).stdout == "1 execution to be started\n"


@pytest.mark.parametrize(
    "words",
    [
        ["get", "nobody"],
        ["pause", "nobody"],
        ["resume", "nobody"],
        ["trigger", "nobody"],
        ["backfill", "nobody", "--from", "2h", "--to", "1h"],
    ],
)
def test_a_schedule_that_is_not_there_is_told(terminal: Terminal, words: list[str]) -> None:
    with pytest.raises(Failure, match=r"there is no schedule nobody \(NOT_FOUND\)$"):
        terminal.run("schedules", *words)
