"""Secrets from files and variables, each namespace with its own."""

from pathlib import Path
from typing import Any

import pytest

from biz.secrets import SecretNotFound
from data.secrets import LocalSecrets

ENVIRONMENT = {
    "PRE_shop__key": "abc",
    "PRE_shop__both": "from the variable",
    "PRE_shop__login": '{"username": "ann"}',
    "PRE_shop__a_b": "dashed",
    "PRE_a_b__key": "of a-b",
    "PRE_a__b__c": "of a",
    "PRE_A__key": "of nobody",
    "PRE_": "of nobody",
    "HOME": "/root",
}


@pytest.fixture
def secrets(tmp_path: Path) -> LocalSecrets:
    folder = tmp_path / "secrets" / "shop"
    folder.mkdir(parents=True)
    (folder / "both").write_text("from the file\n")
    (folder / "object").write_text('{"token": "x", "n": [1]}')
    (folder / "array").write_text("[1]\n")
    (folder / "number").write_text("12")
    (folder / "lines").write_text("a\nb\n\n")
    (folder / "binary").write_bytes(b"\xff\xfe")
    (folder / "large").write_bytes(b"x" * 70_000)
    (folder / ".hidden").write_text("hidden")
    (folder / "folder").mkdir()
    (tmp_path / "outside").write_text("outside")
    return LocalSecrets(directory=tmp_path / "secrets", environment=ENVIRONMENT, prefix="PRE_")


@pytest.mark.parametrize(
    ("namespace", "name", "value"),
    [
        ("shop", "key", "abc"),
        ("shop", "both", "from the file"),
        ("shop", "login", {"username": "ann"}),
        ("shop", "object", {"token": "x", "n": [1]}),
        ("shop", "array", "[1]"),
        ("shop", "number", "12"),
        ("shop", "lines", "a\nb\n"),
        ("shop", "a-b", "dashed"),
        ("shop", "a.b", "dashed"),
        ("a-b", "key", "of a-b"),
        ("a", "b__c", "of a"),
    ],
)
async def test_a_secret(secrets: LocalSecrets, namespace: str, name: str, value: Any) -> None:
    assert await secrets.get(namespace, name) == value


@pytest.mark.parametrize(
    ("namespace", "name"),
    [
        ("other", "key"),
        ("shop", "Key"),
        ("shop", "missing"),
        ("shop", ""),
        ("", "key"),
        ("shop", "binary"),
        ("shop", "large"),
        ("shop", "folder"),
        ("shop", ".hidden"),
        ("shop", "../../outside"),
        ("..", "outside"),
        ("shop", "x\0y"),
        ("a__b", "c"),
        ("a--b", "c"),
        ("a_b", "key"),
        ("A", "key"),
        ("shop", "_key"),
        ("x", "HOME"),
    ],
)
async def test_no_secret(secrets: LocalSecrets, namespace: str, name: str) -> None:
    with pytest.raises(SecretNotFound):
        await secrets.get(namespace, name)


async def test_without_a_directory_there_are_variables_still() -> None:
    secrets = LocalSecrets(directory=None, environment=ENVIRONMENT, prefix="PRE_")
    assert await secrets.get("shop", "key") == "abc"


async def test_a_change_counts_at_once(tmp_path: Path) -> None:
    secrets = LocalSecrets(directory=tmp_path, environment={}, prefix="PRE_")
    (tmp_path / "shop").mkdir()
    for value in ("old", "new"):
        (tmp_path / "shop" / "key").write_text(value)
        assert await secrets.get("shop", "key") == value
