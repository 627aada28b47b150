"""Expressions that don't end: each is stopped, and the next one is none the worse for it."""

import asyncio
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from biz.dsl.expressions import EvaluationError
from tests.fixtures.pids import all_end, children_of
from tests.patience import PATIENCE_SECONDS
from workflows.activities.expressions.expression_pool import ExpressionPool, ProcessLost

ROOT = Path(__file__).parents[3]


@pytest.fixture
async def pool() -> AsyncIterator[ExpressionPool]:
    pool = ExpressionPool(cpu_seconds=1, memory_mb=128)
    try:
        yield pool
    finally:
        await pool.close()


async def evaluate(pool: ExpressionPool, program: str, data: Any = None) -> Any:
    return await pool.evaluate(program, json.dumps(data))


def processes() -> set[int]:
    return set(children_of(os.getpid()))


async def started(before: set[int]) -> int:
    """The process that was started since, once it computes."""
    while processes() == before:  # noqa: ASYNC110 - the kernel tells no Event
        await asyncio.sleep(0.01)
    await asyncio.sleep(0.2)
    (pid,) = processes() - before
    return pid


@pytest.mark.parametrize(
    ("program", "data", "result"),
    [
        ("[range(3)]", None, [0, 1, 2]),
        ("empty", None, None),
        ('[scan("[a-z]+")]', "ab 1 cd é", ["ab", "cd"]),
        ("def f: if . > 100 then . else . * 2 | f end; f", 1, 128),
        (".", "x" * 999_998, "x" * 999_998),
        (".", "é😀\0", "é😀\0"),
    ],
)
async def test_an_expression_gives(
    pool: ExpressionPool, program: str, data: Any, result: Any
) -> None:
    assert await evaluate(pool, program, data) == result


@pytest.mark.parametrize(
    ("program", "data", "verdict"),
    [
        ("last(range(1e12))", None, "takes too long"),
        ("def f: f; f", None, "takes too long"),
        ('[scan(".")] | length', "x" * 200_000, "takes too long"),
        ("[range(1e9)]", None, "too much memory"),
        ("def f: [f]; f", None, "too much memory"),
        (". * 1e9", "x", "too much memory"),
        ("[.,.] | " * 60 + ".", None, "too much memory|takes too long"),
        ('. * 2e6 + ""', "x", "more than 1000000 bytes"),
        ("error(. * 2e6)", "x", "more than 1000000 bytes"),
        ("reduce range(500) as $i (0; [.])", None, "nested too deep"),
        ("reduce range(100000) as $i (0; [.])", None, "nested too deep"),
        ('test("^(a+)+$")', "a" * 40 + "b", "Regex failure"),
        ('error("no")', None, "^no$"),
        ("syntax error", None, "error"),
    ],
)
async def test_an_expression_fails_and_the_next_one_doesnt(
    pool: ExpressionPool, program: str, data: Any, verdict: str
) -> None:
    with pytest.raises(EvaluationError, match=verdict):
        await evaluate(pool, program, data)
    assert await evaluate(pool, ". + 1", 1) == 2


async def test_expressions_wait_for_each_other_only_when_all_processes_work(
    pool: ExpressionPool,
) -> None:
    before = processes()
    endless = [asyncio.create_task(evaluate(pool, "def f: f; f")) for _ in range(3)]
    assert await asyncio.gather(*(evaluate(pool, ".", n) for n in range(50))) == list(range(50))
    assert not any(task.done() for task in endless)
    assert len(processes() - before) <= 4
    results = await asyncio.gather(*endless, return_exceptions=True)
    assert {str(result) for result in results} == {"the expression takes too long"}


async def test_a_process_is_kept(pool: ExpressionPool) -> None:
    before = processes()
    for _ in range(5):
        await evaluate(pool, ".")
    assert len(processes() - before) == 1
    await pool.close()
    assert processes() == before


async def test_a_process_that_is_killed_is_replaced(pool: ExpressionPool) -> None:
    before = processes()
    work = asyncio.create_task(evaluate(pool, "def f: f; f"))
    os.kill(await started(before), signal.SIGKILL)
    with pytest.raises(ProcessLost):
        await work
    assert await evaluate(pool, ".", 1) == 1


async def test_what_is_cancelled_stops_its_process(pool: ExpressionPool) -> None:
    before = processes()
    work = asyncio.create_task(evaluate(pool, "def f: f; f"))
    await started(before)
    work.cancel()
    with pytest.raises(asyncio.CancelledError):
        await work
    assert processes() == before


async def test_a_process_has_no_environment_and_opens_no_file(
    pool: ExpressionPool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECRET", "secret")
    before = processes()
    assert "SECRET" not in await evaluate(pool, "$ENV")
    environment, files, limits = facts_of(await started(before))
    assert "secret" not in environment
    assert files == 3
    assert re.search("Max open files +0 ", limits)


def facts_of(pid: int) -> tuple[str, int, str]:
    """The environment of a process, the number of its open files, and its limits."""
    process = Path("/proc", str(pid))
    files = len(list((process / "fd").iterdir()))
    return (process / "environ").read_text(), files, (process / "limits").read_text()


ORPHANING = """
import asyncio
from workflows.activities.expressions.expression_pool import ExpressionPool

async def main():
    pool = ExpressionPool(cpu_seconds=1, memory_mb=128)
    await pool.evaluate(".", "1")
    work = asyncio.gather(pool.evaluate("def f: f; f", "1"), pool.evaluate("def f: f; f", "2"))
    await pool.evaluate(".", "1")
    print("working", flush=True)
    await work

asyncio.run(main())
"""


async def test_no_process_outlives_a_worker_that_is_killed() -> None:
    worker = await asyncio.create_subprocess_exec(
        sys.executable, "-c", ORPHANING, cwd=ROOT, stdout=subprocess.PIPE
    )
    assert worker.stdout is not None
    assert await worker.stdout.readline() == b"working\n"
    children = children_of(worker.pid)
    worker.kill()
    await worker.wait()
    assert len(children) == 3
    assert await asyncio.to_thread(all_end, children, within=PATIENCE_SECONDS)
