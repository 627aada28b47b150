import os
import subprocess
import sys
from pathlib import Path

import pytest

from app.embedded.state_lock import locked_state
from app.failure import Failure

HOLDER = """
import sys, time
from pathlib import Path
from app.embedded.state_lock import locked_state
with locked_state(Path(sys.argv[1])):
    print("locked", flush=True)
    time.sleep(60)
"""


def test_another_process_is_told_who_holds_the_directory(tmp_path: Path) -> None:
    state = tmp_path / "deep" / "state"
    with (
        locked_state(state),
        pytest.raises(Failure) as failure,
        locked_state(state),
    ):
        pass
    assert failure.value.message == (
        f"`{state}` is in use by process {os.getpid()}; stop that, or set STATE_DIRECTORY"
    )


def test_a_new_directory_is_for_its_owner_only(tmp_path: Path) -> None:
    with locked_state(tmp_path / "state"):
        assert (tmp_path / "state").stat().st_mode & 0o777 == 0o700


def test_the_directory_is_free_again_after_the_block(tmp_path: Path) -> None:
    for _ in range(2):
        with locked_state(tmp_path):
            pass


def test_a_holder_that_was_killed_is_no_obstacle(tmp_path: Path) -> None:
    command = [sys.executable, "-c", HOLDER, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "locked\n"
        with pytest.raises(Failure, match=f"process {holder.pid};"), locked_state(tmp_path):
            pass
        holder.kill()
    with locked_state(tmp_path):
        pass


def test_a_place_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with (
        pytest.raises(Failure, match="STATE_DIRECTORY: can't write into"),
        locked_state(tmp_path / "file"),
    ):
        pass
