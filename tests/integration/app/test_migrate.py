import pytest
from typer.testing import CliRunner

from app.cli import cli
from app.failure import Failure


def migrate(database_url: str, *words: str) -> list[str]:
    result = CliRunner().invoke(
        cli, ["migrate", *words], env={"DATABASE_URL": database_url}, catch_exceptions=False
    )
    assert result.exit_code == 0
    return result.stdout.splitlines()


def test_it_goes_forward_and_back(empty_database_url: str) -> None:
    applied = migrate(empty_database_url)
    assert applied[0] == "applied: 0001_initial"
    assert migrate(empty_database_url) == ["nothing to do"]
    undone = migrate(empty_database_url, "--down", "1")
    assert undone == [applied[-1].replace("applied", "undone")]
    assert migrate(empty_database_url) == [applied[-1]]


def test_a_database_that_does_not_answer_is_told_with_its_setting() -> None:
    with pytest.raises(Failure, match="DATABASE_URL: the database doesn't answer"):
        migrate("postgresql://nobody@127.0.0.1:1/none")
