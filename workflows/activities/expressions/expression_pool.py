"""Processes that evaluate jq programs, and are ended where a program doesn't end by itself."""

import asyncio
import json
import signal
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, Self

from biz.dsl.depth import is_deeper
from biz.dsl.expressions import EvaluationError
from biz.dsl.sizes import MAX_JSON_BYTES
from workflows.activities.expressions import expression_process
from workflows.activities.expressions.expression_process import LENGTH, MEMORY_EXIT_CODE

MAX_RESULT_DEPTH = 200
_PROCESSES = 4
_PATIENCE_FACTOR = 10
"""How much longer than its computing an evaluation may last, on a machine that is busy."""

_TOO_LONG = "the expression takes too long"
_TOO_LARGE = "the expression needs too much memory"
_TOO_DEEP = "the result is nested too deep"
_ENDINGS: Mapping[int, str] = {
    MEMORY_EXIT_CODE: _TOO_LARGE,
    -signal.SIGABRT: _TOO_LARGE,  # jq's own way
    -signal.SIGSEGV: _TOO_DEEP,  # where the stack ends
    -signal.SIGXCPU: _TOO_LONG,
}


class ProcessLost(Exception):
    """A process ended for no reason of the program's, such as by a signal from outside."""


class ExpressionPool:
    """Up to a few processes; each is started when it is needed, and kept."""

    def __init__(self, *, cpu_seconds: int, memory_mb: int) -> None:
        """`cpu_seconds` is for one evaluation, `memory_mb` for one process."""
        self._cpu_seconds = cpu_seconds
        self._memory_bytes = memory_mb * 1024 * 1024
        self._free = asyncio.Semaphore(_PROCESSES)
        self._idle: list[_Evaluator] = []

    async def evaluate(self, program: str, data: str) -> Any:
        """The first result of `program` on a JSON text, null where there is none.

        Raises EvaluationError, also for a program that was stopped; ProcessLost.
        """
        async with self._free:
            evaluator = self._take() or await _Evaluator.start(
                self._cpu_seconds, self._memory_bytes
            )
            try:
                async with asyncio.timeout(self._cpu_seconds * _PATIENCE_FACTOR):
                    answer = await evaluator.ask(json.dumps([program, data]).encode())
            except TimeoutError:
                await evaluator.kill()
                raise EvaluationError(_TOO_LONG) from None
            except BaseException:
                await evaluator.kill()
                raise
            self._idle.append(evaluator)
        return _read(answer)

    async def close(self) -> None:
        """Ends the processes that are idle; those at work end with their evaluations."""
        while self._idle:
            await self._idle.pop().kill()

    def _take(self) -> "_Evaluator | None":
        """One that is idle and lives, if any."""
        while self._idle:
            evaluator = self._idle.pop()
            if evaluator.is_alive:
                return evaluator
        return None


class _Evaluator:
    """One process of expression_process.py."""

    def __init__(self, process: Process) -> None:
        self._process = process

    @classmethod
    async def start(cls, cpu_seconds: int, memory_bytes: int) -> Self:
        limits = (cpu_seconds, memory_bytes, MAX_JSON_BYTES)
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-I",
            expression_process.__file__,
            *map(str, limits),
            stdin=PIPE,
            stdout=PIPE,
            stderr=DEVNULL,
            cwd="/",
            env={"TZ": "UTC"},
            start_new_session=True,  # a signal from the terminal is for us
        )
        return cls(process)

    @property
    def is_alive(self) -> bool:
        """Whether its end isn't known of."""
        return self._process.returncode is None

    async def ask(self, request: bytes) -> bytes:
        """Sends a request, and gives the answer; raises EvaluationError or ProcessLost."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        try:
            self._process.stdin.write(LENGTH.pack(len(request)) + request)
            await self._process.stdin.drain()
            head = await self._process.stdout.readexactly(LENGTH.size)
            return await self._process.stdout.readexactly(LENGTH.unpack(head)[0])
        except (asyncio.IncompleteReadError, ConnectionError):
            code = await self._process.wait()
            if code in _ENDINGS:
                raise EvaluationError(_ENDINGS[code]) from None
            raise ProcessLost(f"the process of an expression ended with {code}") from None

    async def kill(self) -> None:
        """Ends it at once."""
        with suppress(ProcessLookupError):
            self._process.kill()
        await asyncio.shield(self._process.wait())


def _read(answer: bytes) -> Any:
    try:
        result = json.loads(answer)
    except RecursionError:
        raise EvaluationError(_TOO_DEEP) from None
    if "error" in result:
        raise EvaluationError(result["error"])
    if is_deeper(result["value"], MAX_RESULT_DEPTH):
        raise EvaluationError(_TOO_DEEP)
    return result["value"]
