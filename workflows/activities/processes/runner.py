"""Runs programs for definitions, each under a supervisor of its own (process_supervisor.py)."""

import asyncio
import base64
import json
import os
import pwd
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Self

from biz.dsl.calls.process_call import ProcessCall, ProcessResult, texts, variables
from biz.dsl.errors import TaskFault, WorkflowError
from biz.dsl.sizes import MAX_JSON_BYTES, json_size
from workflows.activities.processes import process_supervisor
from workflows.activities.processes.output_lines import OutputLines
from workflows.activities.processes.process_supervisor import LENGTH, STDERR, STDOUT, Request

_PYTHON = (sys.executable, "-I", "-S")
_LARGEST_OUTPUT = 2 * MAX_JSON_BYTES
_STOP_SECONDS = 10
_FILE_BYTES = 256 * 1024 * 1024
_OPEN_FILES = 256
_PROCESSES = 128


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessLimits:
    """What each process may take; `cpu_seconds` and `memory_mb` count for what it starts anew.

    `output_bytes` bounds stdout and stderr together.
    """

    seconds: float
    cpu_seconds: int
    memory_mb: int
    output_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """What is run: the first of `programs` that is there, with `files` in its directory.

    `arguments` come before those of the call.
    """

    programs: Sequence[str]
    arguments: Sequence[str]
    files: Mapping[str, str] = field(default_factory=dict)


class ProcessRunner:
    """Runs a bounded number of programs at once.

    They run as `user`. Without one they run as nobody where this process belongs to root, and
    otherwise as its own user.
    """

    def __init__(self, *, limits: ProcessLimits, user: str, at_once: int) -> None:
        self._limits = limits
        self._user = user or ("nobody" if os.geteuid() == 0 else "")
        self._free = asyncio.Semaphore(at_once)
        self._left: set[asyncio.Task[None]] = set()

    async def sweep(self) -> None:
        """Removes what programs have left whose supervisor was killed."""
        arguments = (process_supervisor.__file__, process_supervisor.SWEEP, self._user)
        sweeping = await asyncio.create_subprocess_exec(
            *_PYTHON, *arguments, stdin=DEVNULL, stdout=DEVNULL, stderr=DEVNULL, cwd="/", env={}
        )
        try:
            await sweeping.wait()
        except BaseException:
            sweeping.kill()
            await sweeping.wait()
            raise

    async def run(self, call: ProcessCall, program: Program) -> Any:
        """The output of the call; null once the program runs, where the call isn't awaited.

        Raises TaskFault. All that the program has started ends with it, and with a cancellation.
        """
        await self._free.acquire()
        try:
            supervisor = await _Supervisor.start(self._request(call, program))
        except BaseException:
            self._free.release()
            raise
        if call.awaited:
            try:
                return carried((await self._result(supervisor)).output(call.output))
            finally:
                self._free.release()
        left = asyncio.create_task(self._leave(supervisor))
        self._left.add(left)
        left.add_done_callback(self._left.discard)
        return None

    async def close(self) -> None:
        """Ends what nobody waits for."""
        for task in self._left:
            task.cancel()
        await asyncio.gather(*self._left, return_exceptions=True)

    async def _leave(self, supervisor: "_Supervisor") -> None:
        """Lets a program run that nobody waits for."""
        try:
            with suppress(TaskFault):
                await self._result(supervisor)
        finally:
            self._free.release()

    async def _result(self, supervisor: "_Supervisor") -> ProcessResult:
        written = {STDOUT: bytearray(), STDERR: bytearray()}
        try:
            with OutputLines(STDOUT) as stdout, OutputLines(STDERR) as stderr:
                lines = {STDOUT: stdout, STDERR: stderr}
                while "verdict" not in (report := await supervisor.hear()):
                    data = base64.b64decode(report["data"])
                    written[report["stream"]] += data
                    lines[report["stream"]].feed(data)
        finally:
            await supervisor.stop()
        match report["verdict"]:
            case None:
                found = {stream: data.decode(errors="replace") for stream, data in written.items()}
                return ProcessResult(
                    code=report["code"], stdout=found[STDOUT], stderr=found[STDERR]
                )
            case process_supervisor.TOO_LONG:
                raise _fault("timeout", f"the process ran longer than {self._limits.seconds:g} s")
            case process_supervisor.TOO_MUCH:
                most = self._limits.output_bytes
                raise _fault("runtime", f"the process wrote more than {most} bytes")
        raise _fault("runtime", "the process was stopped from outside")

    def _request(self, call: ProcessCall, program: Program) -> Request:
        return Request(
            programs=list(program.programs),
            arguments=[*program.arguments, *texts("arguments", call.arguments)],
            environment=variables(call.environment),
            files=dict(program.files),
            stdin=base64.b64encode(stdin_of(call)).decode(),
            user=self._user,
            seconds=self._limits.seconds,
            cpu_seconds=self._limits.cpu_seconds,
            memory_bytes=self._limits.memory_mb * 1024 * 1024,
            output_bytes=self._limits.output_bytes,
            file_bytes=_FILE_BYTES,
            open_files=_OPEN_FILES,
            processes=_PROCESSES,
        )


class _Supervisor:
    """One process of process_supervisor.py; its program has begun."""

    def __init__(self, process: Process) -> None:
        self._process = process

    @classmethod
    async def start(cls, request: Request) -> Self:
        """Raises TaskFault where the program can't be run."""
        process = await asyncio.create_subprocess_exec(
            *_PYTHON,
            process_supervisor.__file__,
            stdin=PIPE,
            stdout=PIPE,
            stderr=DEVNULL,
            cwd="/",
            env={},
            start_new_session=True,  # a signal from the terminal is for us
        )
        supervisor = cls(process)
        try:
            assert process.stdin is not None
            message = json.dumps(request).encode()
            process.stdin.write(LENGTH.pack(len(message)) + message)
            started = await supervisor.hear()
        except BaseException:
            await supervisor.stop()
            raise
        if "error" in started:
            await supervisor.stop()
            raise _fault("configuration", f"the process can't be run: {started['error']}")
        return supervisor

    async def hear(self) -> Mapping[str, Any]:
        """The next message."""
        assert self._process.stdout is not None
        try:
            head = await self._process.stdout.readexactly(LENGTH.size)
            message = await self._process.stdout.readexactly(LENGTH.unpack(head)[0])
        except asyncio.IncompleteReadError:
            raise _fault("runtime", "the process was lost") from None
        found: Mapping[str, Any] = json.loads(message)
        return found

    async def stop(self) -> None:
        """Returns once it has ended with all that it started, whoever is cancelled meanwhile."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        ending = asyncio.create_task(self._end())
        try:
            await asyncio.shield(ending)
        except asyncio.CancelledError:
            await ending
            raise

    async def _end(self) -> None:
        assert self._process.stdout is not None
        try:
            async with asyncio.timeout(_STOP_SECONDS):
                while await self._process.stdout.read(LENGTH.size * 1024):
                    pass
                await self._process.wait()
        except TimeoutError:
            self._process.kill()
            await self._process.wait()


def carried(output: Any) -> Any:
    """The same output; raises TaskFault where it is larger than what Temporal carries."""
    if json_size(output) > _LARGEST_OUTPUT:
        raise _fault("runtime", f"the output has more than {_LARGEST_OUTPUT} bytes as JSON")
    return output


def user_problem(user: str) -> str | None:
    """Why programs can't be run as a user, None where they can."""
    if not user:
        return None
    try:
        uid = pwd.getpwnam(user).pw_uid
    except KeyError:
        return f"there is no user {user}"
    if os.geteuid() not in (0, uid):
        return f"only root can run programs as {user}"
    return None


def stdin_of(call: ProcessCall) -> bytes:
    """What the process reads."""
    if call.stdin is None:
        return b""
    text = call.stdin if isinstance(call.stdin, str) else json.dumps(call.stdin, ensure_ascii=False)
    return text.encode(errors="replace")


def _fault(kind: str, detail: str) -> TaskFault:
    return TaskFault(WorkflowError.standard(kind, detail))
