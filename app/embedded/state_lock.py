"""The state directory belongs to one `up` at a time."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from app.failure import Failure

_FILE = "up.lock"


@contextmanager
def locked_state(directory: Path) -> Iterator[None]:
    """Holds the directory, made where missing, for the block; raises Failure where another does.

    The lock is the kernel's: it goes with the process that holds it, however that one ends.
    """
    try:
        # What runs work with is in its database, for nobody else to read.
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        file = (directory / _FILE).open("a+", encoding="ascii")
    except OSError as error:
        reason = f"can't write into {directory}: {error.strerror}"
        raise Failure(f"STATE_DIRECTORY: {reason}") from error
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            holder = f"process {file.read().strip()}".strip()
            raise Failure(
                f"`{directory}` is in use by {holder}; stop that, or set STATE_DIRECTORY"
            ) from None
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield
