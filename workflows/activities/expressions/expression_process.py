"""Evaluates jq programs for a process that may end it at any time.

A program of its own: `python expression_process.py CPU_SECONDS MEMORY_BYTES RESULT_BYTES`. It reads
a program and a JSON text, and answers with the program's first result or an error, again and again;
each message has four bytes with its length in front. It ends with its input, and at its limits: the
kernel stops it after CPU_SECONDS of one evaluation, also when nobody is left who waits.
"""

import json
import math
import resource
import struct
import sys
import time
from functools import lru_cache
from typing import BinaryIO

import jq

LENGTH = struct.Struct(">I")
MEMORY_EXIT_CODE = 3
_compile = lru_cache(maxsize=256)(jq.compile)


def main() -> None:
    cpu_seconds, memory_bytes, result_bytes = map(int, sys.argv[1:])
    limits = {
        resource.RLIMIT_AS: memory_bytes,
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_FSIZE: 0,
        resource.RLIMIT_NOFILE: 0,
    }
    for limit, value in limits.items():
        resource.setrlimit(limit, (value, value))
    try:
        while request := read(sys.stdin.buffer):
            allow(cpu_seconds)
            write(sys.stdout.buffer, answer(request, result_bytes))
    except MemoryError:
        sys.exit(MEMORY_EXIT_CODE)


def allow(cpu_seconds: int) -> None:
    """Lets the kernel end this process when it has computed for so long from now."""
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    soft = math.ceil(time.process_time() + cpu_seconds)
    resource.setrlimit(resource.RLIMIT_CPU, (soft, hard))


def answer(request: bytes, result_bytes: int) -> bytes:
    """The result as `{"value": …}`, or what is wrong with it as `{"error": "…"}`."""
    program, data = json.loads(request)
    try:
        key, text = "value", json.dumps(next(iter(_compile(program).input_text(data)), None))
    except ValueError as error:
        key, text = "error", json.dumps(str(error))
    except RecursionError:
        key, text = "error", json.dumps("the result is nested too deep")
    if len(text) > result_bytes:
        key, text = "error", json.dumps(f"the result has more than {result_bytes} bytes")
    return f'{{"{key}": {text}}}'.encode()


def read(source: BinaryIO) -> bytes:
    """The next message, nothing at the end."""
    head = source.read(LENGTH.size)
    return source.read(LENGTH.unpack(head)[0]) if len(head) == LENGTH.size else b""


def write(target: BinaryIO, message: bytes) -> None:
    target.write(LENGTH.pack(len(message)) + message)
    target.flush()


if __name__ == "__main__":
    main()
