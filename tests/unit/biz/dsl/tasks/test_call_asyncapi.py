"""Call tasks for AsyncAPI: what they send, how they consume, and what is refused."""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

import pytest

from biz.dsl.calls.asyncapi_call import AsyncApiPublication, AsyncApiReception, AsyncApiTarget
from biz.dsl.calls.resource import Resource
from biz.dsl.checkpoint import Checkpoint
from biz.dsl.credentials import Credentials
from biz.dsl.errors import TaskFault, WorkflowError
from biz.dsl.interpreter import Interpreter
from biz.dsl.lifecycle import LifecycleType
from biz.dsl.memory_runtime import MemoryRuntime
from biz.dsl.validator import load_workflow
from biz.dsl.virtual_time import VirtualLoop
from tests.fixtures.workflows import START, Json, World, faults, standard, workflow

URI = "https://api.test/asyncapi.json"
TARGET = AsyncApiTarget(
    document=Resource(uri=URI),
    operation="greet",
    channel=None,
    server=None,
    variables={},
    protocol=None,
)
PLAIN = AsyncApiPublication(
    target=TARGET, payload={"n": 1}, headers={}, idempotency_key="run-1:/do/0/call:1"
)
INPUT = {"id": 1, "name": "ann", "list": [1]}


def call(**properties: Any) -> Json:
    arguments = {"document": {"endpoint": URI}, "operation": "greet", **properties}
    given = {name: value for name, value in arguments.items() if value is not ...}
    return workflow({"call": {"call": "asyncapi", "with": given}})


def publishing(**properties: Any) -> Json:
    return call(**{"message": {"payload": {"n": "${ .id }"}}, **properties})


def subscribing(consume: Json, **properties: Any) -> Json:
    return call(subscription={"consume": consume, **properties})


@dataclass
class Source:
    """Answers receptions with batches of numbers, then with nothing, or its end."""

    batches: list[Sequence[int]]
    ends: bool = True
    asked: list[AsyncApiReception] = field(default_factory=list)

    def __call__(self, call: Any) -> Any:
        assert isinstance(call, AsyncApiReception)
        self.asked.append(call)
        numbers = self.batches.pop(0) if self.batches and call.limit else ()
        messages = [{"payload": {"n": n}, "headers": {}} for n in numbers]
        return {"messages": messages, "position": str(len(self.asked)), "ended": not numbers}


async def consumed(source: Source, definition: Json, input: Any = None) -> Any:
    return await World(answer=source).run(definition, INPUT if input is None else input)


def stood(definition: Json, source: Source) -> Checkpoint:
    """Where a run of it stands that faults."""
    runtime = MemoryRuntime(answer=source, start=START)
    interpreter = Interpreter(load_workflow(json.dumps(definition)), runtime)
    with asyncio.Runner(loop_factory=VirtualLoop) as runner, pytest.raises(TaskFault):
        runner.run(interpreter.run(INPUT))
    return Checkpoint.from_text(interpreter.checkpoint().to_text())


def taken_up(definition: Json, source: Source, checkpoint: Checkpoint) -> tuple[Any, list[str]]:
    """What a run gives that takes up, and the tasks that it starts."""
    runtime = MemoryRuntime(answer=source, start=START)
    workflow = load_workflow(json.dumps(definition))
    interpreter = Interpreter(workflow, runtime, checkpoint=checkpoint)
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        output = runner.run(interpreter.run(INPUT))
    return output, [e.task for e in runtime.events if e.type is LifecycleType.TASK_STARTED]


def numbers(output: Any) -> list[int]:
    return [message["payload"]["n"] for message in output]


@pytest.mark.parametrize(
    ("properties", "changes"),
    [
        ({}, {}),
        ({"message": {}}, {"payload": None}),
        ({"message": {"headers": {"a": "${ .name }"}}}, {"payload": None, "headers": {"a": "ann"}}),
        ({"operation": ..., "channel": "/greet"},
         {"target": replace(TARGET, operation=None, channel="/greet")}),
        ({"protocol": "http"}, {"target": replace(TARGET, protocol="http")}),
        ({"server": {"name": "live", "variables": {"of": "${ .name }"}}},
         {"target": replace(TARGET, server="live", variables={"of": "ann"})}),
        ({"authentication": {"bearer": {"token": "${ .name }"}}},
         {"authentication": Credentials(scheme="bearer", properties={"token": "ann"})}),
    ],
)  # fmt: skip
async def test_a_message_is_evaluated(properties: Json, changes: Json) -> None:
    world = World(answer=lambda call: None)
    assert await world.run(publishing(**properties), INPUT) is None
    assert world.calls == [replace(PLAIN, **changes)]


async def test_an_amount_is_consumed_and_no_more_is_asked_for() -> None:
    source = Source([(1, 2), (3, 4)])
    assert numbers(await consumed(source, subscribing({"amount": 3}))) == [1, 2, 3]
    assert [asked.limit for asked in source.asked] == [3, 1, 0]
    assert [asked.position for asked in source.asked] == [None, "1", None]
    assert len({asked.subscription for asked in source.asked}) == 1
    assert len({asked.idempotency_key for asked in source.asked}) == 3


async def test_messages_are_filtered_before_they_count() -> None:
    definition = subscribing({"amount": 2}, filter="${ .payload.n > $workflow.input.id }")
    source = Source([(1, 2), (1, 3), (4,)])
    assert numbers(await consumed(source, definition)) == [2, 3]


async def test_while_is_asked_after_each_message() -> None:
    source = Source([(1, 2, 3, 4)])
    assert numbers(await consumed(source, subscribing({"while": "${ length < 2 }"}))) == [1, 2]


async def test_until_is_asked_before_each_message() -> None:
    source = Source([(1, 2), (3, 4)])
    assert numbers(await consumed(source, subscribing({"until": "${ length == 3 }"}))) == [1, 2, 3]
    source = Source([(1, 2)])
    assert await consumed(source, subscribing({"until": "${ true }"})) == []
    assert [asked.limit for asked in source.asked] == [0]


async def test_a_source_that_ends_ends_the_subscription() -> None:
    assert numbers(await consumed(Source([(1,), (2,)]), subscribing({"amount": 5}))) == [1, 2]


async def test_a_time_ends_the_subscription() -> None:
    waits = []

    class Quiet(Source):
        def __call__(self, call: Any) -> Any:
            waits.append(call.wait_seconds)
            return {"messages": [], "position": None, "ended": len(waits) > 1}

    await consumed(Quiet([]), subscribing({"amount": 5, "for": {"seconds": 10}}))
    assert waits == [10, 10, 0]
    waits.clear()
    await consumed(Quiet([]), subscribing({"amount": 5, "for": "PT1H"}))
    assert waits == [timedelta(minutes=5).total_seconds()] * 2 + [0]
    assert await consumed(Source([(1,)]), subscribing({"amount": 5, "for": "PT0S"})) == []


async def test_each_message_is_processed_before_the_next() -> None:
    definition = subscribing(
        {"until": "${ ($context.seen // []) | length == 2 }"},
        foreach={
            "item": "message",
            "at": "place",
            "do": [{"take": {"set": {"n": "${ $message.payload.n }", "at": "${ $place }"}}}],
            "output": {"as": ". + {done: true}"},
            "export": {"as": "{seen: (($context.seen // []) + [.n])}"},
        },
    )
    assert await consumed(Source([(7, 8, 9)]), definition) == [
        {"n": 7, "at": 0, "done": True},
        {"n": 8, "at": 1, "done": True},
    ]


async def test_a_task_can_end_the_workflow_at_a_message() -> None:
    definition = subscribing(
        {"amount": 5},
        foreach={"do": [{"stop": {"set": {"last": "${ $item.payload.n }"}, "then": "end"}}]},
    )
    definition["do"].append({"never": {"set": {"wrong": True}}})
    source = Source([(1, 2)])
    assert await consumed(source, definition) == {"last": 1}
    assert source.asked[-1].limit == 0


async def test_a_fault_at_a_message_ends_the_subscription() -> None:
    source = Source([(1, 2)])
    definition = subscribing(
        {"amount": 5}, foreach={"do": [{"fail": {"set": {"x": '${ "a" | tonumber }'}}}]}
    )
    with pytest.raises(TaskFault) as raised:
        await consumed(source, definition)
    assert raised.value.error.instance.endswith("/foreach/do/0/fail")
    assert source.asked[-1].limit == 0


@pytest.mark.parametrize("where", ["foreach", "filter", "while"])
def test_a_run_that_takes_up_goes_on_at_the_message_that_faulted(where: str) -> None:
    def definition(failing: int) -> Json:
        fails = f'if {{}} == {failing} then error("no") else {{}} end'
        n = "$item.payload.n"
        first, second = (
            {"note": {"set": {"n": f"${{ {n} }}"}}},
            {"s": {"set": {"n": f"${{ {n} }}"}}},
        )
        lifetime, wanted = "${ length < 4 }", "${ true }"
        if where == "foreach":
            second = {"s": {"set": {"n": f"${{ {fails.format(n, n)} }}"}}}
        elif where == "filter":
            wanted = f"${{ {fails.format('.payload.n', 'true')} }}"
        else:
            lifetime = f"${{ {fails.format('length', 'length < 4')} }}"
        return call(
            subscription={
                "consume": {"while": lifetime},
                "filter": wanted,
                "foreach": {"do": [first, second]},
            }
        )

    source = Source([(1, 2, 3), (4,)])
    checkpoint = stood(definition(2), source)

    output, started = taken_up(definition(9), source, checkpoint)

    assert output == [{"n": n} for n in (1, 2, 3, 4)]
    assert (
        started[1]
        == {
            "foreach": "/do/0/call/foreach/1/do/1/s",
            "filter": "/do/0/call/foreach/1/do/0/note",
            "while": "/do/0/call/foreach/2/do/0/note",
        }[where]
    )
    assert [call.position for call in source.asked if call.limit] == [None, "1"]


async def test_the_fault_of_a_reception_is_the_tasks() -> None:
    def refuse(call: Any) -> Any:
        raise TaskFault(WorkflowError.standard("communication", "the broker is gone"))

    with pytest.raises(TaskFault) as raised:
        await World(answer=refuse).run(subscribing({"amount": 1}), INPUT)
    assert raised.value.error.type == standard("communication")
    assert raised.value.error.instance == "/do/0/call"


@pytest.mark.parametrize(
    ("definition", "kind", "detail"),
    [
        (publishing(document={"endpoint": "${ .id }"}), "expression", "must give a string"),
        (publishing(document={"endpoint": "file:///etc/hosts"}), "configuration", "file"),
        (publishing(message={"headers": {"a": {"b": 1}}}), "expression", '"a" in the headers'),
        (publishing(message={"payload": {"n": "${ .name | tonumber }"}}), "expression", "ann"),
        (subscribing({"amount": 1, "for": "${ .name }"}), "expression", "the duration"),
        (subscribing({"until": "${ .name | tonumber }"}), "expression", "array"),
    ],
)
async def test_what_cant_be_evaluated_faults_the_task(
    definition: Json, kind: str, detail: str
) -> None:
    world = World(answer=Source([(1,)]))
    with pytest.raises(TaskFault) as raised:
        await world.run(definition, INPUT)
    assert raised.value.error.type == standard(kind)
    assert detail in raised.value.error.detail


AT = "/do/0/call/with"


@pytest.mark.parametrize(
    ("definition", "expected"),
    [
        (publishing(document=...), [("missing-property", AT)]),
        (publishing(operation=...), [("invalid-value", AT)]),
        (publishing(channel="/greet"), [("invalid-value", AT)]),
        (publishing(message=...), [("invalid-value", AT)]),
        (publishing(subscription={"consume": {"amount": 1}}), [("invalid-value", AT)]),
        (publishing(protocol="smoke"), [("invalid-value", f"{AT}/protocol")]),
        (publishing(protocol="kafka"), [("unsupported-protocol", f"{AT}/protocol")]),
        (publishing(protocol="kafka", server={"name": "web"}), []),
        (publishing(protocol="nats"), []),
        (publishing(server={}), [("missing-property", f"{AT}/server")]),
        (publishing(server={"name": "a", "variables": 1}),
         [("wrong-type", f"{AT}/server/variables")]),
        (publishing(message={"payload": "text"}), [("wrong-type", f"{AT}/message/payload")]),
        (publishing(message={"body": {}}), [("unknown-property", f"{AT}/message/body")]),
        (publishing(authentication={"use": "nobody"}),
         [("unknown-reference", f"{AT}/authentication/use")]),
        (call(subscription={}), [("missing-property", f"{AT}/subscription")]),
        (subscribing({}), [("invalid-value", f"{AT}/subscription/consume")]),
        (subscribing({"amount": 1, "until": "${ true }"}),
         [("invalid-value", f"{AT}/subscription/consume")]),
        (subscribing({"amount": "x"}), [("wrong-type", f"{AT}/subscription/consume/amount")]),
        (subscribing({"while": "${ ( }"}),
         [("invalid-expression", f"{AT}/subscription/consume/while")]),
        (subscribing({"amount": 1, "for": "soon"}),
         [("invalid-duration", f"{AT}/subscription/consume/for")]),
        (subscribing({"amount": 1}, filter="${ $item }"),
         [("unavailable-variable", f"{AT}/subscription/filter")]),
        (subscribing({"until": "true"}), [("invalid-value", f"{AT}/subscription/consume/until")]),
        (subscribing({"amount": 1}, filter=".ok"),
         [("invalid-value", f"{AT}/subscription/filter")]),
        (subscribing({"amount": 1}, foreach={"item": "a b"}),
         [("invalid-variable", f"{AT}/subscription/foreach/item")]),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_where_it_is(
    definition: Json, expected: list[tuple[str, str]]
) -> None:
    assert faults(definition) == expected


def test_a_call_without_arguments_is_refused() -> None:
    assert faults(workflow({"call": {"call": "asyncapi"}})) == [("missing-property", "/do/0/call")]
