import sys
from pathlib import Path

import pytest

from app.program import program


@pytest.mark.parametrize("called", ["/somewhere/bin/workflow-engine", ".venv/bin/workflow-engine"])
def test_it_is_named_by_its_path(called: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", [called, "run"])
    assert program() == called


def test_it_is_named_by_its_name_where_path_has_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "workflow-engine"
    file.touch(mode=0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(sys, "argv", [str(file)])
    assert program() == "workflow-engine"


def test_a_module_is_named_with_its_interpreter(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["/somewhere/app/__main__.py"])
    monkeypatch.setattr(sys, "executable", "/usr/bin/python3")
    assert program() == "python3 -m app"
