"""Runs that are suspended and resumed, in memory."""

import asyncio
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest

from biz.dsl.calls.call import Call
from biz.dsl.concurrency import gather
from biz.dsl.errors import TaskFault, WorkflowError
from biz.dsl.interpreter import Interpreter
from biz.dsl.lifecycle import LifecycleEvent
from biz.dsl.memory_runtime import MemoryRuntime
from biz.dsl.model import Workflow
from biz.dsl.validator import check
from biz.dsl.virtual_time import VirtualLoop
from tests.fixtures.workflows import START, Json, workflow

WAIT: Json = {"rest": {"wait": {"seconds": 10}}}
DONE: Json = {"done": {"set": {"done": True}}}
HELD = (4, 100)
"""Suspended after so many seconds, and resumed."""


@dataclass(frozen=True, kw_only=True)
class Seen:
    """A run that has ended: its output or error, and what happened at which second."""

    output: Any
    error: WorkflowError | None
    seconds: float
    events: Sequence[LifecycleEvent]

    def times(self, kind: str) -> list[tuple[str, float]]:
        """Of the events of a kind such as `task.started`: the task and the second."""
        return [
            (event.task, (event.time - START).total_seconds())
            for event in self.events
            if f".{kind}." in event.type
        ]


async def run(
    definition: Json,
    *holds: tuple[float, float],
    answer: Callable[[Call], Any] = lambda call: {"answered": True},
    events: Sequence[tuple[timedelta, Json]] = (),
    find: Callable[[Any], Workflow | None] = lambda call: None,
) -> Seen:
    """The run of a definition that is held from one second to another, as often as said."""
    checked = check(json.dumps(definition))
    assert not checked.errors
    runtime = MemoryRuntime(answer=answer, start=START, events=events, find=find)

    async def hold() -> None:
        for start, end in holds:
            for second, change in (
                (start, runtime.control.suspend), (end, runtime.control.resume)
            ):  # fmt: skip
                if second:
                    await runtime.timer(START + timedelta(seconds=second) - runtime.now())
                change(runtime.now())

    async def both() -> tuple[Any, float]:
        holding = asyncio.create_task(hold())
        await asyncio.sleep(0)
        try:
            output = await Interpreter(checked.require(), runtime, runtime.control).run({})
        finally:
            ended_at = (runtime.now() - START).total_seconds()
            await holding
        return output, ended_at

    def in_memory() -> Seen:
        output, error = None, None
        with asyncio.Runner(loop_factory=VirtualLoop) as runner:
            try:
                output, _ = runner.run(both())
            except TaskFault as fault:
                error = fault.error
        seconds = (runtime.events[-1].time - START).total_seconds()
        return Seen(output=output, error=error, seconds=seconds, events=runtime.events)

    return await asyncio.to_thread(in_memory)


async def test_no_task_starts_while_a_run_is_suspended_and_its_timers_fire_on_resumption() -> None:
    seen = await run(workflow(WAIT, DONE), HELD)
    assert seen.output == {"done": True}
    assert seen.times("task.started") == [("/do/0/rest", 0), ("/do/1/done", 100)]
    assert seen.seconds == 100


async def test_a_timer_that_has_time_left_fires_in_its_time() -> None:
    seen = await run(workflow(WAIT, DONE), (4, 6))
    assert seen.seconds == 10


async def test_what_waits_is_suspended_with_the_run() -> None:
    branches = [WAIT, {"long": {"wait": {"seconds": 200}}}, {"quick": {"set": "1"}}]
    seen = await run(workflow({"all": {"fork": {"branches": branches}}}), HELD)
    rest, long = "/do/0/all/fork/branches/0/rest", "/do/0/all/fork/branches/1/long"
    assert seen.times("workflow.suspended") == [("", 4)]
    assert seen.times("task.suspended") == [(rest, 4), (long, 4)]
    assert seen.times("workflow.resumed") == [("", 100)]
    assert seen.times("task.resumed") == [(rest, 100), (long, 100)]
    assert seen.output[0:1] + seen.output[2:] == [{}, 1]
    sequences = [event.sequence for event in seen.events]
    assert sequences == list(range(1, len(sequences) + 1))


async def test_a_run_can_be_suspended_twice() -> None:
    seen = await run(workflow(WAIT, {"again": {"wait": "PT10S"}}, DONE), (4, 20), (22, 50))
    assert seen.times("task.started")[1:] == [("/do/1/again", 20), ("/do/2/done", 50)]


@pytest.mark.parametrize(
    "definition",
    [
        workflow(WAIT, DONE, timeout={"after": {"seconds": 12}}),
        workflow({"t": {"do": [WAIT, DONE], "timeout": {"after": {"seconds": 12}}}}),
        workflow(
            {
                "t": {
                    "try": [WAIT, DONE],
                    "catch": {"retry": {"limit": {"attempt": {"duration": "PT12S"}}}},
                }
            }
        ),
    ],
    ids=["workflow", "task", "attempt"],
)
async def test_the_clock_of_a_timeout_stands_still(definition: Json) -> None:
    seen = await run(definition, HELD)
    assert (seen.output, seen.error) == ({"done": True}, None)


async def test_a_timeout_counts_the_time_before_and_after_a_suspension() -> None:
    long: Json = {"long": {"wait": {"seconds": 500}}}
    seen = await run(workflow(long, timeout={"after": {"seconds": 12}}), (4, 100), (103, 200))
    assert seen.error is not None
    assert seen.error.status == 408
    assert seen.seconds == 205


async def test_a_timeout_that_runs_out_while_held_faults_on_resumption() -> None:
    rest: Json = {"t": {"wait": {"seconds": 50}, "timeout": {"after": {"seconds": 4}}}}
    seen = await run(workflow(rest), (3, 30))
    assert (seen.error and seen.error.status, seen.seconds) == (408, 31)


def tried(**limit: Any) -> Json:
    fail: Json = {"ask": {"call": "http", "with": {"method": "get", "endpoint": "http://x.test"}}}
    retry = {"delay": {"seconds": 10}, "limit": limit}
    return workflow({"t": {"try": [fail], "catch": {"retry": retry}}})


class Flaky:
    """Fails so many times, then answers."""

    def __init__(self, failures: int) -> None:
        self._failures = failures

    def __call__(self, call: Call) -> Any:
        if self._failures:
            self._failures -= 1
            raise TaskFault(WorkflowError.standard("communication", "it failed", status=503))
        return {"answered": True}


async def test_a_retry_waits_for_the_resumption() -> None:
    seen = await run(tried(), HELD, answer=Flaky(1))
    assert seen.output == {"answered": True}
    assert seen.times("task.retried") == [("/do/0/t", 100)]
    assert seen.times("task.suspended") == [("/do/0/t", 4)]


async def test_the_time_for_retries_stands_still() -> None:
    seen = await run(tried(duration="PT25S"), HELD, answer=Flaky(2))
    assert (seen.output, seen.error) == ({"answered": True}, None)
    assert [second for _, second in seen.times("task.retried")] == [100, 110]


async def test_an_event_is_consumed_on_resumption() -> None:
    event = {"specversion": "1.0", "id": "1", "source": "/x", "type": "a", "data": 7}
    listen: Json = {
        "hear": {
            "listen": {"to": {"one": {"with": {"type": "a"}}}},
            "foreach": {"do": [{"note": {"set": "${ $item }"}}]},
        }
    }
    seen = await run(workflow(listen), HELD, events=[(timedelta(seconds=8), event)])
    assert seen.output == [7]
    assert seen.times("task.suspended") == [("/do/0/hear", 4)]
    assert seen.times("task.started")[1:] == [("/do/0/hear/foreach/0/do/0/note", 100)]


async def test_a_child_run_is_held_with_the_run_around_it() -> None:
    child = check(json.dumps(workflow(WAIT, DONE))).require()
    call: Json = {
        "child": {"run": {"workflow": {"namespace": "test", "name": "c", "version": "1.0.0"}}}
    }
    seen = await run(workflow(call, DONE), HELD, find=lambda call: child)
    assert seen.output == {"done": True}
    assert seen.times("task.started") == [("/do/0/child", 0), ("/do/1/done", 100)]


async def test_nothing_starts_in_a_run_that_is_suspended_before_its_start() -> None:
    seen = await run(workflow(DONE), (0, 5))
    assert seen.times("workflow.started") == [("", 0)]
    assert seen.times("task.started") == [("/do/0/done", 5)]


async def test_a_cancelled_run_tells_why_and_starts_nothing() -> None:
    reason = WorkflowError.standard("runtime", "not needed any more")
    runtime = MemoryRuntime(answer=lambda call: None, start=START)
    run = Interpreter(check(json.dumps(workflow(DONE))).require(), runtime, runtime.control)
    runtime.control.suspend(START)
    runtime.control.stop(reason)
    runtime.control.resume(START)
    running = asyncio.create_task(run.run({}))
    await asyncio.sleep(0.01)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    last = runtime.events[-1]
    assert [event.type.split(".")[-2] for event in runtime.events] == ["started", "cancelled"]
    assert (last.task, last.error) == ("", reason)


async def test_a_suspended_run_can_be_cancelled() -> None:
    runtime = MemoryRuntime(answer=lambda call: None, start=START)
    run = Interpreter(check(json.dumps(workflow(DONE))).require(), runtime, runtime.control)
    runtime.control.suspend(START)
    with pytest.raises(asyncio.CancelledError):
        await gather([asyncio.wait_for(run.run({}), 5), _cancelled()])


async def _cancelled() -> None:
    await asyncio.sleep(0.01)
    raise asyncio.CancelledError
