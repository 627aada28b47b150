"""Completion of words by the shell."""

import os
import shutil
import subprocess
from collections.abc import Mapping

import pytest
from typer.testing import CliRunner

from app.cli import cli

PROGRAM = "workflow-engine"
VARIABLE = "_WORKFLOW_ENGINE_COMPLETE"


def answer(variables: Mapping[str, str]) -> str:
    """What the program answers to the script of a shell."""
    return CliRunner().invoke(cli, [], prog_name=PROGRAM, env=variables).stdout


@pytest.mark.parametrize(
    ("shell", "check"), [("bash", ["bash", "-n"]), ("zsh", ["zsh", "--no-exec"])]
)
def test_each_shell_gets_a_script(shell: str, check: list[str]) -> None:
    script = answer({VARIABLE: f"source_{shell}"})
    assert f"{VARIABLE}=complete_{shell}" in script
    assert PROGRAM in script
    if shutil.which(shell):
        subprocess.run(check, input=script, text=True, env=os.environ, timeout=10, check=True)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("workflow-engine susp", {"suspend"}),
        ("workflow-engine operations ", {"list", "get", "watch", "cancel"}),
        ("workflow-engine batch de", {"delete"}),
        ("workflow-engine list --status FA", {"FAULTED"}),
        ("workflow-engine get --out", {"--output"}),
        ("workflow-engine get x --output ", {"json", "table"}),
    ],
)
def test_words_are_completed_in_bash(line: str, expected: set[str]) -> None:
    place = len(line.split()) - (not line.endswith(" "))
    variables = {VARIABLE: "complete_bash", "COMP_WORDS": line, "COMP_CWORD": str(place)}
    assert set(answer(variables).split()) == expected


def test_words_are_completed_in_zsh() -> None:
    told = answer({VARIABLE: "complete_zsh", "_TYPER_COMPLETE_ARGS": "workflow-engine susp"})
    assert '"suspend":"Holds an execution before its next task."' in told
