"""Dry runs in processes: whatever a definition does, the caller gets an answer."""

import asyncio
import json
import multiprocessing
from collections.abc import AsyncIterator

import pytest

from biz.dsl.dry_run import DryRun, Rehearsal
from biz.errors import DryRunTooLarge
from tests.fixtures.workflows import START, Json, workflow
from workflows.dry_run_pool import DryRunPool

SET = {"a": {"set": {"x": 1}}}
RUNAWAY = {"a": {"set": {"x": "${ [range(1e12) | select(false)] }"}}}


@pytest.fixture
async def pool() -> AsyncIterator[DryRunPool]:
    found = DryRunPool(cpu_seconds=1, memory_mb=400)
    yield found
    found.close()


async def run(pool: DryRunPool, *tasks: Json) -> DryRun:
    return await pool.run(Rehearsal(config=json.dumps(workflow(*tasks)), input={}, start=START))


async def test_a_run_is_done_and_its_process_is_used_again(pool: DryRunPool) -> None:
    assert (await run(pool, SET)).output == {"x": 1}
    processes = {process.pid for process in multiprocessing.active_children()}
    assert (await run(pool, SET)).output == {"x": 1}
    assert {process.pid for process in multiprocessing.active_children()} == processes


async def test_a_run_that_computes_too_long_is_stopped_and_the_loop_goes_on(
    pool: DryRunPool,
) -> None:
    stopped = asyncio.create_task(run(pool, RUNAWAY))
    looks = 0
    while not stopped.done():
        await asyncio.sleep(0.02)
        looks += 1
    with pytest.raises(DryRunTooLarge, match="computes too long"):
        stopped.result()
    assert looks > 10
    assert (await run(pool, SET)).output == {"x": 1}


async def test_a_run_without_an_end_is_stopped(pool: DryRunPool) -> None:
    with pytest.raises(DryRunTooLarge, match="lifecycle events"):
        await run(pool, SET, {"b": {"set": {"x": 1}, "then": "a"}})


async def test_a_run_that_needs_too_much_memory_is_stopped(pool: DryRunPool) -> None:
    grow = {"a": {"set": {"x": '${ [range(100)] | map("x" * 100000) }'}}}
    again = {"b": {"set": {"x": "${ [., ., ., .] }"}, "then": "b"}}
    with pytest.raises(DryRunTooLarge, match=r"memory|too long"):
        await run(pool, grow, again)


async def test_a_caller_who_goes_away_ends_the_run(pool: DryRunPool) -> None:
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.8):
            await run(pool, RUNAWAY)
    assert (await run(pool, SET)).output == {"x": 1}


async def test_a_run_whose_answer_is_too_large_is_refused() -> None:
    pool = DryRunPool(cpu_seconds=20, memory_mb=400)
    tell = {"emit": {"event": {"with": {"type": "t", "data": "${ [range(90000) | tostring] }"}}}}
    with pytest.raises(DryRunTooLarge, match="more than"):
        await run(pool, {"all": {"for": {"in": "${ [range(25)] }"}, "do": [{"tell": tell}]}})
    pool.close()
