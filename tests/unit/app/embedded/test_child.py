import asyncio
import os
import signal
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from app.embedded import tether
from app.embedded.child import Child
from app.failure import Failure
from tests.fixtures.pids import all_end

GRACE = timedelta(seconds=5)


def start(script: str, log: Path) -> Child:
    return Child.start(name="the part", command=[sys.executable, "-c", script], log=log)


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "logs" / "part.log"


async def never() -> bool:
    return False


async def test_its_output_goes_to_the_log(log: Path) -> None:
    child = start("print('hello'); import sys; sys.exit(3)", log)
    assert await child.wait() == 3
    assert child.last_lines() == ["hello"]


async def test_one_that_ends_too_early_is_told_with_its_last_lines(log: Path) -> None:
    script = "print(*range(100), sep='\\n'); print('bad option'); import sys; sys.exit(2)"
    child = start(script, log)
    with pytest.raises(Failure) as failure:
        await child.until(never, within=GRACE)
    first, *rest = failure.value.message.splitlines()
    assert first == (
        f"the part ended by itself (exit code 2); its output is in {log} and ends with"
    )
    assert rest[-1] == "  bad option"
    assert len(rest) == 10


async def test_one_that_is_late_is_told(log: Path) -> None:
    child = start("import time; time.sleep(60)", log)
    with pytest.raises(Failure, match="the part isn't ready after 0 seconds"):
        await child.until(never, within=timedelta(seconds=0.1))
    await child.stop(grace=GRACE)


async def test_stopping_asks_first(log: Path) -> None:
    script = (
        "import signal, sys, time\n"
        "def stop(*_):\n print('bye', flush=True); sys.exit(0)\n"
        "signal.signal(signal.SIGTERM, stop); print('ready', flush=True); time.sleep(60)"
    )
    child = start(script, log)

    async def ready() -> bool:
        return child.last_lines() == ["ready"]

    await child.until(ready, within=GRACE)
    await child.stop(grace=GRACE)
    assert child.last_lines() == ["ready", "bye"]
    assert await child.wait() == 0


async def test_stopping_uses_force_in_the_end_and_takes_grandchildren_along(log: Path) -> None:
    script = (
        "import signal, subprocess, sys, time\n"
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "other = subprocess.Popen([sys.executable, '-c', 'import signal, time; "
        "signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(60)'])\n"
        "print(other.pid, flush=True); time.sleep(60)"
    )
    child = start(script, log)

    async def ready() -> bool:
        return len(child.last_lines()) == 1

    await child.until(ready, within=GRACE)
    grandchild = int(child.last_lines()[0])
    await child.stop(grace=timedelta(seconds=0.2))
    assert await child.wait() == -signal.SIGKILL
    assert await asyncio.to_thread(all_end, [grandchild], within=5)


async def test_who_will_not_wait_any_longer_stops_it_by_force(log: Path) -> None:
    script = (
        "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); "
        "print('ready', flush=True); time.sleep(60)"
    )
    child = start(script, log)

    async def ready() -> bool:
        return child.last_lines() == ["ready"]

    await child.until(ready, within=GRACE)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(child.stop(grace=timedelta(seconds=60)), 0.2)
    assert await child.wait() == -signal.SIGKILL


async def test_stopping_what_has_ended_does_nothing(log: Path) -> None:
    child = start("pass", log)
    await child.wait()
    await child.stop(grace=GRACE)


def test_a_tethered_program_whose_parent_is_gone_never_starts() -> None:
    not_its_parent = os.getppid()
    process = subprocess.run(
        [sys.executable, tether.__file__, str(not_its_parent), sys.executable, "-c", "print(1)"],
        capture_output=True,
        timeout=30,
        check=False,
    )
    assert (process.returncode, process.stdout) == (1, b"")
