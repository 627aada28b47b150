from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from app.cli import cli
from app.failure import Failure
from tests.fixtures.definitions import GREET, definition


def render(*words: str) -> Result:
    return CliRunner().invoke(cli, ["render", *words], catch_exceptions=False)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A sound definition."""
    path = tmp_path / "greet.json"
    path.write_text(definition(GREET))
    return path


@pytest.mark.parametrize(
    ("name", "options", "begin"),
    [
        ("x.svg", [], "<svg "),
        ("x.mmd", [], "---\n"),
        ("x.txt", ["--format", "mermaid"], "---\n"),
        ("x.mmd", ["--format", "svg"], "<svg "),
    ],
)
def test_a_file_is_drawn_without_a_server_as_its_name_or_the_format_says(
    file: Path, tmp_path: Path, name: str, options: list[str], begin: str
) -> None:
    assert render(str(file), "-o", str(tmp_path / name), *options).stdout == ""
    assert (tmp_path / name).read_text().startswith(begin)


def test_without_an_output_the_picture_alone_is_printed(file: Path, tmp_path: Path) -> None:
    doubtful = tmp_path / "doubtful.json"
    doubtful.write_text(definition({"a": {"set": {"x": 1}, "then": "end"}}, GREET))  # a warning
    for path in (file, doubtful):
        printed = render(str(path)).stdout
        assert printed.startswith("<svg ")
        assert printed.endswith("</svg>\n")


def test_a_definition_with_errors_is_not_drawn(tmp_path: Path) -> None:
    faulty = tmp_path / "faulty.json"
    faulty.write_text(definition({"a": {"set": {}}}))
    with pytest.raises(Failure, match=r"faulty\.json"):
        render(str(faulty))


def test_where_it_cant_be_written_is_told(file: Path, tmp_path: Path) -> None:
    with pytest.raises(Failure, match="No such file"):
        render(str(file), "-o", str(tmp_path / "missing" / "x.svg"))


def test_a_template_and_an_execution_at_once_are_refused() -> None:
    with pytest.raises(Failure, match="choose one"):
        render("x", "--template", "--execution")


def test_a_server_that_isnt_there_is_told() -> None:
    with pytest.raises(Failure, match="no server answers"):
        render("x", "--execution", "--server", "127.0.0.1:1")
