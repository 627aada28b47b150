"""A run becomes a test, which passes, and fails once the definition is broken."""

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from biz.dsl.dry_run import DryRun, Rehearsal, TimedEvent, rehearse
from biz.dsl.errors import WorkflowError
from biz.dsl.lifecycle import LifecycleEvent, LifecycleType
from biz.dsl.memory_runtime import Answer
from biz.dsl.mocks import Mock
from biz.dsl.validator import load_workflow
from biz.testing.case_reader import InvalidCases, read_cases
from biz.testing.judging import mismatches
from biz.testing.recorded_case import NotRecorded, RecordedCase, call_counts, record_case
from tests.fixtures.workflows import START, Json, workflow

BUSY = Answer(error=WorkflowError.like("communication", status=503, detail="busy"))


def call(name: str, **properties: Any) -> Json:
    return {
        "call": "http",
        "with": {"method": "post", "endpoint": f"https://a.test/{name}"},
        **properties,
    }


ORDER = workflow(
    {
        "lines": {
            "for": {"in": "${ .lines }", "each": "line"},
            "do": [
                {
                    "safe": {
                        "try": [
                            {
                                "reserve": call(
                                    "reserve",
                                    output={"as": "${ $input + { total: .price } }"},
                                )
                            }
                        ],
                        "catch": {"retry": {"limit": {"attempt": {"count": 3}}}},
                    }
                }
            ],
        }
    },
    {
        "both": {
            "fork": {
                "branches": [
                    {"paid": {"listen": {"to": {"one": {"with": {
                        "type": "order.paid", "subject": "${ $workflow.input.id }",
                        "source": "https://.*",
                    }}}}}},
                    {"label": call("label")},
                    {"tell": {"emit": {"event": {"with": {"type": "told"}}}}},
                    {"told": {"listen": {"to": {"one": {"with": {"type": "told"}}}}}},
                ]
            }
        }
    },
    {"sum": {"set": {"all": "${ . }"}, "export": {"as": "${ . }"}}},
    {
        "race": {
            "fork": {
                "compete": True,
                "branches": [{"slow": call("slow")}, {"quick": call("quick")}],
            }
        }
    },
    {"ship": call("ship")},
)  # fmt: skip
INPUT = {"id": "A-1", "lines": [{"sku": "a"}, {"sku": "b"}]}
MOCKS = {
    "/do/0/lines/for/0/do/0/safe/try/0/reserve": [Answer({"price": 3})],
    "/do/0/lines/for/1/do/0/safe/try/0/reserve": [BUSY, BUSY, Answer({"price": 4})],
    "/do/1/both/fork/branches/1/label": [Answer("label", delay=timedelta(seconds=2.5))],
    "/do/3/race/fork/branches/0/slow": [Answer("slow", delay=timedelta(seconds=9))],
    "/do/3/race/fork/branches/1/quick": [Answer("quick", delay=timedelta(seconds=1))],
    "/do/4/ship": [Answer(error=WorkflowError.like("timeout", detail="no truck"))],
}
PAID = {
    "specversion": "1.0",
    "id": "1",
    "source": "https://shop",
    "type": "order.paid",
    "subject": "A-1",
    "data": {"amount": 7},
}


def run(
    definition: Json,
    mocks: dict[str, Sequence[Answer]] | None = None,
    events: Sequence[tuple[float, Json]] = (),
    input: Any = None,
) -> DryRun:
    return rehearse(
        Rehearsal(
            config=json.dumps(definition),
            input={} if input is None else input,
            start=START,
            mocks={task: Mock(answers) for task, answers in (mocks or {}).items()},
            events=[
                TimedEvent(after=timedelta(seconds=seconds), event=event)
                for seconds, event in events
            ],
        )
    )


def recorded(definition: Json, found: DryRun) -> RecordedCase:
    return record_case(load_workflow(json.dumps(definition)), found.trace, name="an incident")


def faults(definition: Json, case: Any) -> Sequence[str]:
    """What is wrong with a definition by a case."""
    file = read_cases(json.dumps({"workflow": definition, "cases": [case]}), str)
    [read] = file.cases
    return mismatches(read.expect, rehearse(read.rehearsal(file.config)))


def test_a_run_with_loops_a_fork_events_and_a_fault_becomes_a_test_that_passes() -> None:
    found = run(ORDER, MOCKS, [(60, PAID)], INPUT)
    assert found.error is not None
    made = recorded(ORDER, found)
    assert made.notes == []
    assert made.case["startTime"] == "2025-01-02T03:04:05.678000Z"
    assert made.case["expect"]["error"]["instance"] == "/do/4/ship"
    [event] = made.case["events"]
    assert event["at"] == "PT60S"
    assert event["event"]["subject"] == "A-1"
    assert event["event"]["data"] == {"amount": 7}
    assert len(made.case["mocks"]["/do/0/lines/for/1/do/0/safe/try/0/reserve"]) == 3
    assert "result" in made.case["mocks"]["/do/0/lines/for/0/do/0/safe/try/0/reserve"]
    assert faults(ORDER, made.case) == []


@pytest.mark.parametrize(
    ("right", "broken"),
    [
        ('"count": 3', '"count": 1'),
        ('"order.paid"', '"order.payed"'),
        ('"ship": {', '"ship": {"if": "${ false }", '),
        ('"in": "${ .lines }"', '"in": "${ [] }"'),
    ],
)
def test_the_test_of_a_run_fails_once_the_definition_is_broken(right: str, broken: str) -> None:
    found = run(ORDER, MOCKS, [(60, PAID)], INPUT)
    case = dict(recorded(ORDER, found).case)
    case["expect"] = {**case["expect"], "calls": call_counts(found)}
    assert faults(ORDER, case) == []
    text = json.dumps(ORDER)
    assert right in text
    assert faults(json.loads(text.replace(right, broken)), case)


def test_a_run_that_completed_is_expected_to_give_its_output() -> None:
    definition = workflow({"x": call("x")}, {"y": {"set": {"got": "${ . }"}}})
    made = recorded(definition, run(definition, {"/do/0/x": [Answer([1])]}))
    assert made.case["mocks"] == {"/do/0/x": {"output": [1]}}
    assert made.case["expect"] == {"output": {"got": [1]}}
    assert faults(definition, made.case) == []


def test_the_call_of_a_function_is_mocked_at_its_place() -> None:
    definition = workflow({"x": {"call": "f"}}, use={"functions": {"f": call("f")}})
    made = recorded(definition, run(definition, {"/use/functions/f": [Answer(1)]}))
    assert made.case["mocks"] == {"/do/0/x/use/functions/f": {"output": 1}}
    assert faults(definition, made.case) == []


@pytest.mark.parametrize(
    ("read", "items"),
    [("data", [{"amount": 7}]), ("envelope", [PAID]), ("raw", ["eyJhbW91bnQiOjd9"])],
)
def test_events_are_told_however_they_were_read(read: str, items: Any) -> None:
    definition = workflow(
        {"hear": {"listen": {"to": {"any": [{"with": {"type": "order.paid"}}]}, "read": read}}}
    )
    found = run(definition, events=[(1, PAID)])
    assert found.output == items
    assert faults(definition, recorded(definition, found).case) == []


def test_what_the_history_doesnt_tell_is_noted() -> None:
    listen = {
        "listen": {"to": {"one": {"with": {"type": "${ $context.type // false }"}}}},
        "output": {"as": "${ . }"},
    }
    text = workflow(
        {"set": {"set": {"a": 1}, "export": {"as": '${ {type: "t"} }'}}}, {"hear": listen}
    )
    found = run(text, events=[(0, {**PAID, "type": "t"})])
    notes = recorded(text, found).notes
    assert [note.split(" that ")[0] for note in notes] == [
        "the data of the events",
        'the attribute "type" of the events',
    ]
    elsewhere = workflow({"x": {"call": "https://a.test/function.yaml"}})
    found = run(elsewhere, {"/do/0/x": [Answer({"set": {"a": 1}})]})
    assert "the document of the function" in recorded(elsewhere, found).notes[0]


@pytest.mark.parametrize("foreach", [False, True])
def test_the_messages_of_a_subscription_are_told_where_nothing_changed_them(foreach: bool) -> None:
    subscription: Json = {"consume": {"amount": 2}}
    if foreach:
        subscription["foreach"] = {"do": [{"a": {"set": {"b": 1}}}]}
    definition = workflow(
        {
            "hear": {
                "call": "asyncapi",
                "with": {
                    "document": {"endpoint": "https://a.test/api.json"},
                    "operation": "receive",
                    "subscription": subscription,
                },
            }
        }
    )
    made = recorded(definition, run(definition, {"/do/0/hear": [Answer([1, 2])]}))
    assert bool(made.notes) == foreach
    assert faults(definition, made.case) == []


def test_a_run_that_neither_completed_nor_faulted_is_refused() -> None:
    definition = workflow({"x": call("x")})
    trace = run(definition, {"/do/0/x": [Answer(1)]}).trace
    cancelled = replace(trace[-1], type=LifecycleType.WORKFLOW_CANCELLED)
    for history in ([], trace[1:], [*trace[:-1], cancelled]):
        with pytest.raises(NotRecorded):
            record(definition, history)


def record(definition: Json, history: Sequence[LifecycleEvent]) -> RecordedCase:
    return record_case(load_workflow(json.dumps(definition)), history, name="x")


def test_outputs_and_results_of_one_task_dont_go_together() -> None:
    cases = {
        "workflow": workflow({"x": call("x", output={"as": "${ . }"})}),
        "cases": [{"name": "x", "mocks": {"x": [{"output": 1}, {"result": 2}]}}],
    }
    with pytest.raises(InvalidCases, match="both"):
        read_cases(json.dumps(cases), str)
