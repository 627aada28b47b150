"""A process that does dry runs for another, which may end it at any time."""

import math
import os
import pickle
import resource
import sys
import time
from multiprocessing.connection import Connection

from biz.dsl.dry_run import DryRun, LimitReached, Rehearsal, rehearse

MEMORY_EXIT_CODE = 3
MAX_RESULT_BYTES = 16_000_000


def serve(connection: Connection, cpu_seconds: int, memory_bytes: int) -> None:
    """Answers each Rehearsal with its DryRun, or with the text of a LimitReached, pickled.

    The kernel stops the process after `cpu_seconds` of one of them, also when nobody waits.
    """
    os.setsid()  # a signal from the terminal is for the other one
    for limit, value in ((resource.RLIMIT_AS, memory_bytes), (resource.RLIMIT_CORE, 0)):
        resource.setrlimit(limit, (value, value))
    try:
        while True:
            rehearsal = connection.recv()
            _allow(cpu_seconds)
            connection.send_bytes(_answer(rehearsal))
    except EOFError:
        return
    except MemoryError:
        sys.exit(MEMORY_EXIT_CODE)


def _answer(rehearsal: Rehearsal) -> bytes:
    found: DryRun | str
    try:
        found = rehearse(rehearsal)
    except LimitReached as limit:
        found = str(limit)
    answer = pickle.dumps(found)
    if len(answer) > MAX_RESULT_BYTES:
        return pickle.dumps(f"its calls, events and outputs are more than {MAX_RESULT_BYTES} bytes")
    return answer


def _allow(cpu_seconds: int) -> None:
    """Lets the kernel end this process when it has computed for so long from now."""
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    soft = math.ceil(time.process_time() + cpu_seconds)
    resource.setrlimit(resource.RLIMIT_CPU, (soft, hard))
