"""deploy/Dockerfile, as far as it can be tried without a container engine."""

import subprocess
import sys
import tomllib
from importlib.util import find_spec
from pathlib import Path

ROOT = Path(__file__).parents[3]


def instructions(name: str) -> list[str]:
    """What follows each instruction of this name, in order."""
    text = (ROOT / "deploy/Dockerfile").read_text(encoding="utf-8").replace("\\\n", " ")
    return [line.removeprefix(f"{name} ") for line in text.splitlines() if line.startswith(name)]


def copied() -> list[str]:
    """What comes from the repository."""
    return [line.split()[0] for line in instructions("COPY") if not line.startswith("--from")]


def test_all_packages_and_the_lock_file_are_copied() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    packages = project["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
    assert sorted(copied()) == sorted([*packages, "requirements.lock"])
    assert all((ROOT / source).exists() for source in copied())


def test_the_build_sees_what_is_copied_and_nothing_else() -> None:
    lines = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    assert [line[1:] for line in lines if line.startswith("!")] == sorted(
        copied(), key=lambda name: (name != "requirements.lock", name)
    )
    assert "*" in lines


def test_libraries_are_those_of_the_lock_file_by_their_hashes() -> None:
    (libraries,) = (line for line in instructions("RUN") if "requirements.lock" in line)
    assert "--require-hashes" in libraries
    assert "pytest" not in (ROOT / "requirements.lock").read_text(encoding="utf-8")


def test_it_runs_as_a_user_without_rights() -> None:
    assert instructions("USER") == ["10001"]


def test_its_entry_point_is_a_module_of_ours() -> None:
    assert instructions("ENTRYPOINT") == ['["python", "-m", "app"]']
    assert find_spec("app.__main__") is not None


def test_its_commands_start_without_the_libraries_that_are_left_out() -> None:
    program = (
        "import sys; sys.modules['envoy'] = None; sys.argv = ['workflow-engine', '--help'];"
        "import app.commands.migrate, app.commands.serve; from app.cli import main; main()"
    )
    ran = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, check=False, timeout=60, capture_output=True
    )
    assert ran.returncode == 0, ran.stderr
