"""The commands of users, against a stack as `up` starts it."""

import json
import re
import subprocess
import sys
import time
import uuid
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from app.cli import cli
from app.embedded.ports import free_port
from app.failure import Failure
from app.program import program
from tests.fixtures.stack import Stack

DEFINITION = """
document: {{ dsl: 1.0.0, namespace: cli, name: {name}, version: {version} }}
do:
  - pause:
      wait: {{ milliseconds: 20 }}
  - greet:
      set: {{ greeting: '${{ "{word} " + .name }}', half: '${{ .number / 2 }}' }}
"""
FAULTY = """
document: { dsl: 1.0.0, namespace: cli, name: faulty, version: 1.0.0 }
do:
  - call:
      call: http
      with: { method: get, endpoint: http://127.0.0.1:1/ }
"""


class Terminal:
    """Runs commands against one server."""

    def __init__(self, server: str) -> None:
        self._server = server

    def run(self, *words: str) -> Result:
        """What the command did; raises what it raises."""
        return CliRunner().invoke(
            cli, [*words, "--server", self._server], catch_exceptions=False, color=False
        )


@pytest.fixture
def terminal(stack: Stack) -> Terminal:
    return Terminal(stack.grpc_address)


@pytest.fixture
def name() -> str:
    return f"t{uuid.uuid4().hex[:8]}"


@pytest.fixture
def file(tmp_path: Path, name: str) -> Path:
    path = tmp_path / "workflow.yaml"
    path.write_text(DEFINITION.format(name=name, version="1.0.0", word="hello"))
    return path


def test_apply_creates_then_leaves_alone_then_updates(
    terminal: Terminal, file: Path, name: str
) -> None:
    assert re.fullmatch(
        rf"template cli/{name} 1.0.0 created \(id \d+\)\n", terminal.run("apply", str(file)).stdout
    )
    assert f"template cli/{name} 1.0.0 unchanged" in terminal.run("apply", str(file)).stdout
    file.write_text(DEFINITION.format(name=name, version="1.0.0", word="bye"))
    assert f"template cli/{name} 1.0.0 updated" in terminal.run("apply", str(file)).stdout
    other = file.with_name("other.yaml")
    other.write_text(DEFINITION.format(name=name, version="2.0.0", word="hello"))
    lines = terminal.run("apply", str(file), str(other)).stdout.splitlines()
    assert [line.split()[3] for line in lines] == ["unchanged", "created"]


def test_apply_tells_what_is_wrong_with_a_file_and_goes_on_with_the_others(
    terminal: Terminal, file: Path, name: str
) -> None:
    faulty = file.with_name("faulty.yaml")
    faulty.write_text(file.read_text().replace("wait:", "whait:").replace("+ .name", "+"))
    missing = file.with_name("missing.yaml")
    result = terminal.run("apply", str(faulty), str(missing), str(file))
    assert result.exit_code == 1
    *faults, created = result.stdout.splitlines()
    assert all(line.startswith(f"{faulty}:") for line in faults)
    assert any("/do/0/pause" in line for line in faults)
    assert any("/do/1/greet" in line for line in faults)
    assert f"template cli/{name} 1.0.0 created" in created
    assert result.stderr == f"there is no file {missing}\n"


def test_apply_names_the_file_that_the_server_refuses(terminal: Terminal, file: Path) -> None:
    result = terminal.run("apply", str(file), "-n", "n" * 1000)
    assert result.exit_code == 1
    assert result.stderr.startswith(f"{file}: ")
    assert "INVALID_ARGUMENT" in result.stderr


def test_run_says_how_to_go_on(terminal: Terminal, file: Path, name: str) -> None:
    terminal.run("apply", str(file))
    result = terminal.run("run", name, "-n", "cli", "-i", '{"number": 1}', "-o", "json")
    id = json.loads(result.stdout)["id"]
    assert result.stderr == f"see how it goes: {program()} get {id}\n"


def test_run_starts_an_execution_that_get_and_list_show(
    terminal: Terminal, file: Path, name: str
) -> None:
    terminal.run("apply", str(file))
    words = ("-n", "cli", "--input", '{"name": "Ada", "number": 3}', "--output", "json")
    started = json.loads(terminal.run("run", name, *words).stdout)
    assert started["template_version"] == "1.0.0"
    while (got := json.loads(terminal.run("get", started["id"], "-o", "json").stdout))[
        "status"
    ] != "COMPLETED":
        pass
    assert got["output"] == {"greeting": "hello Ada", "half": 1.5}
    table = terminal.run("get", started["id"]).stdout
    assert re.search(r"status +COMPLETED", table)
    listed = terminal.run("list", "-n", "cli", "--template", name, "--status", "COMPLETED").stdout
    assert [line.split()[:4] for line in listed.splitlines()] == [
        ["ID", "TEMPLATE", "VERSION", "STATUS"],
        [started["id"], f"cli/{name}", "1.0.0", "COMPLETED"],
    ]
    listed = terminal.run("list", "--template", name, "--status", "FAULTED", "-o", "json").stdout
    assert json.loads(listed) == []


def test_run_with_follow_shows_tasks_and_prints_the_output_alone(
    terminal: Terminal, file: Path, name: str, tmp_path: Path
) -> None:
    file.write_text(file.read_text().replace("milliseconds: 20", "milliseconds: 1200"))
    terminal.run("apply", str(file))
    given = tmp_path / "input.json"
    given.write_text('{"name": "Ada", "number": 4}')
    result = terminal.run("run", name, "-n", "cli", "--input", f"@{given}", "--follow")
    assert json.loads(result.stdout) == {"greeting": "hello Ada", "half": 2}
    assert "/do/0/pause" in result.stderr
    assert "completed after 1." in result.stderr
    assert result.exit_code == 0


def test_run_with_follow_fails_where_the_execution_faults(terminal: Terminal, file: Path) -> None:
    file.write_text(FAULTY)
    terminal.run("apply", str(file))
    with pytest.raises(Failure, match=r"ended FAULTED at /do/0/call: Communication Error") as ended:
        terminal.run("run", "faulty", "-n", "cli", "--follow")
    assert ended.value.exit_code == 1


def test_events_show_what_happened(terminal: Terminal, file: Path) -> None:
    file.write_text(FAULTY)
    terminal.run("apply", str(file))
    with pytest.raises(Failure, match="FAULTED") as ended:
        terminal.run("run", "faulty", "-n", "cli", "--follow")
    id = ended.value.message.split()[2]
    shown = json.loads(terminal.run("events", id, "-o", "json").stdout)
    assert [event["type"].split(".", 2)[2] for event in shown] == [
        "workflow.started.v1",
        "task.created.v1",
        "task.started.v1",
        "task.faulted.v1",
        "workflow.faulted.v1",
    ]
    head, started, _, _, faulted, last = terminal.run("events", id).stdout.splitlines()
    assert head.split() == ["NO", "TIME", "(UTC)", "EVENT", "TASK", "ATTEMPT", "SECONDS", "ERROR"]
    assert re.fullmatch(r"1 +\S+ \S+ +workflow.started +1", started)
    assert re.match(r"4 +\S+ \S+ +task.faulted +/do/0/call +1 +\d", faulted)
    assert "Communication Error: GET http://127.0.0.1:1/" in faulted
    assert last.split()[3] == "workflow.faulted"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["run", "nobody-knows-it"], "there is no template default/nobody-knows-it (NOT_FOUND)"),
        (["get", "nobody-knows-it"], "there is no execution nobody-knows-it (NOT_FOUND)"),
        (["events", "nobody-knows-it"], "there is no execution nobody-knows-it (NOT_FOUND)"),
        (["run", "x", "--input", "{"], "--input isn't JSON"),
        (["run", "x", "--input", "@/does/not/exist"], "--input: there is no file /does/not/exist"),
        (["run", "x", "--version", "1", "--alias", "a"], "alias: give either version or alias"),
    ],
)
def test_what_cannot_be_done_is_said_in_a_line(
    terminal: Terminal, words: list[str], message: str
) -> None:
    with pytest.raises(Failure, match=re.escape(message)):
        terminal.run(*words)


def test_a_server_that_is_not_there_is_told_with_what_to_do() -> None:
    address = f"127.0.0.1:{free_port()}"
    process = subprocess.run(
        [sys.executable, "-m", "app", "list", "--server", address],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert process.stderr.splitlines() == [
        f"no server answers at {address}; start one with `{Path(sys.executable).name} -m app up`, "
        "or name another with --server"
    ]
    assert process.returncode == 1


def test_a_bad_setting_ends_a_server_at_its_start(tmp_path: Path) -> None:
    file = tmp_path / "settings.toml"
    file.write_text('grpc_address = "9000"\n')
    process = subprocess.run(
        [sys.executable, "-m", "app", "serve", "--config", str(file)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert process.stderr == "GRPC_ADDRESS: must be HOST:PORT, such as 127.0.0.1:9000\n"
    assert process.returncode == 2


def test_client_commands_do_without_the_temporal_sdk() -> None:
    script = (
        "import sys; import app.cli, app.commands.apply, app.commands.executions; "
        "import app.commands.validate; sys.exit('temporalio' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", script], timeout=60, check=False).returncode == 0


LISTENING = """
document: {{ dsl: 1.0.3, namespace: cli, name: {name}, version: 1.0.0 }}
do:
  - wait:
      listen: {{ to: {{ any: [], until: length == 2 }} }}
"""


def test_events_reach_an_execution(terminal: Terminal, file: Path, name: str) -> None:
    file.write_text(LISTENING.format(name=name))
    terminal.run("apply", str(file))
    run = ("run", name, "--namespace", "cli", "--output", "json")
    id = json.loads(terminal.run(*run).stdout)["id"]
    event = {"specversion": "1.0", "source": "/cli", "type": "t"}
    published = json.dumps({**event, "id": uuid.uuid4().hex, "data": 1})
    answer = terminal.run("publish", published, "--namespace", "cli").stdout
    assert answer == "the event is accepted in the namespace cli\n"
    signalled = file.with_name("event.json")
    signalled.write_text(json.dumps({**event, "id": uuid.uuid4().hex, "data": 2}))
    assert "accepted" in terminal.run("signal", id, f"@{signalled}").stdout
    end = time.monotonic() + 20
    while "output" not in (seen := json.loads(terminal.run("get", id, "-o", "json").stdout)):
        assert time.monotonic() < end
        time.sleep(0.1)
    assert seen["output"] == [1, 2]


@pytest.mark.parametrize("event", ["{", "@missing.json", "[]"])
def test_what_is_no_event_is_refused(terminal: Terminal, event: str) -> None:
    with pytest.raises(Failure, match=r"EVENT|event"):
        terminal.run("publish", event)
