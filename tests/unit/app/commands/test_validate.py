from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from app.cli import cli
from app.failure import Failure

VALID = """
document: { dsl: 1.0.0, namespace: tests, name: valid, version: 1.0.0 }
do:
  - greet:
      set: { greeting: hello }
"""


def validate(*files: Path) -> Result:
    return CliRunner().invoke(cli, ["validate", *map(str, files)], catch_exceptions=False)


def test_a_valid_definition_is_said_to_be(tmp_path: Path) -> None:
    file = tmp_path / "valid.yaml"
    file.write_text(VALID)
    result = validate(file)
    assert (result.exit_code, result.stdout) == (0, f"{file}: valid\n")


def test_each_fault_is_a_line_with_its_place(tmp_path: Path) -> None:
    good, bad = tmp_path / "good.yaml", tmp_path / "bad.yaml"
    good.write_text(VALID)
    bad.write_text(VALID.replace("      set:", "      sett:"))
    result = validate(bad, good)
    assert result.exit_code == 1
    first, *_, last = result.stdout.splitlines()
    assert first.startswith(f"{bad}:5:7: error: ")
    assert "] /do/0/greet" in first
    assert last == f"{good}: valid"


def test_json_is_read_too(tmp_path: Path) -> None:
    file = tmp_path / "broken.json"
    file.write_text('{\n  "document": ]}')
    result = validate(file)
    assert result.exit_code == 1
    assert result.stdout.startswith(f"{file}:2:")


def test_a_file_that_is_missing_is_told(tmp_path: Path) -> None:
    with pytest.raises(Failure, match=r"none\.yaml can't be read"):
        validate(tmp_path / "none.yaml")
