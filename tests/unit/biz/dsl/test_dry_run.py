"""Dry runs: mocks in place of calls, events with times, and bounds."""

import json
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

import pytest

from biz.dsl import dry_run
from biz.dsl.dry_run import DryRun, Ending, LimitReached, Rehearsal, TimedEvent, rehearse
from biz.dsl.errors import WorkflowError
from biz.dsl.lifecycle import ABSENT, LifecycleType
from biz.dsl.memory_runtime import Answer
from biz.dsl.mocks import Mock, UnknownTask, all_pointers, find_task
from biz.dsl.validator import load_workflow
from tests.fixtures.workflows import START, Json, workflow

BROKEN = WorkflowError.like("communication")


def call(path: str = "x", **properties: Any) -> Json:
    return {
        "call": "http",
        "with": {"method": "post", "endpoint": f"https://a.test/{path}", **properties},
    }


def run(
    definition: Json,
    input: Any = None,
    mocks: Mapping[str, Sequence[Answer]] | None = None,
    events: Sequence[TimedEvent] = (),
) -> DryRun:
    return rehearse(
        Rehearsal(
            config=json.dumps(definition),
            input={} if input is None else input,
            start=START,
            mocks={task: Mock(answers) for task, answers in (mocks or {}).items()},
            events=events,
        )
    )


def detail_of(found: DryRun) -> str:
    assert found.error is not None
    return found.error.detail


def loop(*tasks: Json) -> Json:
    return {"for": {"in": "${ [1, 2, 3] }"}, "do": list(tasks)}


def test_a_mock_gives_its_value_and_tells_what_was_sent() -> None:
    found = run(
        workflow({"pay": call(body={"amount": "${ .amount }"})}),
        {"amount": 3},
        {"/do/0/pay": [Answer({"ok": True})]},
    )
    assert (found.ending, found.output, found.error) == (Ending.COMPLETED, {"ok": True}, None)
    [made] = found.calls
    assert (made.task, made.kind) == ("/do/0/pay", "http_call")
    assert made.sent["body"] == {"amount": 3}
    assert made.sent["uri"] == "https://a.test/x"
    assert "idempotency_key" not in made.sent


def test_a_mock_gives_an_error_at_the_place_of_its_task() -> None:
    found = run(workflow({"pay": call()}), mocks={"/do/0/pay": [Answer(error=BROKEN)]})
    assert found.ending is Ending.FAULTED
    assert found.error is not None
    assert (found.error.status, found.error.instance) == (500, "/do/0/pay")
    assert found.trace[-1].type is LifecycleType.WORKFLOW_FAULTED


def test_successive_calls_get_successive_answers_and_then_the_last() -> None:
    found = run(
        workflow({"all": loop({"x": {**call(), "output": {"as": "${ [.] }"}}})}),
        mocks={"/do/0/all/do/0/x": [Answer(1), Answer(2)]},
    )
    assert [made.task for made in found.calls] == [
        f"/do/0/all/for/{number}/do/0/x" for number in range(3)
    ]
    assert found.output == [2]


def test_a_mock_of_one_iteration_counts_before_that_of_all() -> None:
    definition = workflow(
        {"all": loop({"x": {**call(), "output": {"as": "${ $input + [.] }"}}})},
        input={"from": "${ [] }"},
    )
    mocks = {
        "/do/0/all/do/0/x": [Answer("all")],
        "/do/0/all/for/1/do/0/x": [Answer("one")],
    }
    assert run(definition, mocks=mocks).output == ["all", "one", "all"]


def test_a_function_is_mocked_wherever_it_is_called_or_at_one_place() -> None:
    definition = workflow(
        {"a": {"call": "f"}},
        {"b": {"call": "f", "output": {"as": "${ [$input, .] }"}}},
        use={"functions": {"f": call()}},
    )
    mocks = {
        "/use/functions/f": [Answer("any")],
        "/do/1/b/use/functions/f": [Answer("b")],
    }
    assert run(definition, mocks=mocks).output == ["any", "b"]


def test_a_call_without_a_mock_is_an_error_that_nothing_catches() -> None:
    found = run(workflow({"safe": {"try": [{"pay": call()}], "catch": {}}}))
    assert found.ending is Ending.UNMOCKED
    assert 'give one under "/do/0/safe/try/0/pay"' in detail_of(found)
    assert [made.task for made in found.calls] == ["/do/0/safe/try/0/pay"]


def test_a_call_without_a_mock_is_an_error_where_another_branch_wins() -> None:
    definition = workflow(
        {"race": {"fork": {"compete": True, "branches": [{"a": call()}, {"b": call()}]}}}
    )
    found = run(definition, mocks={"/do/0/race/fork/branches/1/b": [Answer(1)]})
    assert (found.ending, found.output) == (Ending.UNMOCKED, None)


def test_answers_take_their_time_on_the_virtual_clock() -> None:
    definition = workflow(
        {"race": {"fork": {"compete": True, "branches": [{"a": call()}, {"b": call()}]}}}
    )
    found = run(
        definition,
        mocks={
            "/do/0/race/fork/branches/0/a": [Answer("a", delay=timedelta(seconds=5))],
            "/do/0/race/fork/branches/1/b": [Answer("b", delay=timedelta(seconds=2))],
        },
    )
    assert (found.output, found.duration) == ("b", timedelta(seconds=2))


def test_a_call_that_takes_too_long_times_out() -> None:
    definition = workflow({"x": {**call(), "timeout": {"after": {"seconds": 1}}}})
    found = run(definition, mocks={"/do/0/x": [Answer(1, delay=timedelta(hours=1))]})
    assert found.error is not None
    assert found.error.status == 408


def test_events_come_at_their_times() -> None:
    definition = workflow({"hear": {"listen": {"to": {"one": {"with": {"type": "paid"}}}}}})
    event = {"specversion": "1.0", "id": "1", "source": "/s", "type": "paid", "data": 5}
    found = run(definition, events=[TimedEvent(after=timedelta(minutes=1), event=event)])
    assert (found.output, found.duration) == ([5], timedelta(minutes=1))


def test_a_run_that_waits_for_what_never_comes_names_who_waits() -> None:
    listen = {"listen": {"to": {"one": {"with": {"type": "paid"}}}}}
    found = run(workflow({"outer": {"do": [{"hear": listen}]}}))
    assert found.ending is Ending.WAITING
    assert found.current_tasks == ["/do/0/outer/do/0/hear"]
    assert found.trace[-1].type is LifecycleType.TASK_STARTED


def test_emitted_events_are_told() -> None:
    found = run(workflow({"tell": {"emit": {"event": {"with": {"type": "told"}}}}}))
    assert [event["type"] for event in found.emitted] == ["told"]


def test_a_stored_workflow_that_is_run_is_mocked_like_a_call() -> None:
    child = {"workflow": {"namespace": "n", "name": "w", "version": "1.0.0", "input": {"a": 1}}}
    found = run(workflow({"c": {"run": child}}), mocks={"/do/0/c": [Answer("done")]})
    assert found.output == "done"
    assert found.calls[0].sent["input"] == {"a": 1}


def test_a_subscription_is_mocked_by_its_messages() -> None:
    subscription = {
        "call": "asyncapi",
        "with": {
            "document": {"endpoint": "https://a.test/api.json"},
            "operation": "receive",
            "subscription": {"consume": {"amount": 5}},
        },
    }
    found = run(
        workflow({"hear": subscription}), mocks={"/do/0/hear": [Answer([1, 2]), Answer([3])]}
    )
    assert found.output == [1, 2, 3]


def test_durations_and_nested_values_of_a_call_are_json() -> None:
    activity = {
        "call": "activity:1.0.0@temporal",
        "with": {"name": "a", "taskQueue": "q", "timeouts": {"startToClose": {"seconds": 5}}},
    }
    found = run(workflow({"x": activity}), mocks={"/do/0/x": [Answer(1)]})
    assert json.loads(json.dumps(found.calls[0].sent))["timeouts"] == {"startToClose": "PT5S"}


def test_an_expression_that_may_not_end_is_evaluated() -> None:
    found = run(workflow({"a": {"set": {"x": "${ [range(3)] | map(test(1 | tostring)?) }"}}}))
    assert found.ending is Ending.COMPLETED
    found = run(workflow({"a": {"set": {"x": "${ def f: error(1); f }"}}}))
    assert found.ending is Ending.FAULTED


def test_a_run_that_goes_on_and_on_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dry_run, "MAX_TRACE", 100)
    with pytest.raises(LimitReached, match="lifecycle events"):
        run(workflow({"a": {"set": {"x": 1}}}, {"b": {"set": {"x": 1}, "then": "a"}}))


def test_a_long_trace_goes_on_without_values(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dry_run._BoundedRuntime, "_room", 100)
    found = run(workflow(*({f"t{n}": {"set": {"x": "y" * 20}}} for n in range(5))))
    assert found.trace[2].input == {}
    assert found.trace[3].output == {"x": "y" * 20}
    assert (found.trace[-1].input, found.trace[-1].output) == (ABSENT, ABSENT)


def test_the_end_of_time_is_a_limit() -> None:
    long = [{f"w{number}": {"wait": "P99Y"}} for number in range(3)]
    start = START.replace(year=9800)
    with pytest.raises(LimitReached, match="9999"):
        rehearse(Rehearsal(config=json.dumps(workflow(*long)), input={}, start=start))


def test_the_ways_of_a_run_are_told() -> None:
    definition = workflow(
        {"a": {"if": "${ .yes }", "set": {"yes": False}}},
        {"b": {"if": "${ .yes }", "set": {"z": 1}}},
        {
            "c": {
                "switch": [
                    {"one": {"when": "${ .yes }", "then": "continue"}},
                    {"other": {"then": "continue"}},
                ]
            }
        },
        {"d": {"switch": [{"one": {"when": "${ .yes }", "then": "continue"}}]}},
        {"e": loop({"x": {"set": {"z": 1}}})},
        {
            "f": {
                "try": [{"pay": call()}],
                "catch": {
                    "retry": {"limit": {"attempt": {"count": 1}}},
                    "do": [{"x": {"set": {"z": 1}}}],
                },
            }
        },
    )
    found = run(definition, {"yes": True}, {"/do/5/f/try/0/pay": [Answer(error=BROKEN)]})
    assert found.ending is Ending.COMPLETED
    taken = {(branch.task, branch.way) for branch in found.branches}
    known = {
        (branch.task, branch.way)
        for task in load_workflow(json.dumps(definition)).do.tasks
        for branch in task.alternatives()
    }
    assert known - taken == {
        ("/do/0/a", '"if" doesn\'t hold'),
        ("/do/1/b", '"if" holds'),
        ("/do/2/c", 'case "one"'),
        ("/do/3/d", 'case "one"'),
    }
    assert taken <= known


def test_the_events_of_a_listen_are_ways() -> None:
    wanted = [{"with": {"type": "paid"}}, {"with": {"type": "refused"}}]
    listen = {"listen": {"to": {"any": wanted, "until": {"one": {"with": {"type": "over"}}}}}}
    definition = workflow({"hear": listen})
    event = {"specversion": "1.0", "id": "1", "source": "/s"}
    found = run(
        definition,
        events=[
            TimedEvent(after=timedelta(), event={**event, "type": "refused"}),
            TimedEvent(after=timedelta(), event={**event, "id": "2", "type": "over"}),
        ],
    )
    assert [branch.way for branch in found.branches] == ["event 2", "an event ends it"]
    [task] = load_workflow(json.dumps(definition)).do.tasks
    assert len(list(task.alternatives())) == 3


TASKS = ["/do/0/a", "/do/1/b", "/do/1/b/do/0/a"]


@pytest.mark.parametrize(
    "text", ["/do/0/a", "/do/1/b/for/2/do/0/a", "/do/0/a/use/functions/x/do/1/b"]
)
def test_a_reference_with_or_without_iterations_means_a_task(text: str) -> None:
    assert find_task(text, [*TASKS, "/use/functions/x/do/1/b"]) == text


def test_a_name_means_the_only_task_that_has_it() -> None:
    assert find_task("b", TASKS) == "/do/1/b"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a", "several tasks"),
        ("c", "known are"),
        ("/do/7/x", "no task of the workflow"),
        ("/do/0/a/call/do/0/x/", "no task"),
    ],
)
def test_what_names_no_task_or_several_is_refused(text: str, message: str) -> None:
    tasks = TASKS if "call" not in text else ["/do/1/b"]
    with pytest.raises(UnknownTask, match=message):
        find_task(text, tasks)


def test_tasks_of_functions_from_elsewhere_cant_be_known() -> None:
    assert find_task("/do/0/a/call/do/0/x", TASKS)


def test_what_the_workflow_fetches_for_itself_is_mocked_too() -> None:
    schema = {"schema": {"resource": {"endpoint": "https://a.test/schema.json"}}}
    definition = workflow({"a": {"set": {"x": 1}}}, input=schema)
    assert all_pointers(load_workflow(json.dumps(definition))) == ["/do/0/a", "/input"]
    mocks = {"/input": [Answer({"required": ["x"]})]}
    assert "input breaks its schema" in detail_of(run(definition, mocks=mocks))
