"""Does dry runs in processes with limits, so that none takes the server down or holds it up."""

import asyncio
import multiprocessing
import pickle
import signal
from collections.abc import Mapping

from biz.dsl.dry_run import DryRun, Rehearsal
from biz.errors import DryRunTooLarge
from workflows.dry_run_process import MEMORY_EXIT_CODE, serve

_PROCESSES = 2
_PATIENCE_FACTOR = 5
"""How much longer than its computing a run may last, on a machine that is busy."""

_TOO_MUCH_MEMORY = "it needs too much memory"
_ENDINGS: Mapping[int, str] = {
    MEMORY_EXIT_CODE: _TOO_MUCH_MEMORY,
    -signal.SIGABRT: _TOO_MUCH_MEMORY,  # jq's own way
    -signal.SIGSEGV: "its values are nested too deep",  # where the stack ends
    -signal.SIGXCPU: "it computes too long",
}


class DryRunPool:
    """Up to a few processes; each is started when it is needed, and kept."""

    def __init__(self, *, cpu_seconds: int, memory_mb: int) -> None:
        """`cpu_seconds` is for one run, `memory_mb` for one process."""
        self._cpu_seconds = cpu_seconds
        self._memory_bytes = memory_mb * 1024 * 1024
        self._free = asyncio.Semaphore(_PROCESSES)
        self._idle: list[_Process] = []

    async def run(self, rehearsal: Rehearsal) -> DryRun:
        """What comes of a dry run; raises DryRunTooLarge."""
        async with self._free:
            process = self._take()
            if process is None:
                process = await asyncio.to_thread(_Process, self._cpu_seconds, self._memory_bytes)
            try:
                async with asyncio.timeout(self._cpu_seconds * _PATIENCE_FACTOR):
                    found = await asyncio.to_thread(process.ask, rehearsal)
            except TimeoutError:
                process.kill()
                raise DryRunTooLarge(_ENDINGS[-signal.SIGXCPU]) from None
            except BaseException:
                process.kill()
                raise
            self._idle.append(process)
        if isinstance(found, str):
            raise DryRunTooLarge(found)
        return found

    def close(self) -> None:
        """Ends the processes that are idle; those at work end with their runs."""
        while self._idle:
            self._idle.pop().kill()

    def _take(self) -> "_Process | None":
        """One that is idle and lives, if any."""
        while self._idle:
            process = self._idle.pop()
            if process.is_alive:
                return process
        return None


class _Process:
    """One process of dry_run_process.py; blocks while it starts."""

    def __init__(self, cpu_seconds: int, memory_bytes: int) -> None:
        context = multiprocessing.get_context("spawn")
        self._connection, theirs = context.Pipe()
        self._process = context.Process(
            target=serve, args=(theirs, cpu_seconds, memory_bytes), daemon=True
        )
        self._process.start()
        theirs.close()  # so that its end shows here

    @property
    def is_alive(self) -> bool:
        """Whether its end isn't known of."""
        return self._process.is_alive()

    def ask(self, rehearsal: Rehearsal) -> DryRun | str:
        """What came of a run, or which limit it has reached. Blocks."""
        try:
            self._connection.send(rehearsal)
            found: DryRun | str = pickle.loads(self._connection.recv_bytes())
        except (EOFError, OSError):
            self._process.join()
            code = self._process.exitcode or 0
            if code not in _ENDINGS:
                raise RuntimeError(f"the process of a dry run ended with {code}") from None
            found = _ENDINGS[code]
        return found

    def kill(self) -> None:
        """Ends it at once."""
        self._process.kill()
        self._process.join()
