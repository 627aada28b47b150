"""Real processes: what they are given, what they give, and how each is stopped."""

import asyncio
import json
import os
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from temporalio.testing import ActivityEnvironment

from biz.dsl.calls.process_call import ProcessOutput
from biz.dsl.calls.resource import Resource
from biz.dsl.calls.script_call import ScriptCall, ScriptLanguage
from biz.dsl.calls.shell_call import ShellCall
from tests.fixtures.activities import CONTEXT, Recorded, error_of, perform
from tests.fixtures.http_service import HttpService
from tests.fixtures.performers import new_performer, new_sender
from tests.fixtures.pids import all_end, is_alive
from tests.fixtures.polling import until
from tests.patience import PATIENCE_SECONDS
from workflows.activities.documents import Documents
from workflows.activities.http_calls.sender import new_http_client
from workflows.activities.processes import script_process
from workflows.activities.processes.policy import ProcessPolicy
from workflows.activities.processes.process_supervisor import FOLDERS
from workflows.activities.processes.runner import ProcessLimits, ProcessRunner, user_problem
from workflows.activities.processes.script_process import ScriptActivities
from workflows.activities.processes.shell_process import ShellActivities

Run = Callable[..., Awaitable[Any]]
COMMON = {
    "stdin": None,
    "arguments": [],
    "environment": {},
    "output": ProcessOutput.STDOUT,
    "awaited": True,
    "idempotency_key": "run:/do/0/go:1",
}
LIMITS = ProcessLimits(seconds=20, cpu_seconds=2, memory_mb=200, output_bytes=100_000)
needs_node = pytest.mark.skipif(shutil.which("node") is None, reason="Node.js isn't installed")


def shell_call(command: Any, **properties: Any) -> ShellCall:
    return ShellCall(**{**COMMON, "command": command, **properties})


def script_call(language: str, code: Any, **properties: Any) -> ScriptCall:
    given = {"language": ScriptLanguage(language), "code": code, "source": None, **properties}
    return ScriptCall(**{**COMMON, **given})


def shell_of(runner: ProcessRunner, policy: ProcessPolicy | None = None) -> ShellActivities:
    return ShellActivities(
        performer=new_performer(Recorded()),
        policy=policy or ProcessPolicy(kinds=["shell"]),
        runner=runner,
    )


@pytest.fixture
async def runner() -> AsyncIterator[ProcessRunner]:
    runner = ProcessRunner(limits=LIMITS, user="", at_once=4)
    try:
        yield runner
    finally:
        await runner.close()


@pytest.fixture
def shell(runner: ProcessRunner) -> ShellActivities:
    return shell_of(runner)


@pytest.fixture
async def script(runner: ProcessRunner) -> AsyncIterator[ScriptActivities]:
    async with new_http_client(timeout_seconds=2) as client:
        yield ScriptActivities(
            performer=new_performer(Recorded()),
            policy=ProcessPolicy(kinds=["script"]),
            runner=runner,
            documents=Documents(sender=new_sender(client, max_response_bytes=10_000)),
        )


def read(file: Path) -> str:
    """What a process has written into a file; nothing where there is none."""
    return file.read_text() if file.exists() else ""


async def appears(file: Path) -> str:
    """What a process writes into a file, once it has."""
    await until(lambda: read(file).endswith("\n"))
    return read(file).strip()


@pytest.fixture
def note() -> Iterator[Path]:
    """A file that any user may write."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o777)
        yield Path(folder, "note")


class TestShell:
    async def test_a_command_gives_its_output_as_it_was_written(
        self, shell: ShellActivities
    ) -> None:
        assert await perform(shell.call, shell_call("echo '{\"a\": 1}'; echo")) == '{"a": 1}\n\n'

    async def test_arguments_and_stdin_reach_it(self, shell: ShellActivities) -> None:
        call = shell_call(
            'echo "$(cat) $0 $1 $2 $#"', stdin="Hello World", arguments=["Foo", "$HOME `x` ' \""]
        )
        assert await perform(shell.call, call) == "Hello World sh Foo $HOME `x` ' \" 2\n"

    @pytest.mark.parametrize(
        ("stdin", "read"), [(None, ""), ("é\n", "é\n"), ({"a": [1, "ü"]}, '{"a": [1, "ü"]}')]
    )
    async def test_what_isnt_text_is_read_as_json(
        self, shell: ShellActivities, stdin: Any, read: str
    ) -> None:
        assert await perform(shell.call, shell_call("cat", stdin=stdin)) == read

    async def test_much_goes_in_and_out_at_once(self, shell: ShellActivities) -> None:
        text = "x" * 90_000
        assert await perform(shell.call, shell_call("cat", stdin=text)) == text

    async def test_stdin_may_be_left_unread(self, shell: ShellActivities) -> None:
        assert await perform(shell.call, shell_call("echo a", stdin="x" * 900_000)) == "a\n"

    async def test_what_is_no_utf8_is_replaced(self, shell: ShellActivities) -> None:
        assert await perform(shell.call, shell_call(r"printf 'a\377b'")) == "a�b"

    async def test_it_gives_all(self, shell: ShellActivities) -> None:
        call = shell_call("echo a; echo b >&2; exit 7", output=ProcessOutput.ALL)
        assert await perform(shell.call, call) == {"code": 7, "stdout": "a\n", "stderr": "b\n"}

    async def test_a_signal_counts_as_in_a_shell(self, shell: ShellActivities) -> None:
        call = shell_call("kill -KILL $$", output=ProcessOutput.CODE)
        assert await perform(shell.call, call) == 137

    async def test_another_exit_code_than_zero_is_a_runtime_error(
        self, shell: ShellActivities
    ) -> None:
        error = await error_of(shell.call, shell_call("echo no such pet >&2; exit 4"))
        assert error["status"] == 500
        assert error["detail"] == "the process ended with exit code 4: no such pet"

    async def test_a_command_that_is_too_long_is_a_configuration_error(
        self, shell: ShellActivities
    ) -> None:
        error = await error_of(shell.call, shell_call("true" + " " * 200_000))
        assert error["detail"] == "the process can't be run: Argument list too long"

    async def test_an_output_that_json_blows_up_is_a_runtime_error(self) -> None:
        limits = ProcessLimits(seconds=20, cpu_seconds=5, memory_mb=200, output_bytes=900_000)
        shell = shell_of(ProcessRunner(limits=limits, user="", at_once=1))
        error = await error_of(shell.call, shell_call("head -c 900000 /dev/zero"))
        assert error["detail"] == "the output has more than 2000000 bytes as JSON"


class TestPolicy:
    @pytest.mark.parametrize(
        "policy", [ProcessPolicy(), ProcessPolicy(kinds=["shell"], namespaces=["other"])]
    )
    async def test_a_command_that_isnt_allowed_doesnt_run(
        self, runner: ProcessRunner, policy: ProcessPolicy, note: Path
    ) -> None:
        error = await error_of(shell_of(runner, policy).call, shell_call(f"touch {note}"))
        assert error["status"] == 403
        assert read(note) == ""

    async def test_a_script_that_isnt_allowed_doesnt_run(
        self, script: ScriptActivities, runner: ProcessRunner
    ) -> None:
        closed = ScriptActivities(
            performer=new_performer(Recorded()),
            policy=ProcessPolicy(kinds=["shell"]),
            runner=runner,
            documents=script._documents,
        )
        assert (await error_of(closed.call, script_call("python", "1")))["status"] == 403


class TestIsolation:
    async def test_a_process_has_the_environment_of_its_definition_only(
        self, shell: ShellActivities, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("DATABASE_URL", "postgresql://user:secret@host/db")
        call = shell_call("env", environment={"foo": "bar", "n": 1, "none": None, "LANG": "C"})
        lines = dict(line.split("=", 1) for line in (await perform(shell.call, call)).splitlines())
        assert lines.keys() - {"PWD", "_", "SHLVL"} == {
            "PATH",
            "HOME",
            "TMPDIR",
            "LANG",
            "foo",
            "n",
        }
        assert (lines["foo"], lines["n"], lines["LANG"]) == ("bar", "1", "C")

    async def test_no_secret_of_the_worker_is_in_reach(
        self, shell: ShellActivities, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        if os.geteuid() != 0:
            pytest.skip("the processes belong to the same user")
        monkeypatch.setenv("DATABASE_URL", "postgresql://user:secret@host/db")
        looks = f"cat /proc/*/environ /proc/{os.getpid()}/environ 2>/dev/null | tr '\\0' '\\n'"
        call = shell_call(f"{looks}; true", environment={"known": "x"})
        found = await perform(shell.call, call)
        assert "known=x" in found
        assert "secret" not in found

    async def test_no_descriptor_of_the_worker_is_in_reach(self, shell: ShellActivities) -> None:
        listed = await perform(shell.call, shell_call("ls /proc/self/fd"))
        assert listed.split() == ["0", "1", "2", "3"]

    async def test_it_runs_as_another_user_than_root(self, shell: ShellActivities) -> None:
        assert await perform(shell.call, shell_call("id -u")) != "0\n"

    async def test_a_directory_of_its_own_is_gone_afterwards(self, shell: ShellActivities) -> None:
        command = "mkdir -p a/b; echo x > a/b/c; chmod 000 a; [ $PWD = $HOME ] && pwd"
        directory = (await perform(shell.call, shell_call(command))).strip()
        assert directory.startswith(tempfile.gettempdir())
        assert not Path(directory).exists()  # noqa: ASYNC240

    async def test_a_very_deep_directory_is_gone_too(self, script: ScriptActivities) -> None:
        code = """
import os
print(os.getcwd())
os.symlink("/etc", "link")
for level in range(3_000):
    os.mkdir("d")
    os.chdir("d")
os.chmod(".", 0)
"""
        directory = (await perform(script.call, script_call("python", code))).strip()
        assert not Path(directory).exists()  # noqa: ASYNC240
        assert Path("/etc").exists()  # noqa: ASYNC240

    async def test_a_sweep_removes_the_directories_of_supervisors_that_were_killed(
        self, runner: ProcessRunner, shell: ShellActivities, note: Path
    ) -> None:
        command = f"mkdir -p a/b; chmod 000 a; echo $PWD $PPID $$ > {note}; sleep 60"
        lost = asyncio.create_task(error_of(shell.call, shell_call(command)))
        directory, *pids = (await appears(note)).split()
        os.utime(directory, (0, 0))
        await runner.sweep()
        assert Path(directory).exists()  # noqa: ASYNC240
        for pid in pids:
            os.kill(int(pid), signal.SIGKILL)
        assert "was lost" in (await lost)["detail"]
        await runner.sweep()
        assert not Path(directory).exists()  # noqa: ASYNC240

    async def test_a_sweep_leaves_fresh_directories_and_those_of_others(
        self, runner: ProcessRunner
    ) -> None:
        fresh, fine = (Path(tempfile.mkdtemp(prefix=FOLDERS)) for _ in range(2))
        try:
            os.utime(fine, (0, 0))
            if os.geteuid() == 0:
                os.chown(fine, 12_345, 12_345)
            await runner.sweep()
            assert fresh.exists()
            assert fine.exists() == (os.geteuid() == 0)
        finally:
            shutil.rmtree(fresh)
            shutil.rmtree(fine, ignore_errors=True)


class TestLimits:
    async def test_one_that_runs_too_long_is_a_timeout(self) -> None:
        limits = ProcessLimits(seconds=0.3, cpu_seconds=2, memory_mb=200, output_bytes=100)
        shell = shell_of(ProcessRunner(limits=limits, user="", at_once=1))
        error = await error_of(shell.call, shell_call("echo $$; sleep 60"))
        assert (error["status"], error["detail"]) == (408, "the process ran longer than 0.3 s")

    async def test_one_that_ignores_sigterm_is_stopped_too(self, note: Path) -> None:
        limits = ProcessLimits(seconds=0.3, cpu_seconds=2, memory_mb=200, output_bytes=100)
        shell = shell_of(ProcessRunner(limits=limits, user="", at_once=1))
        command = f"trap '' TERM; echo $$ > {note}; while true; do sleep 1; done"
        assert (await error_of(shell.call, shell_call(command)))["status"] == 408
        assert not is_alive(int(read(note)))

    async def test_endless_computing_is_stopped(self) -> None:
        limits = ProcessLimits(seconds=20, cpu_seconds=1, memory_mb=200, output_bytes=100)
        shell = shell_of(ProcessRunner(limits=limits, user="", at_once=1))
        call = shell_call("while true; do :; done", output=ProcessOutput.CODE)
        assert await perform(shell.call, call) in (128 + signal.SIGXCPU, 128 + signal.SIGKILL)

    async def test_endless_output_is_stopped(self, shell: ShellActivities) -> None:
        for command in ("yes", "yes >&2", "trap '' TERM; yes"):
            error = await error_of(shell.call, shell_call(command, output=ProcessOutput.ALL))
            assert error["detail"] == "the process wrote more than 100000 bytes"

    async def test_a_memory_hog_fails(self, script: ScriptActivities) -> None:
        error = await error_of(script.call, script_call("python", "x = bytearray(10 ** 9)"))
        assert "MemoryError" in error["detail"]

    async def test_a_large_file_fails(self, shell: ShellActivities) -> None:
        call = shell_call("head -c 300000000 /dev/zero > big; wc -c < big")
        assert int(await perform(shell.call, call)) < 300_000_000

    async def test_a_fork_bomb_is_stopped_with_all_of_its_processes(
        self, script: ScriptActivities, note: Path
    ) -> None:
        code = f"""
import os, time
pids = open("{note}", "a", buffering=1)
while True:
    try:
        if os.fork() == 0:
            os.setsid()
            print(os.getpid(), file=pids)
    except OSError:
        time.sleep(60)
"""
        work = asyncio.create_task(perform(script.call, script_call("python", code)))
        await until(lambda: note.exists() and len(read(note).split()) > 50)
        await asyncio.sleep(1)  # for more than are allowed
        work.cancel()
        with pytest.raises(asyncio.CancelledError):
            await work
        pids = [int(line) for line in read(note).split()]
        assert len(pids) < 300
        assert not any(map(is_alive, pids))

    async def test_no_more_run_at_once_than_are_allowed(self) -> None:
        shell = shell_of(ProcessRunner(limits=LIMITS, user="", at_once=1))
        begun = time.monotonic()
        calls = (perform(shell.call, shell_call("sleep 0.3")) for _ in range(3))
        await asyncio.gather(*calls)
        assert time.monotonic() - begun > 0.9


class TestEnds:
    async def test_what_it_leaves_behind_ends_with_it(
        self, shell: ShellActivities, note: Path
    ) -> None:
        command = f"setsid sh -c 'echo $$ > {note}; sleep 60' & while [ ! -s {note} ]; do :; done"
        await perform(shell.call, shell_call(command))
        assert not is_alive(int(read(note)))

    @pytest.mark.parametrize("trap", ["", "trap '' TERM; "])
    async def test_a_cancellation_ends_all_of_it(
        self, shell: ShellActivities, note: Path, trap: str
    ) -> None:
        command = f"{trap}setsid sh -c 'echo $$ > {note}; sleep 60' & sleep 60"
        running = asyncio.create_task(
            ActivityEnvironment().run(shell.call, shell_call(command), CONTEXT)
        )
        pid = int(await appears(note))
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
        assert not is_alive(pid)

    async def test_the_death_of_the_worker_ends_all_of_it(self, note: Path) -> None:
        program = f"""
import asyncio
from tests.integration.workflows.test_processes import LIMITS, ProcessRunner, shell_call, shell_of
from tests.fixtures.activities import perform
shell = shell_of(ProcessRunner(limits=LIMITS, user="", at_once=1))
asyncio.run(perform(shell.call, shell_call("setsid sh -c 'echo $$ > {note}; sleep 60' & wait")))
"""
        worker = await asyncio.create_subprocess_exec(sys.executable, "-c", program)
        pid = int(await appears(note))
        worker.kill()
        await worker.wait()
        assert all_end([pid], within=PATIENCE_SECONDS)


class TestNotAwaited:
    async def test_it_goes_on_after_the_call(self, shell: ShellActivities, note: Path) -> None:
        call = shell_call(f"sleep 0.2; echo done > {note}", awaited=False)
        assert await perform(shell.call, call) is None
        assert read(note) == ""
        assert await appears(note) == "done"

    async def test_it_ends_with_the_worker(self, note: Path) -> None:
        runner = ProcessRunner(limits=LIMITS, user="", at_once=1)
        call = shell_call(f"echo $$ > {note}; sleep 60", awaited=False)
        await perform(shell_of(runner).call, call)
        pid = int(await appears(note))
        await runner.close()
        assert not is_alive(pid)

    async def test_its_failure_changes_nothing(self, shell: ShellActivities) -> None:
        assert await perform(shell.call, shell_call("exit 3", awaited=False)) is None

    async def test_one_that_cant_be_run_is_an_error(self, shell: ShellActivities) -> None:
        call = shell_call("true" + " " * 200_000, awaited=False)
        assert (await error_of(shell.call, call))["status"] == 400


class TestPython:
    async def test_a_script_reads_stdin_arguments_and_environment(
        self, script: ScriptActivities
    ) -> None:
        code = "import os, sys\nprint(sys.stdin.read(), sys.argv[1:], os.environ['foo'])"
        call = script_call(
            "python", code, stdin="in", arguments=["a", 1], environment={"foo": "bar"}
        )
        assert await perform(script.call, call) == "in ['a', '1'] bar\n"

    async def test_a_broken_script_shows_its_own_error(self, script: ScriptActivities) -> None:
        error = await error_of(script.call, script_call("python", "1 / 0"))
        assert error["detail"].endswith("ZeroDivisionError: division by zero")

    async def test_it_is_isolated(
        self, script: ScriptActivities, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("PYTHONPATH", "/nowhere")
        code = "import sys, json\nprint(json.dumps([sys.flags.isolated, sys.path]))"
        isolated, path = json.loads(await perform(script.call, script_call("python", code)))
        assert isolated == 1
        assert "/nowhere" not in path

    async def test_its_source_is_fetched(
        self, script: ScriptActivities, http_service: HttpService
    ) -> None:
        http_service.documents["/script.py"] = b"print('fetched')"
        source = Resource(uri=f"{http_service.url}/script.py")
        call = script_call("python", None, source=source)
        assert await perform(script.call, call) == "fetched\n"

    async def test_a_source_that_isnt_there_is_an_error(
        self, script: ScriptActivities, http_service: HttpService
    ) -> None:
        source = Resource(uri=f"{http_service.url}/status/404")
        error = await error_of(script.call, script_call("python", None, source=source))
        assert error["status"] == 404


class TestNode:
    @needs_node
    async def test_the_standards_own_example_runs(self, script: ScriptActivities) -> None:
        code = """
import { readFileSync } from 'node:fs';
const stdin = readFileSync(process.stdin.fd, 'utf8');
console.log('stdin > ', stdin)
const [_, __, arg] = process.argv;
console.log('arg > ', arg)
console.log('env > ', process.env.foo)
"""
        call = script_call(
            "js", code, stdin="Hello Workflow", arguments=["hello"], environment={"foo": "bar"}
        )
        assert await perform(script.call, call) == (
            "stdin >  Hello Workflow\narg >  hello\nenv >  bar\n"
        )

    @needs_node
    async def test_a_script_may_be_of_the_older_kind(self, script: ScriptActivities) -> None:
        call = script_call("js", "console.log(require('node:path').join('a', 'b'))")
        assert await perform(script.call, call) == "a/b\n"

    @needs_node
    async def test_a_memory_hog_fails(self, script: ScriptActivities) -> None:
        call = script_call("js", "const a = []; while (true) a.push(new Array(1e6).fill(1))")
        error = await error_of(script.call, call)
        assert error["detail"].startswith("the process ended with exit code")

    async def test_without_node_it_is_a_configuration_error(
        self, script: ScriptActivities, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(script_process.shutil, "which", lambda name: None)
        error = await error_of(script.call, script_call("js", "1"))
        assert error["status"] == 400
        assert "install it" in error["detail"]


def test_a_user_that_isnt_there_is_a_problem() -> None:
    assert user_problem("no-such-user") == "there is no user no-such-user"
    assert user_problem("") is None


def test_only_root_can_choose_a_user(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 12345)
    assert user_problem("nobody") == "only root can run programs as nobody"
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert user_problem("nobody") is None
