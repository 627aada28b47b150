"""Runs one program within limits, and ends all that it has started.

A program of its own: `python process_supervisor.py`. It reads a Request, then says whether the
program runs, what it writes, and at its end how it ended; each message is JSON with four bytes of
its length in front. When its input ends, so does the program: whoever asked for it has left.

With `sweep USER` it removes the folders of supervisors that were killed.

What the program starts belongs to this process in the end (Linux: as the subreaper), so that
nothing lives on that leaves its session or its parent.
"""

import base64
import ctypes
import fcntl
import json
import os
import pwd
import resource
import selectors
import signal
import stat
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import IO, Any, TypedDict

LENGTH = struct.Struct(">I")

TOO_LONG = "too long"
TOO_MUCH = "too much"
CANCELLED = "cancelled"

STDOUT = "stdout"
STDERR = "stderr"

SWEEP = "sweep"
FOLDERS = "workflow-engine-process-"
"""What the names of folders begin with."""

_FRESH_SECONDS = 60
"""So long a folder isn't swept, since its supervisor may not have locked it yet."""

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW
_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_CHUNK = 65_536
_GRACE_SECONDS = 1.0
_BURIAL_SECONDS = 5.0
_SIGNALLED = 128
_PR_SET_CHILD_SUBREAPER = 36
_PR_SET_NO_NEW_PRIVS = 38


class Request(TypedDict):
    """What is to be run.

    `programs` are the places of the program, of which the first counts that can be run; `files` are
    put into its directory; `stdin` is in base64. `user` is whom it runs as, empty for nobody else
    than this process. `processes` is how many it may have at once, threads counted.
    """

    programs: list[str]
    arguments: list[str]
    environment: dict[str, str]
    files: dict[str, str]
    stdin: str
    user: str
    seconds: float
    cpu_seconds: int
    memory_bytes: int
    output_bytes: int
    file_bytes: int
    open_files: int
    processes: int


def main() -> None:
    """Runs what it is asked to."""
    if sys.argv[1:2] == [SWEEP]:
        _sweep(sys.argv[2])
        return
    request: Request = json.loads(_read(sys.stdin.buffer))
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    directory = _new_folder()
    try:
        _supervise(request, directory)
    finally:
        _wipe(directory)


def _supervise(request: Request, directory: Path) -> None:
    try:
        process = _start(request, directory)
    except OSError as error:
        _say({"error": f"{error.strerror or error}"})
        return
    _say({})
    supervision = _Supervision(process, request)
    try:
        verdict = supervision.run()
    finally:
        _end_descendants()
    if verdict is None and not supervision.drain():
        verdict = TOO_MUCH
    _say({"verdict": verdict, "code": _exit_code(process) if verdict is None else None})


def _start(request: Request, directory: Path) -> "subprocess.Popen[bytes]":
    """The running program; raises OSError."""
    user = pwd.getpwnam(request["user"]) if request["user"] else None
    for name, content in request["files"].items():
        (directory / name).write_text(content, encoding="utf-8", errors="replace")
        (directory / name).chmod(0o444)
    if user is not None:
        os.chown(directory, user.pw_uid, user.pw_gid)
    limits = _limits(request, user.pw_uid if user else os.getuid())

    def confine() -> None:
        for limit, value in limits.items():
            _, hard = resource.getrlimit(limit)
            most = value if hard == resource.RLIM_INFINITY else min(value, hard)
            resource.setrlimit(limit, (most, most))
        if sys.platform == "linux":
            ctypes.CDLL(None).prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)

    home = str(directory)
    failure: OSError = FileNotFoundError("there is no such program")
    for program in request["programs"]:
        try:
            return subprocess.Popen(
                [program, *request["arguments"]],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                cwd=directory,
                env={
                    "PATH": _PATH,
                    "HOME": home,
                    "TMPDIR": home,
                    "LANG": "C.UTF-8",
                    **request["environment"],
                },
                start_new_session=True,
                umask=0o077,
                user=user.pw_uid if user else None,
                group=user.pw_gid if user else None,
                extra_groups=[] if user else None,
                preexec_fn=confine,
            )
        except OSError as error:
            failure = error
    raise failure


def _limits(request: Request, uid: int) -> dict[int, int]:
    limits = {
        resource.RLIMIT_CPU: request["cpu_seconds"],
        resource.RLIMIT_DATA: request["memory_bytes"],
        resource.RLIMIT_FSIZE: request["file_bytes"],
        resource.RLIMIT_NOFILE: request["open_files"],
        resource.RLIMIT_CORE: 0,
    }
    if sys.platform == "linux":
        # The kernel counts all of a user's.
        limits[resource.RLIMIT_NPROC] = _threads_of(uid) + request["processes"]
    return limits


class _Supervision:
    """Feeds and reads the program until it ends, or has to."""

    def __init__(self, process: "subprocess.Popen[bytes]", request: Request) -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stderr is not None
        self._process = process
        self._request = request
        self._unsent = base64.b64decode(request["stdin"])
        self._stdin: IO[bytes] = process.stdin
        self._outputs = {process.stdout: STDOUT, process.stderr: STDERR}
        self._received = 0
        self._selector = selectors.DefaultSelector()
        self._woken, wake = os.pipe()
        for descriptor in (self._woken, wake):
            os.set_blocking(descriptor, False)
        signal.set_wakeup_fd(wake)
        signal.signal(signal.SIGCHLD, lambda number, frame: None)

    def run(self) -> str | None:
        """Returns at the program's end; the verdict is None, or why it was ended."""
        self._selector.register(sys.stdin.buffer, selectors.EVENT_READ)
        self._selector.register(self._woken, selectors.EVENT_READ)
        for output in self._outputs:
            os.set_blocking(output.fileno(), False)
            self._selector.register(output, selectors.EVENT_READ)
        os.set_blocking(self._stdin.fileno(), False)
        self._selector.register(self._stdin, selectors.EVENT_WRITE)
        deadline = time.monotonic() + self._request["seconds"]
        verdict = None
        while self._process.poll() is None:
            left = deadline - time.monotonic()
            if left <= 0:
                if verdict is not None:
                    break
                verdict = TOO_LONG
            else:
                found = self._turn(left)
                verdict = verdict or found
                if found is None:
                    continue
            deadline = time.monotonic() + _GRACE_SECONDS
            self._signal(signal.SIGTERM)
        return verdict

    def drain(self) -> bool:
        """Reads what is left in the pipes; False where that is too much."""
        for output in self._outputs:
            while self._receive(output) and not self._is_too_much():
                pass
        return not self._is_too_much()

    def _turn(self, seconds: float) -> str | None:
        """Waits for the next thing to do, and does it; the verdict where the program has to end."""
        for key, _ in self._selector.select(seconds):
            if key.fileobj is self._stdin:
                self._send()
            elif key.fileobj == self._woken:
                os.read(self._woken, _CHUNK)
            elif key.fileobj is sys.stdin.buffer:
                self._selector.unregister(sys.stdin.buffer)
                return CANCELLED
            else:
                if not self._receive(key.fileobj):
                    self._selector.unregister(key.fileobj)
                if self._is_too_much():
                    self._stop_reading()
                    return TOO_MUCH
        return None

    def _send(self) -> None:
        try:
            sent = os.write(self._stdin.fileno(), self._unsent[:_CHUNK]) if self._unsent else 0
        except BrokenPipeError:
            self._unsent, sent = b"", 0
        self._unsent = self._unsent[sent:]
        if not self._unsent:
            self._selector.unregister(self._stdin)
            self._stdin.close()

    def _receive(self, output: Any) -> bool:
        """Passes on what is there; False where nothing more will come, or comes now."""
        try:
            data = os.read(output.fileno(), _CHUNK)
        except BlockingIOError:
            return False
        self._received += len(data)
        if data:
            _say({"stream": self._outputs[output], "data": base64.b64encode(data).decode()})
        return bool(data)

    def _is_too_much(self) -> bool:
        return self._received > self._request["output_bytes"]

    def _stop_reading(self) -> None:
        for output in self._outputs:
            if output in self._selector.get_map():
                self._selector.unregister(output)

    def _signal(self, number: signal.Signals) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, number)


def _end_descendants() -> None:
    """Ends all that this process has started, and what those have; bounded, whatever they do."""
    end = time.monotonic() + _BURIAL_SECONDS
    while (living := _descendants()) and time.monotonic() < end:
        for pid in living:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        _bury()
        time.sleep(0.005)


def _bury() -> None:
    """Takes note of the ends of all that has ended."""
    try:
        while os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG) is not None:
            pass
    except ChildProcessError:
        pass


def _descendants() -> list[int]:
    """The processes below this one, none where the kernel doesn't tell."""
    children: dict[int, list[int]] = {}
    for pid, status in _statuses():
        children.setdefault(int(status["PPid"]), []).append(pid)
    found = list(children.get(os.getpid(), []))
    for pid in found:
        found += children.get(pid, [])
    return found


def _threads_of(uid: int) -> int:
    """How many threads a user has."""
    return sum(
        int(status["Threads"]) for _, status in _statuses() if int(status["Uid"].split()[0]) == uid
    )


def _statuses() -> Iterator[tuple[int, dict[str, str]]]:
    """What Linux tells of each process."""
    for entry in Path("/proc").glob("[0-9]*/status"):
        try:
            lines = entry.read_text(encoding="utf-8", errors="replace").splitlines()
        except (FileNotFoundError, ProcessLookupError):
            continue
        status = dict(line.split(":", 1) for line in lines)
        if "Threads" in status:
            yield int(entry.parent.name), status


def _exit_code(process: "subprocess.Popen[bytes]") -> int:
    """As a shell has it: 128 and its number for a signal."""
    code = process.wait()
    return code if code >= 0 else _SIGNALLED - code


def _new_folder() -> Path:
    """A folder in which this process holds a lock until it ends, by which a sweep leaves it."""
    folder = Path(tempfile.mkdtemp(prefix=FOLDERS))
    fcntl.flock(os.open(folder, _FOLDER), fcntl.LOCK_EX)
    return folder


def _wipe(directory: Path) -> None:
    """Removes the directory, however deep it is, also where the program has locked parts of it.

    All within is moved to a folder in which the program can't do anything, so that a path is never
    longer than a few names; no link is followed.
    """
    attic = _new_folder()
    inside = os.open(attic, _FOLDER)
    try:
        with suppress(OSError):
            _unlock(str(directory), None)
            directory.rename(attic / "0")
        found, known = ["0"], 1
        while found:
            name = found.pop()
            with suppress(OSError):
                folder = os.open(name, _FOLDER, dir_fd=inside)
                try:
                    moved = _clear(folder, inside, known)
                finally:
                    os.close(folder)
                found += moved
                known += len(moved)
                os.rmdir(name, dir_fd=inside)
    finally:
        os.close(inside)
    with suppress(OSError):
        attic.rmdir()


def _clear(folder: int, attic: int, known: int) -> list[str]:
    """Removes the files of a folder, and moves its folders; the names that these have then."""
    moved: list[str] = []
    with os.scandir(folder) as entries:
        listed = [(entry.name, entry.is_dir(follow_symlinks=False)) for entry in entries]
    for name, is_folder in listed:
        with suppress(OSError):
            if not is_folder:
                os.unlink(name, dir_fd=folder)
                continue
            _unlock(name, folder)
            number = str(known + len(moved))
            os.rename(name, number, src_dir_fd=folder, dst_dir_fd=attic)
            moved.append(number)
    return moved


def _unlock(name: str, parent: int | None) -> None:
    """Lets the owner into a folder. Root needs no such thing, and shouldn't follow a link here."""
    if os.geteuid() != 0:
        os.chmod(name, 0o700, dir_fd=parent)


def _sweep(user: str) -> None:
    """Removes the folders whose supervisors are gone: those of this user and the programs'."""
    owners = {os.geteuid(), pwd.getpwnam(user).pw_uid if user else os.geteuid()}
    for path in Path(tempfile.gettempdir()).glob(f"{FOLDERS}*"):
        with suppress(OSError):
            found = path.lstat()
            is_fresh = time.time() - found.st_mtime < _FRESH_SECONDS
            if not stat.S_ISDIR(found.st_mode) or found.st_uid not in owners or is_fresh:
                continue
            _unlock(str(path), None)
            folder = os.open(path, _FOLDER)
            try:
                fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
                _wipe(path)
            finally:
                os.close(folder)


def _read(source: IO[bytes]) -> bytes:
    """The next message; nothing where there is none."""
    head = source.read(LENGTH.size)
    return source.read(LENGTH.unpack(head)[0]) if len(head) == LENGTH.size else b""


def _say(message: dict[str, Any]) -> None:
    data = json.dumps(message).encode()
    sys.stdout.buffer.write(LENGTH.pack(len(data)) + data)
    sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
