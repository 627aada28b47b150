"""What each command says where it can't do what was asked: a line, with what to do."""

import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
import typer.main
from typer.testing import CliRunner

from app.cli import cli
from app.embedded.ports import free_port
from app.failure import Failure
from tests.fixtures.definitions import GREET, definition
from tests.patience import PATIENCE_SECONDS

EVENT = '{"specversion": "1.0", "id": "1", "source": "/s", "type": "t"}'
WORDS = {
    "test": ["--from-execution", "x"],
    "apply": ["workflow.json"],
    "render": ["x", "--execution"],
    "run": ["x"],
    "get": ["x"],
    "list": [],
    "watch": ["x"],
    "events": ["x"],
    "logs": ["x"],
    "stats": [],
    "suspend": ["x"],
    "resume": ["x"],
    "cancel": ["x"],
    "terminate": ["x"],
    "retry": ["x"],
    "delete": ["x"],
    "batch": ["delete", "--all"],
    "operations list": [],
    "operations get": ["x"],
    "operations watch": ["x"],
    "operations cancel": ["x"],
    "publish": [EVENT],
    "signal": ["x", EVENT],
    "schedules list": [],
    "schedules get": ["x"],
    "schedules pause": ["x"],
    "schedules resume": ["x"],
    "schedules trigger": ["x"],
    "schedules backfill": ["x", "--from", "2h", "--to", "1h"],
}
"""Words that each command which needs a server can do with."""


def commands(group: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """All commands with their full names."""
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from commands(command, f"{path}{name} ")
        else:
            yield f"{path}{name}", command


def options(command: Any) -> set[str]:
    return {word for parameter in command.params for word in parameter.opts}


COMMANDS = dict(commands(typer.main.get_command(cli)))


def failure_of(words: Sequence[str]) -> Failure:
    """How a command ends that can't do it."""
    with pytest.raises(Failure) as ended:
        CliRunner().invoke(cli, words, catch_exceptions=False)
    return ended.value


def test_every_command_with_a_server_is_tried_here() -> None:
    assert WORDS.keys() == {n for n, command in COMMANDS.items() if "--server" in options(command)}


def test_every_command_that_prints_results_does_so_in_json_too() -> None:
    servers = {"up", "serve", "worker", "demo"}
    without = {name for name, each in COMMANDS.items() if "--output" not in options(each)}
    assert without == servers


@pytest.mark.parametrize("name", WORDS)
def test_without_a_server_it_says_how_to_start_or_name_one(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "workflow.json").write_text(definition(GREET))
    address = f"127.0.0.1:{free_port()}"
    message = failure_of([*name.split(), *WORDS[name], "--server", address]).message
    assert message.startswith(f"no server answers at {address}; start one with `")
    assert len(message.splitlines()) == 1


@pytest.mark.parametrize(
    ("words", "message", "code"),
    [
        (["list", "--after", "soon"], "--after isn't a time: soon; write 2025-03-14T15:00 ", 1),
        (["stats", "--before", "soon"], "--before isn't a time: soon; write 2025-03-14", 1),
        (["stats", "--interval", "1y"], "--interval isn't a duration: 1y; write 90s, 15m", 1),
        (["batch", "cancel", "--after", "x"], "--after isn't a time: x; write ", 1),
        (["batch", "cancel"], "choose filters, or --all and no filter", 2),
        (["batch", "cancel", "--all", "-n", "a"], "choose filters, or --all and no filter", 2),
        (["schedules", "backfill", "x", "--from", "1h", "--to", "x"], "--to isn't a time: x", 1),
        (["schedules", "trigger", "x", "-i", "{"], "--input isn't JSON: ", 1),
        (["run", "x", "-i", "@no.json"], "--input: there is no file no.json", 1),
        (["run", "x", "--label", "a"], "--label isn't KEY=VALUE: a", 1),
        (["retry", "x", "-i", "{"], "--input isn't JSON: ", 1),
        (["publish", "{"], "EVENT isn't JSON: ", 1),
        (["signal", "x", "@no.json"], "EVENT: there is no file no.json", 1),
        (["render", "no.yaml"], "there is no file no.yaml", 1),
        (["render", "x", "-t", "-e"], "choose one of --template and --execution", 2),
    ],
)
def test_a_bad_word_is_told_in_a_line(words: list[str], message: str, code: int) -> None:
    failure = failure_of(words)
    assert failure.message.startswith(message)
    assert len(failure.message.splitlines()) == 1
    assert failure.exit_code == code


@pytest.mark.parametrize("command", ["validate", "apply", "test", "test --faults"])
def test_a_bad_file_is_told_in_a_line(command: str, tmp_path: Path) -> None:
    file = tmp_path / "none.yaml"
    result = CliRunner().invoke(cli, [*command.split(), str(file)])
    assert result.exit_code == 1
    (line,) = result.stderr.splitlines()
    assert f"there is no file {file}" in line


@pytest.mark.parametrize(
    ("words", "lines"),
    [
        (
            ["logs", "x", "--level", "LOUD"],
            ["Invalid value for '--level': Value error, 'LOUD' is not one of 'DEBUG', 'INFO', "
             "'WARNING', 'ERROR'; see `python -m app logs --help`"],
        ),
        (["get"], ["Missing argument 'ID'; see `python -m app get --help`"]),
        (["lst"], ["No such command 'lst'. Did you mean 'list'; see `python -m app --help`"]),
    ],
)  # fmt: skip
def test_words_that_make_no_command_are_told_in_a_line(words: list[str], lines: list[str]) -> None:
    process = subprocess.run(
        [sys.executable, "-m", "app", *words],
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )
    assert (process.returncode, process.stderr.splitlines()) == (2, lines)


def test_a_question_without_an_answer_does_nothing() -> None:
    script = (
        "import sys, typer, app.cli.root as root; sys.argv[1:] = ['ask']\n"
        "root.cli.command('ask')(lambda: print(typer.confirm('Sure?', abort=True, err=True)))\n"
        "root.main()"
    )
    process = subprocess.run(
        [sys.executable, "-c", script],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )
    assert (process.returncode, process.stdout.strip()) == (1, "")
    assert process.stderr.endswith("nothing was done\n")
