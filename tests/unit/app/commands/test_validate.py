from pathlib import Path

from typer.testing import CliRunner, Result

from app.cli import cli

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


def test_files_that_cannot_be_read_are_told_and_hold_up_no_other(tmp_path: Path) -> None:
    good, empty, binary = (tmp_path / name for name in ("good.yaml", "empty.yaml", "binary"))
    good.write_text(VALID)
    empty.write_text("\n")
    binary.write_bytes(b"\xff")
    result = validate(tmp_path / "none.yaml", tmp_path, empty, binary, good)
    assert result.exit_code == 1
    assert result.stderr.splitlines() == [
        f"there is no file {tmp_path}/none.yaml",
        f"{tmp_path} is a folder",
        f"{empty}: the file is empty",
        f"{binary} isn't text in UTF-8",
    ]
    assert result.stdout == f"{good}: valid\n"
