from pathlib import Path

import pytest

from app.documentation.settings_table import lines
from app.failure import Failure
from app.settings import Settings, load_settings

ROOT = Path(__file__).parents[3]


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "settings.toml"


def faults(file: Path | None = None) -> list[str]:
    with pytest.raises(Failure) as failure:
        load_settings(file)
    assert failure.value.exit_code == 2
    return failure.value.message.splitlines()


@pytest.mark.parametrize("name", Settings.model_fields)
def test_each_setting_has_a_line_that_documents_it(name: str) -> None:
    description = Settings.model_fields[name].description
    assert description
    assert "\n" not in description
    assert description.endswith(".")


def test_the_table_of_settings_is_up_to_date() -> None:
    assert (ROOT / "docs/settings.md").read_text() == "\n".join(lines()) + "\n", "make generate"


def test_nothing_has_to_be_set() -> None:
    settings = load_settings()
    assert settings.database_url == "sqlite:///.local/workflow-engine.db"
    assert settings.temporal_address == "127.0.0.1:7233"


def test_defaults_follow_what_they_are_made_of(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STATE_DIRECTORY", "/var/lib/engine")
    monkeypatch.setenv("TEMPORAL_PORT", "7300")
    settings = load_settings()
    assert settings.database_url == "sqlite:////var/lib/engine/workflow-engine.db"
    assert settings.temporal_address == "127.0.0.1:7300"


def test_a_variable_counts_before_the_file(monkeypatch: pytest.MonkeyPatch, file: Path) -> None:
    file.write_text('task_queue = "file"\nlog_level = "debug"\n')
    monkeypatch.setenv("TASK_QUEUE", "variable")
    settings = load_settings(file)
    assert (settings.task_queue, settings.log_level) == ("variable", "debug")


def test_an_empty_variable_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TASK_QUEUE", "")
    assert load_settings().task_queue == "workflow-engine"


def test_settings_never_change() -> None:
    with pytest.raises(ValueError, match="frozen"):
        load_settings().task_queue = "other"  # type: ignore[misc] # that is the point


def test_defaults_for_a_use_leave_what_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOG_FORMAT", "json")
    settings = load_settings().with_defaults(log_format="text", grpc_address="127.0.0.1:9000")
    assert (settings.log_format, settings.grpc_address) == ("json", "127.0.0.1:9000")


@pytest.mark.parametrize(
    ("name", "value", "fault"),
    [
        ("GRPC_ADDRESS", "9000", "must be HOST:PORT, such as 127.0.0.1:9000"),
        ("GRPC_ADDRESS", "host:70000", "must be HOST:PORT, such as 127.0.0.1:9000"),
        ("LOG_FORMAT", "xml", "must be 'json' or 'text'"),
        ("HTTP_PORT", "0", "must be greater than or equal to 1"),
        ("DRAIN_SECONDS", "soon", "must be a number, not 'soon'"),
        ("HTTP_PORT", "banana", "must be a whole number, not 'banana'"),
        ("HTTP_PORT", "80.5", "must be a whole number, not '80.5'"),
        ("TEMPORAL_PORT", "99999", "must be less than or equal to 65535"),
        (
            "DATABASE_URL",
            "mysql://root:secret@host/db",
            "must be sqlite:///FILE or postgresql://USER:PASSWORD@HOST:PORT/NAME",
        ),
    ],
)
def test_a_bad_value_is_one_line_with_its_name_and_what_is_allowed(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, fault: str
) -> None:
    monkeypatch.setenv(name, value)
    assert faults() == [f"{name}: {fault}"]


def test_all_faults_are_told_at_once(monkeypatch: pytest.MonkeyPatch, file: Path) -> None:
    file.write_text("http_port = -1\ncolour = 'red'\n")
    monkeypatch.setenv("LOG_LEVEL", "loud")
    assert faults(file) == [
        "HTTP_PORT: must be greater than or equal to 1",
        "LOG_LEVEL: must be 'debug', 'info', 'warning' or 'error'",
        "colour: there is no such setting; docs/settings.md lists all",
    ]


def test_a_file_that_is_missing_or_broken_is_told(file: Path) -> None:
    assert faults(file) == [f"there is no settings file {file}"]
    file.write_text("http_port = ")
    (line,) = faults(file)
    assert line.startswith(f"{file} isn't TOML: ")


def test_the_password_of_the_database_is_never_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://engine:pass-of-it@host/db")
    assert "pass-of-it" not in repr(load_settings())


@pytest.mark.parametrize(
    ("text", "kinds"), [("shell", ["shell"]), ("script, container", ["script", "container"])]
)
def test_processes_are_turned_on_by_kind(
    monkeypatch: pytest.MonkeyPatch, text: str, kinds: list[str]
) -> None:
    monkeypatch.setenv("PROCESSES", text)
    assert list(load_settings().processes) == kinds


def test_processes_are_turned_on_by_a_file(file: Path) -> None:
    file.write_text('processes = ["mcp"]\nprocess_namespaces = ["a", "b"]\n')
    settings = load_settings(file)
    assert (settings.processes, settings.process_namespaces) == (("mcp",), ("a", "b"))


def test_processes_are_off_unless_they_are_turned_on(monkeypatch: pytest.MonkeyPatch) -> None:
    assert load_settings().processes == ()
    monkeypatch.setenv("PROCESSES", "none")
    assert load_settings().processes == ()


def test_a_kind_of_processes_that_isnt_there_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PROCESSES", "shell,java")
    assert faults() == ["PROCESSES: must be 'shell', 'script', 'container' or 'mcp'"]
