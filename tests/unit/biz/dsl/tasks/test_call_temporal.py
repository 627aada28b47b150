"""Calls of activities and workflows by the built-in catalog `temporal`."""

import json
from datetime import timedelta
from typing import Any

import pytest

from biz.dsl.calls.temporal_call import ActivityCall, TemporalCall, TemporalRetries, WorkflowCall
from biz.dsl.errors import TaskFault, WorkflowError
from biz.dsl.memory_runtime import MemoryRuntime, run_in_memory
from biz.dsl.model import Workflow
from biz.dsl.validator import check
from tests.fixtures.workflows import START, Json, faults, standard, workflow

ACTIVITY = {"name": "Charge", "taskQueue": "payments", "timeouts": {"startToClose": "PT5S"}}
WORKFLOW = {"name": "Ship", "taskQueue": "shipping"}


def activity(use: Json | None = None, **properties: Any) -> Json:
    task = {"call": "activity:1.0.0@temporal", "with": {**ACTIVITY, **properties}}
    return workflow({"call": task}, **({"use": use} if use else {}))


def child(**properties: Any) -> Json:
    return workflow(
        {"call": {"call": "workflow:1.0.0@temporal", "with": {**WORKFLOW, **properties}}}
    )


def call_of(definition: Json, input: Any = None) -> TemporalCall:
    """The one call that a definition makes."""
    calls: list[Any] = []
    runtime = MemoryRuntime(answer=calls.append, start=START, id="run-1", random=lambda: 0.5)
    run_in_memory(check_valid(definition), {} if input is None else input, runtime)
    (call,) = calls
    assert isinstance(call, TemporalCall)
    return call


def check_valid(definition: Json) -> Workflow:
    return check(json.dumps(definition)).require()


def fault(definition: Json, input: Any) -> WorkflowError:
    with pytest.raises(TaskFault) as raised:
        call_of(definition, input)
    return raised.value.error


def test_an_activity_is_called_by_name_queue_and_timeouts() -> None:
    assert call_of(activity()) == ActivityCall(
        idempotency_key="run-1:/do/0/call:1",
        name="Charge",
        task_queue="payments",
        arguments=[],
        timeouts={"startToClose": timedelta(seconds=5)},
        retries=None,
    )


def test_a_workflow_is_called_by_name_and_queue() -> None:
    assert call_of(child()) == WorkflowCall(
        idempotency_key="run-1:/do/0/call:1",
        name="Ship",
        task_queue="shipping",
        arguments=[],
        timeouts={},
        retries=None,
        id=None,
    )


def test_all_of_it_may_be_expressions() -> None:
    call = call_of(
        activity(
            name="${ .name }",
            taskQueue="${ .queue }",
            arguments=["${ .order }", 2, {"a": "${ .name }"}],
            timeouts={"scheduleToClose": "${ .time }", "heartbeat": {"seconds": 3}},
            retry={
                "maximumAttempts": "${ .n }",
                "backoffCoefficient": 1.5,
                "initialInterval": "PT1S",
                "maximumInterval": "${ .time }",
                "nonRetryableErrorTypes": ["Declined", "${ .name }"],
            },
        ),
        {"name": "Refund", "queue": "q", "order": {"id": 1}, "time": "PT1M", "n": 3},
    )
    minute = timedelta(minutes=1)
    assert (call.name, call.task_queue) == ("Refund", "q")
    assert call.arguments == [{"id": 1}, 2, {"a": "Refund"}]
    assert call.timeouts == {"scheduleToClose": minute, "heartbeat": timedelta(seconds=3)}
    assert call.retries == TemporalRetries(
        maximum_attempts=3,
        backoff_coefficient=1.5,
        non_retryable_error_types=["Declined", "Refund"],
        initial_interval=timedelta(seconds=1),
        maximum_interval=minute,
    )


def test_the_arguments_may_be_one_expression() -> None:
    assert call_of(child(arguments="${ [.a, .b] }"), {"a": 1}).arguments == [1, None]


def test_a_workflow_may_have_an_id_and_timeouts() -> None:
    call = call_of(
        child(id="${ .id }", timeouts={"execution": "PT1H", "run": "PT1M", "task": "PT5S"}),
        {"id": "order-7"},
    )
    assert isinstance(call, WorkflowCall)
    assert call.id == "order-7"
    assert call.timeouts == {
        "execution": timedelta(hours=1),
        "run": timedelta(minutes=1),
        "task": timedelta(seconds=5),
    }


@pytest.mark.parametrize(
    ("definition", "value"),
    [
        (activity(name="${ .x }"), None),
        (activity(name="${ .x }"), ""),
        (activity(name="${ .x }"), "é" * 501),
        (activity(name="${ .x }"), "\ud800"),
        (activity(taskQueue="${ .x }"), 5),
        (activity(taskQueue="${ .x }"), "/_sys/q"),
        (activity(arguments="${ .x }"), {}),
        (activity(timeouts={"startToClose": "${ .x }"}), "soon"),
        (activity(timeouts={"startToClose": "${ .x }"}), "PT0S"),
        (activity(retry={"maximumAttempts": "${ .x }"}), 0),
        (activity(retry={"maximumAttempts": "${ .x }"}), 2**31),
        (activity(retry={"maximumAttempts": "${ .x }"}), True),
        (activity(retry={"backoffCoefficient": "${ .x }"}), 0.5),
        (activity(retry={"backoffCoefficient": "${ .x }"}), "2"),
        (activity(retry={"nonRetryableErrorTypes": "${ .x }"}), "E"),
        (activity(retry={"nonRetryableErrorTypes": ["${ .x }"]}), 1),
        (activity(retry={"initialInterval": "PT5S", "maximumInterval": "${ .x }"}), "PT1S"),
        (activity(retry={"initialInterval": "${ .x }"}), "PT0S"),
        (child(id="${ .x }"), 1),
        (child(id="${ .x }"), ""),
    ],
)
def test_what_an_expression_gives_is_checked(definition: Json, value: Any) -> None:
    error = fault(definition, {"x": value})
    assert (error.type, error.instance) == (standard("expression"), "/do/0/call")


AT = "/do/0/call"
RETRY = "/with/retry"
TIMEOUT = "/with/timeouts/startToClose"
TYPES = f"{RETRY}/nonRetryableErrorTypes"


@pytest.mark.parametrize(
    ("definition", "code", "pointer"),
    [
        (activity(name=1), "wrong-type", "/with/name"),
        (activity(name=""), "invalid-value", "/with/name"),
        (activity(name="x" * 1001), "invalid-value", "/with/name"),
        (activity(name="${ | }"), "invalid-expression", "/with/name"),
        (activity(taskQueue="/_sys/x"), "invalid-value", "/with/taskQueue"),
        (activity(taskQueue=None), "wrong-type", "/with/taskQueue"),
        (activity(arguments={}), "wrong-type", "/with/arguments"),
        (activity(arguments="x"), "wrong-type", "/with/arguments"),
        (activity(args=[]), "unknown-property", "/with/args"),
        (activity(id="x"), "unknown-property", "/with/id"),
        (activity(timeouts={}), "missing-property", "/with"),
        (activity(timeouts={"heartbeat": "PT1S"}), "missing-property", "/with"),
        (activity(timeouts={"startToClose": "soon"}), "invalid-duration", TIMEOUT),
        (activity(timeouts={"startToClose": "PT0S"}), "invalid-duration", TIMEOUT),
        (child(timeouts={"startToClose": "PT1S"}), "unknown-property", TIMEOUT),
        (child(timeouts=[]), "wrong-type", "/with/timeouts"),
        (child(id=1), "wrong-type", "/with/id"),
        (child(retry=1), "wrong-type", "/with/retry"),
        (child(retry={"attempts": 1}), "unknown-property", f"{RETRY}/attempts"),
        (child(retry={"maximumAttempts": 0}), "invalid-value", f"{RETRY}/maximumAttempts"),
        (child(retry={"maximumAttempts": 1.5}), "invalid-value", f"{RETRY}/maximumAttempts"),
        (child(retry={"backoffCoefficient": 0}), "invalid-value", f"{RETRY}/backoffCoefficient"),
        (child(retry={"nonRetryableErrorTypes": "x"}), "wrong-type", TYPES),
        (child(retry={"nonRetryableErrorTypes": [1]}), "wrong-type", f"{TYPES}/0"),
        (child(retry={"initialInterval": "PT0S"}), "invalid-duration", f"{RETRY}/initialInterval"),
        (workflow({"call": {"call": "activity:1.0.0@temporal"}}), "missing-property", ""),
        (workflow({"call": {"call": "workflow:1.0.0@temporal", "with": 1}}), "wrong-type", "/with"),
        (workflow({"call": {"call": "activity:2.0.0@temporal"}}), "unknown-reference", "/call"),
        (workflow({"call": {"call": "job:1.0.0@temporal"}}), "unknown-reference", "/call"),
        (workflow({"call": {"call": "activity@temporal"}}), "unknown-reference", "/call"),
    ],
)  # fmt: skip
def test_what_is_no_call_is_told_when_it_is_saved(
    definition: Json, code: str, pointer: str
) -> None:
    assert (code, AT + pointer) in faults(definition)


def test_a_property_that_is_missing_is_named() -> None:
    task = {"call": "activity:1.0.0@temporal", "with": {"timeouts": {"startToClose": "PT1S"}}}
    assert faults(workflow({"call": task})) == [("missing-property", f"{AT}/with")] * 2
