"""Runs that take up where others faulted: nothing that was done is done again."""

import asyncio
import json
import uuid
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any, ClassVar

import pytest

from biz.dsl.calls.child_call import ChildCall
from biz.dsl.checkpoint import Checkpoint
from biz.dsl.errors import TaskFault
from biz.dsl.events.event import Event
from biz.dsl.interpreter import Interpreter
from biz.dsl.memory_runtime import MemoryRuntime
from biz.dsl.runtime import Progress
from biz.dsl.validator import load_workflow
from biz.dsl.virtual_time import VirtualLoop
from tests.fixtures.flows import CHILDREN, EVENTS, FLOWS, Service, call, event, run_child
from tests.fixtures.workflows import START, Json, evaluate, workflow


class Nested(MemoryRuntime):
    """Runs others too, and takes up from them: `ENDS` are where those stood that faulted."""

    ENDS: ClassVar[dict[str, Checkpoint]] = {}

    def __init__(self, *, service: Service, events: Sequence[tuple[timedelta, Event]] = ()) -> None:
        super().__init__(answer=service.answer, start=START, evaluate=evaluate, events=events)
        self._service = service

    async def run_workflow(
        self, call: ChildCall, progress: Progress, stored: Callable[[str], None]
    ) -> Any:
        id = str(uuid.uuid4())
        stored(id)
        interpreter = Interpreter(
            load_workflow(json.dumps(CHILDREN[call.name])),
            Nested(service=self._service),
            checkpoint=self.ENDS[call.retry_of] if call.retry_of else None,
        )
        try:
            return await interpreter.run(call.input)
        except TaskFault:
            self.ENDS[id] = interpreter.checkpoint()
            raise


def run(
    flow: Json,
    service: Service,
    checkpoint: Checkpoint | None = None,
    events: Sequence[tuple[timedelta, Event]] = EVENTS,
) -> Any:
    """The output, or the checkpoint of a run that faulted."""
    runtime = Nested(service=service, events=events)
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


def test_a_listen_keeps_the_event_that_it_processes_and_none_before() -> None:
    listen = {"to": {"any": [], "until": "${ false }"}}
    flow = workflow(
        {"hear": {"listen": listen, "foreach": {"do": [call("a"), {"s": {"set": {"s": 1}}}]}}}
    )
    many = [(timedelta(seconds=n), event(str(n), text="x" * 1000)) for n in range(1, 200)]

    early = run(flow, Service(failing=3), events=many)
    late = run(flow, Service(failing=190), events=many)

    assert late.notes["/do/0/hear/#event"][1] == 189
    assert late.consumed == list(range(1, 191))
    assert len(late.to_text()) < len(early.to_text()) + 190 * 15


def test_a_condition_that_faults_on_an_event_is_evaluated_again() -> None:
    until = '${ if length == 2 then error("no") else false end }'
    flow = workflow({"hear": {"listen": {"to": {"any": [], "until": until}}}})

    checkpoint = run(flow, Service())
    flow["do"][0]["hear"]["listen"]["to"]["until"] = "${ length == 2 }"

    assert run(flow, Service(), checkpoint) == [{}, {}]


def test_what_is_correlated_and_listened_for_still_is_known_again() -> None:
    wanted = [
        {"with": {"type": "t"}, "correlate": {"order": {"from": "${ .data.order }"}}},
        {"with": {"type": "paid"}, "correlate": {"order": {"from": "${ .data.order }"}}},
    ]
    flow = workflow({"hear": {"listen": {"to": {"all": wanted}}, "foreach": {"do": [call("a")]}}})
    paid = [{**event(f"p{order}", order=order), "type": "paid"} for order in (8, 7)]
    came = [event("1", order=7), *paid]
    events = [(timedelta(seconds=n), each) for n, each in enumerate(came, start=1)]
    service = Service()
    output = run(flow, service, events=events)

    for failing in (1, 2):
        checkpoint = run(flow, Service(failing), events=events)
        assert checkpoint.notes["/do/0/hear/#event"][0]["id"] == ["1", "p7"][failing - 1]
        assert run(flow, Service(), checkpoint, events=events) == output


@pytest.mark.parametrize("field", ["output", "export"])
def test_what_happens_to_an_output_alone_repeats_no_call(field: str) -> None:
    inner = call("b", **{field: {"as": '${ error("no") }'}})
    flow = workflow({"all": {"do": [call("a"), inner]}})
    checkpoint = run(flow, Service())
    flow["do"][0]["all"]["do"][1]["b"][field]["as"] = "${ {task: .got.task} }"
    service = Service()

    output = run(flow, service, checkpoint)

    assert service.answered == []
    assert output["task" if field == "output" else "got"]


def test_an_error_of_a_workflow_that_is_caught_leaves_nothing_to_take_up() -> None:
    flow = workflow(
        {"t": {"try": [run_child("leaf")], "catch": {"do": [{"s": {"set": {"x": 1}}}]}}}, call("z")
    )
    flow["output"] = {"as": '${ error("no") }'}

    checkpoint = run(flow, Service(failing=1))

    assert not any("#child" in key for key in checkpoint.notes)
