"""Runs that take up where others faulted: nothing that was done is done again."""

import asyncio
import json
from datetime import timedelta
from typing import Any

import pytest

from biz.dsl.calls.call import Call
from biz.dsl.calls.http_call import HttpCall
from biz.dsl.checkpoint import Checkpoint
from biz.dsl.errors import TaskFault, WorkflowError
from biz.dsl.interpreter import Interpreter
from biz.dsl.memory_runtime import MemoryRuntime
from biz.dsl.validator import load_workflow
from biz.dsl.virtual_time import VirtualLoop
from tests.fixtures.workflows import START, Json, evaluate, workflow


def call(name: str, **more: Any) -> Json:
    """A task that asks for the data it works on, and gives it with its name."""
    body = '${ {data: ., context: $context, task: "' + name + '"} }'
    arguments = {"method": "post", "endpoint": "http://service/" + name, "body": body}
    return {name: {"call": "http", "with": arguments, **more}}


def event(id: str, **data: Any) -> Json:
    return {"specversion": "1.0", "id": id, "source": "/x", "type": "t", "data": data}


NINE = {"type": "https://example.com/nine", "status": 9}

FLOWS: dict[str, Json] = {
    "a sequence": workflow(
        call("a"), call("b", export={"as": "${ {seen: .} }"}), {"s": {"set": {"x": 1}}}, call("c")
    ),
    "a loop in a loop": workflow(
        {
            "outer": {
                "for": {"in": "${ [1, 2, 3] }", "each": "o"},
                "do": [
                    call("a"),
                    {
                        "inner": {
                            "for": {"in": "${ [$o, $o] }", "each": "i"},
                            "while": "${ true }",
                            "do": [call("b"), {"s": {"set": {"o": "${ $o }", "was": "${ . }"}}}],
                        }
                    },
                ],
            }
        }
    ),
    "a loop over what it changes": workflow(
        {"init": {"set": {"a": 1}, "export": {"as": "${ {items: [1, 2]} }"}}},
        {
            "each": {
                "if": "${ ($context.items | length) == 2 }",
                "input": {"from": "${ $context.items }"},
                "for": {"in": "${ . }"},
                "do": [call("a", export={"as": "${ {items: [9, 9, 9]} }"}), call("b")],
            }
        },
    ),
    "branches": workflow(
        {
            "all": {
                "fork": {
                    "branches": [
                        {"one": {"do": [call("a"), {"w": {"wait": {"seconds": 1}}}, call("b")]}},
                        {"two": {"for": {"in": "${ [1, 2, 3] }"}, "do": [call("c")]}},
                        call("d"),
                    ]
                }
            }
        },
        call("e"),
    ),
    "a race": workflow(
        {
            "race": {
                "fork": {
                    "compete": True,
                    "branches": [
                        {"slow": {"do": [{"w": {"wait": {"seconds": 9}}}, call("never")]}},
                        {
                            "quick": {
                                "do": [{"w": {"wait": {"seconds": 1}}}, {"s": {"set": {"q": 1}}}]
                            }
                        },
                    ],
                }
            }
        },
        call("a"),
        call("b"),
    ),
    "tries": workflow(
        {
            "try": {
                "try": [
                    call("a"),
                    {"r": {"raise": {"error": {"type": "https://x/y", "status": 9}}}},
                ],
                "catch": {
                    "errors": {"with": {"status": 9}},
                    "as": "found",
                    "do": [call("b"), {"s": {"set": {"was": "${ $found.status }"}}}, call("c")],
                },
            }
        }
    ),
    "functions and extensions": {
        **workflow(call("a"), {"f": {"call": "twice", "with": {"x": 1}}}, call("b")),
        "use": {
            "functions": {"twice": {"do": [call("fa"), call("fb")]}},
            "extensions": [
                {
                    "log": {
                        "extend": "call",
                        "when": '${ $task.name == "a" }',
                        "before": [call("before")],
                        "after": [call("after"), call("after2")],
                    }
                }
            ],
        },
    },
    "events": workflow(
        {
            "hear": {
                "listen": {"to": {"all": [{"with": {"id": "1"}}, {"with": {"id": "2"}}]}},
                "foreach": {"item": "it", "do": [call("a"), call("b")]},
            }
        },
        call("c"),
        {"again": {"listen": {"to": {"one": {"with": {"type": "t"}}}}}},
    ),
    "a jump back": workflow(
        call("a"),
        {"count": {"set": {"n": "${ (.n // 0) + 1 }"}}},
        {"more": {"switch": [{"yes": {"when": "${ .n < 3 }", "then": "count"}}]}},
        call("b"),
    ),
}
EVENTS = [(timedelta(seconds=second), event(str(second))) for second in (1, 2, 3)]


class Service:
    """Answers calls; the one of a number fails."""

    def __init__(self, failing: int = 0) -> None:
        self.failing = failing
        self.answered: list[Any] = []

    def answer(self, call: Call) -> Any:
        self.failing -= 1
        if self.failing == 0:
            raise TaskFault(WorkflowError.standard("communication", "it failed", status=503))
        assert isinstance(call, HttpCall)
        self.answered.append(call.body)
        return {"got": call.body, "n": len(json.dumps(call.body))}


def run(flow: Json, service: Service, checkpoint: Checkpoint | None = None) -> Any:
    """The output, or the checkpoint of a run that faulted."""
    runtime = MemoryRuntime(answer=service.answer, start=START, evaluate=evaluate, events=EVENTS)
    interpreter = Interpreter(load_workflow(json.dumps(flow)), runtime, checkpoint=checkpoint)

    async def walk() -> Any:
        try:
            return await interpreter.run({"start": True})
        except TaskFault:
            return Checkpoint.from_text(interpreter.checkpoint().to_text())

    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(walk())


@pytest.mark.parametrize("name", FLOWS)
def test_wherever_a_call_fails_the_next_run_does_the_rest_and_no_more(name: str) -> None:
    flow = FLOWS[name]
    whole = Service()
    output = run(flow, whole)
    calls = len(whole.answered)
    assert calls > 1

    for failing in range(1, calls + 1):
        first, second = Service(failing), Service()
        checkpoint = run(flow, first)
        assert isinstance(checkpoint, Checkpoint), failing
        assert run(flow, second, checkpoint) == output, failing
        done = [*first.answered, *second.answered]
        assert sorted(map(json.dumps, done)) == sorted(map(json.dumps, whole.answered)), failing


@pytest.mark.parametrize("name", FLOWS)
def test_a_run_that_took_up_can_be_taken_up_from_too(name: str) -> None:
    flow = FLOWS[name]
    whole = Service()
    output = run(flow, whole)

    checkpoint, done = None, []
    for _ in range(3 * len(whole.answered)):
        service = Service(failing=2)
        left = run(flow, service, checkpoint)
        done += service.answered
        if not isinstance(left, Checkpoint):
            break
        checkpoint = left
    assert left == output
    assert sorted(map(json.dumps, done)) == sorted(map(json.dumps, whole.answered))


def test_a_checkpoint_names_the_task_that_faulted() -> None:
    checkpoint = run(FLOWS["a loop in a loop"], Service(failing=5))

    assert checkpoint.faulted == "/do/0/outer/for/1/do/1/inner/for/0/do/0/b"


def test_what_is_done_leaves_no_notes() -> None:
    flow = workflow(*(task for flow in FLOWS.values() for task in flow["do"]), call("last"))
    names = [f"t{number}" for number in range(len(flow["do"]))]
    flow["do"] = [{n: next(iter(t.values()))} for n, t in zip(names, flow["do"], strict=True)]
    flow["use"] = FLOWS["functions and extensions"]["use"]
    whole = Service()
    run(flow, whole)

    checkpoint = run(flow, Service(failing=len(whole.answered)))

    assert sorted(checkpoint.notes) == ["/do/#at", f"/do/{len(names) - 1}/{names[-1]}/#data"]


def test_a_value_that_is_noted_in_many_places_stands_once() -> None:
    flow = workflow({"a": {"do": [{"b": {"do": [{"c": {"do": [call("x")]}}]}}]}})
    flow["input"] = {"from": '${ {big: ("x" * 10000)} }'}

    checkpoint = run(flow, Service(failing=1))

    assert len(checkpoint.to_text()) < 15_000
