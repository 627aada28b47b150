"""Programs that run beside us: started in a process group of their own, stopped with us."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from time import monotonic
from typing import Self

from app.embedded import tether
from app.failure import Failure

_POLL_SECONDS = 0.05
_SHOWN_LINES = 10


class Child:
    """A running program; its output goes to a file.

    A signal from the terminal doesn't reach it: we stop it when its turn has come. If we are
    killed, the kernel kills it too.
    """

    def __init__(self, *, name: str, process: subprocess.Popen[bytes], log: Path) -> None:
        self.name = name
        self._process = process
        self._log = log

    @classmethod
    def start(
        cls,
        *,
        name: str,
        command: Sequence[str | Path],
        log: Path,
        environment: Mapping[str, str] | None = None,
    ) -> Self:
        """Starts `command`, whose first part is an absolute path; `log` is written anew.

        Call it in a thread that lives as long as the program should: the kernel ends the program
        with the thread that started it.
        """
        log.parent.mkdir(parents=True, exist_ok=True)
        tethered = [sys.executable, "-I", "-S", tether.__file__, str(os.getpid()), *command]
        with log.open("wb") as output:
            process = subprocess.Popen(
                tethered,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=environment,
                start_new_session=True,
            )
        return cls(name=name, process=process, log=log)

    @property
    def pid(self) -> int:
        """The id of its process, and of its process group."""
        return self._process.pid

    async def wait(self) -> int:
        """The exit code, once it has ended."""
        while (code := self._process.poll()) is None:  # noqa: ASYNC110 - no Event tells it
            await asyncio.sleep(_POLL_SECONDS)
        return code

    async def until(self, ready: Callable[[], Awaitable[bool]], *, within: timedelta) -> None:
        """Returns when `ready` says so; raises Failure where the program ends or is late."""
        deadline = monotonic() + within.total_seconds()
        while not await ready():
            if self._process.poll() is not None:
                raise self.died()
            if monotonic() > deadline:
                late = f"{self.name} isn't ready after {within.total_seconds():.0f} seconds"
                raise Failure(self._with_last_lines(late))
            await asyncio.sleep(_POLL_SECONDS)

    def died(self) -> Failure:
        """What to say when it has ended and shouldn't have."""
        ending = f"{self.name} ended by itself (exit code {self._process.poll()})"
        return Failure(self._with_last_lines(ending))

    async def stop(self, *, grace: timedelta) -> None:
        """Ends it and all that it started: politely, then after `grace` by force.

        A cancellation ends the grace.
        """
        self._signal(signal.SIGTERM)
        try:
            with suppress(TimeoutError):
                await asyncio.wait_for(self.wait(), grace.total_seconds())
        finally:
            self._signal(signal.SIGKILL)
        await self.wait()

    def last_lines(self, count: int = _SHOWN_LINES) -> list[str]:
        """The end of its output."""
        text = self._log.read_text(errors="replace")
        return [line for line in text.splitlines() if line.strip()][-count:]

    def _with_last_lines(self, message: str) -> str:
        lines = [f"  {line}" for line in self.last_lines()]
        return "\n".join([f"{message}; its output is in {self._log} and ends with", *lines])

    def _signal(self, number: signal.Signals) -> None:
        # Its group bears its id, and may live on without it.
        with suppress(ProcessLookupError):
            os.killpg(self.pid, number)
