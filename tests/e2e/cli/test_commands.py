"""The commands of users, against a stack as `up` starts it."""

import json
import re
import subprocess
import sys
import time
import uuid
from pathlib import Path

import pytest

from app.embedded.ports import free_port
from app.failure import Failure
from app.program import program
from tests.fixtures.terminal import DEFINITION, LISTENING, Terminal
from tests.patience import PATIENCE_SECONDS

FAULTY = """
document: { dsl: 1.0.0, namespace: cli, name: faulty, version: 1.0.0 }
do:
  - call:
      call: http
      with: { method: get, endpoint: http://127.0.0.1:1/ }
"""


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
    assert result.stderr == f"see how it goes: {program()} watch {id}\n"


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
    assert "definition" not in got or not got["definition"]
    full = json.loads(terminal.run("get", started["id"], "--full", "-o", "json").stdout)
    assert full["definition"] == file.read_text()
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
        timeout=PATIENCE_SECONDS,
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
        timeout=PATIENCE_SECONDS,
        check=False,
    )
    assert process.stderr == "GRPC_ADDRESS: must be HOST:PORT, such as 127.0.0.1:9000\n"
    assert process.returncode == 2


def test_client_commands_do_without_the_temporal_sdk() -> None:
    script = (
        "import sys; import app.cli, app.commands.apply, app.commands.executions; "
        "import app.commands.validate; sys.exit('temporalio' in sys.modules)"
    )
    assert (
        subprocess.run(
            [sys.executable, "-c", script], timeout=PATIENCE_SECONDS, check=False
        ).returncode
        == 0
    )


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
    end = time.monotonic() + PATIENCE_SECONDS
    while "output" not in (seen := json.loads(terminal.run("get", id, "-o", "json").stdout)):
        assert time.monotonic() < end
        time.sleep(0.1)
    assert seen["output"] == [1, 2]


@pytest.mark.parametrize("event", ["{", "@missing.json", "[]"])
def test_what_is_no_event_is_refused(terminal: Terminal, event: str) -> None:
    with pytest.raises(Failure, match=r"EVENT|event"):
        terminal.run("publish", event)


def test_an_execution_is_suspended_resumed_and_cancelled(
    terminal: Terminal, file: Path, name: str
) -> None:
    id = terminal.started(file, name)
    held = terminal.run("suspend", id, "--reason", "lunch").stdout
    assert held.startswith(f"suspend is accepted: the execution {id} is ")
    assert json.loads(terminal.run("resume", id, "-o", "json").stdout)["id"] == id
    assert "cancel is accepted" in terminal.run("cancel", id).stdout
    with pytest.raises(Failure, match="ended CANCELLED"):
        terminal.run("watch", id)
    with pytest.raises(Failure, match=r"FAILED_PRECONDITION"):
        terminal.run("resume", id)


def test_an_execution_is_terminated(terminal: Terminal, file: Path, name: str) -> None:
    id = terminal.started(file, name)
    assert f"the execution {id} is TERMINATED" in terminal.run("terminate", id).stdout


RETRYING = """
document: {{ dsl: 1.0.0, namespace: cli, name: {name}, version: 1.0.0 }}
do:
  - attempt:
      try:
        - fail:
            raise: {{ error: {{ type: about:blank, title: No luck, status: 500 }} }}
      catch:
        retry: {{ delay: {{ milliseconds: 10 }}, limit: {{ attempt: {{ count: 2 }} }} }}
"""


def test_a_watch_shows_tasks_with_durations_attempts_and_faults(
    terminal: Terminal, file: Path, name: str
) -> None:
    id = terminal.started(file, name, RETRYING)
    with pytest.raises(Failure, match="ended FAULTED"):
        terminal.run("watch", id, "--output", "json")
    script = f"import sys; sys.argv[1:] = {['watch', id, '--server', terminal.server]!r}"
    shown = subprocess.run(
        [sys.executable, "-c", f"{script}; from app.cli import main; main()"],
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )
    assert shown.returncode == 1
    fail = r"/do/0/attempt/try/0/fail"
    assert re.search(rf"faulted +{fail} +\d+\.\d+ s  No luck", shown.stderr)
    assert re.search(r"retried +/do/0/attempt +attempt 2", shown.stderr)
    assert re.search(rf"faulted +{fail} +\d+\.\d+ s  attempt 2  No luck", shown.stderr)
    assert "faulted after" in shown.stderr


def test_a_watch_as_json_has_a_line_for_each_event(
    terminal: Terminal, file: Path, name: str
) -> None:
    terminal.run("apply", str(file))
    words = ("-n", "cli", "-i", '{"name": "Ada", "number": 3}', "-o", "json")
    id = json.loads(terminal.run("run", name, *words).stdout)["id"]
    lines = terminal.run("watch", id, "-o", "json").stdout.splitlines()
    assert [json.loads(line)["sequence"] for line in lines] == [
        str(number + 1) for number in range(len(lines))
    ]
    assert json.loads(lines[-1])["type"].endswith("workflow.completed.v1")


def test_logs_show_what_was_written(terminal: Terminal, file: Path, name: str) -> None:
    id = terminal.started(file, name, RETRYING)
    with pytest.raises(Failure, match="FAULTED"):
        terminal.run("watch", id)
    table = terminal.run("logs", id, "--level", "WARNING").stdout.splitlines()
    assert table[0].split() == ["TIME", "(UTC)", "LEVEL", "TASK", "MESSAGE"]
    assert len(table) > 1
    assert all(line.split()[2] in ("WARNING", "ERROR") for line in table[1:])
    found = json.loads(
        terminal.run("logs", id, "--task", "/do/0/attempt/try/0/fail", "-o", "json").stdout
    )
    assert {line["task"] for line in found} == {"/do/0/attempt/try/0/fail"}


def test_stats_count_executions(terminal: Terminal, file: Path, name: str) -> None:
    terminal.run("apply", str(file))
    run = ("run", name, "-n", "cli", "--input", '{"name": "Ada", "number": 4}', "--follow")
    terminal.run(*run)
    words = ("stats", "--template", name, "-n", "cli", "--after", "1h", "--interval", "1h")
    found = json.loads(terminal.run(*words, "-o", "json").stdout)
    assert (found["total"], found["success_rate"]) == (1, 1)
    table = terminal.run(*words).stdout
    assert re.search(r"TOTAL +COMPLETED +SUCCESS", table)
    assert re.search(r"1 +1 +100.0%", table)
    assert re.search(r"FROM \(UTC\) +STARTED +COMPLETED +FAULTED", table)
    assert re.search(r"SLOWEST TASK .*\n/do/0/pause", table)
    none = terminal.run("stats", "--template", f"no-{name}").stdout
    assert re.search(r"0 +- +-", none)


def test_lists_take_filters(terminal: Terminal, file: Path, name: str) -> None:
    id = terminal.started(file, name)

    def found(*words: str) -> list[str]:
        listed = terminal.run("list", "--template", name, "-o", "json", *words).stdout
        return [each["id"] for each in json.loads(listed)]

    assert found("--after", "1h") == [id]
    assert found("--before", "1h") == []
    words = ("run", name, "-n", "cli", "--label", "a=b=c", "--business-key", name, "-o", "json")
    other = json.loads(terminal.run(*words).stdout)["id"]
    assert found("--label", "a=b=c") == [other]
    assert found("--business-key", name) == [other]
    assert found("--label", "a=b") == []
    terminal.run("terminate", other)
    assert found("--business-key", "none") == []
    assert found("--parent", id) == []


def test_a_retry_is_asked_for(terminal: Terminal) -> None:
    with pytest.raises(Failure, match="there is no execution nobody"):
        terminal.run("retry", "nobody", "--from", "/do/0/a", "--input", "{}", "--latest")
