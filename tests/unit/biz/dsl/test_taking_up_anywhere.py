"""Runs that take up at any task of a run that is done, by what its history knows."""

import asyncio
import json
from collections.abc import Mapping
from typing import Any

import pytest

from biz.dsl.checkpoint import CannotTakeUp, Checkpoint
from biz.dsl.interpreter import Interpreter
from biz.dsl.lifecycle import LifecycleEvent, LifecycleType
from biz.dsl.memory_runtime import MemoryRuntime
from biz.dsl.taking_up import checkpoint_at
from biz.dsl.validator import load_workflow
from biz.dsl.virtual_time import VirtualLoop
from tests.fixtures.flows import CHILDREN, EVENTS, FLOWS, Service
from tests.fixtures.workflows import START, Json, evaluate


class Told:
    """`biz.dsl.taking_up.Past` by the events of a run in memory."""

    def __init__(self, events: list[LifecycleEvent]) -> None:
        self._events = events

    async def started(self, path: str) -> tuple[Any, Any] | None:
        found = self._last(LifecycleType.TASK_STARTED, path)
        return (found.input, found.context) if found else None

    async def completed(self, path: str) -> tuple[Any] | None:
        found = self._last(LifecycleType.TASK_COMPLETED, path)
        return (found.output,) if found else None

    async def caught(self, path: str) -> Mapping[str, Any] | None:
        for event in reversed(self._events):
            if event.type is LifecycleType.TASK_FAULTED and event.task.startswith(f"{path}/try/"):
                assert event.error is not None
                return event.error.to_json()
        return None

    def _last(self, type: LifecycleType, path: str) -> LifecycleEvent | None:
        found = (e for e in reversed(self._events) if e.type is type and e.task == path)
        return next(found, None)


def run(flow: Json, checkpoint: Checkpoint | None = None) -> tuple[Any, list[Any], Told, list[str]]:
    """The output, what the service was asked, the history, and the tasks that were started."""
    service = Service()
    runtime = MemoryRuntime(
        answer=service.answer,
        start=START,
        evaluate=evaluate,
        events=EVENTS,
        find=lambda call: load_workflow(json.dumps(CHILDREN[call.name])),
    )
    workflow = load_workflow(json.dumps(flow))
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        interpreter = Interpreter(workflow, runtime, checkpoint=checkpoint)
        output = runner.run(interpreter.run({"start": True}))
    started = [e.task for e in runtime.events if e.type is LifecycleType.TASK_STARTED]
    return output, service.answered, Told(runtime.events), started


REFUSED = ("/foreach/", "/after/")


@pytest.mark.parametrize("name", FLOWS)
def test_at_whatever_task_a_run_takes_up_it_comes_to_the_same(name: str) -> None:
    flow = FLOWS[name]
    workflow = load_workflow(json.dumps(flow))
    output, asked, told, started = run(flow)

    for path in dict.fromkeys(started):
        if any(part in path for part in REFUSED):
            continue
        checkpoint = asyncio.run(checkpoint_at(path, told, None, workflow))
        again, anew, _, tasks = run(flow, checkpoint)
        assert again == output, path
        assert path in tasks
        assert all(anew.count(body) <= asked.count(body) for body in anew), path


@pytest.mark.parametrize("name", ["events", "functions and extensions"])
def test_where_it_cannot_take_up_it_says_where_it_can(name: str) -> None:
    workflow = load_workflow(json.dumps(FLOWS[name]))
    *_, told, started = run(FLOWS[name])
    refused = [path for path in started if any(part in path for part in REFUSED)]
    assert refused

    for path in refused:
        with pytest.raises(CannotTakeUp, match=r"take up at /do/0/(hear|a)"):
            asyncio.run(checkpoint_at(path, told, None, workflow))


def test_what_was_done_before_the_task_is_not_asked_again() -> None:
    flow = FLOWS["functions and extensions"]
    workflow = load_workflow(json.dumps(flow))
    *_, told, _ = run(flow)

    path = "/do/1/f/use/functions/twice/do/1/fb"
    _, asked, _, tasks = run(flow, asyncio.run(checkpoint_at(path, told, None, workflow)))

    assert [body["task"] for body in asked] == ["fb", "b"]
    assert tasks == ["/do/1/f", "/do/1/f/use/functions/twice", path, "/do/2/b"]
