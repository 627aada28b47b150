"""What a run tells of itself."""

import json
from contextlib import suppress
from typing import Any

import pytest

from biz.dsl.errors import TaskFault, WorkflowError
from biz.dsl.lifecycle import LifecycleEvent, LifecycleType
from biz.dsl.memory_runtime import MemoryRuntime, run_in_memory
from biz.dsl.validator import load_workflow
from tests.fixtures.workflows import START, Json, evaluate, workflow

SET: Json = {"set": {"a": 1}}
FAIL: Json = {"raise": {"error": {"type": "https://example.com/broken", "status": 500}}}


def told(*tasks: Json, input: Any = None) -> list[LifecycleEvent]:
    """The events of a run, however it ends."""
    runtime = MemoryRuntime(
        answer=lambda call: None, start=START, random=lambda: 0.5, evaluate=evaluate
    )
    with suppress(TaskFault):
        run_in_memory(load_workflow(json.dumps(workflow(*tasks))), input or {}, runtime)
    return runtime.events


def brief(events: list[LifecycleEvent]) -> list[str]:
    """Each event as "task type", without what all types begin and end with."""
    names = [e.type.removeprefix("io.serverlessworkflow.").removesuffix(".v1") for e in events]
    return [f"{e.task} {name}".strip() for e, name in zip(events, names, strict=True)]


def test_a_run_tells_its_start_its_tasks_and_its_end() -> None:
    events = told({"one": SET}, {"pause": {"wait": {"seconds": 2}}})

    assert brief(events) == [
        "workflow.started",
        "/do/0/one task.created",
        "/do/0/one task.started",
        "/do/0/one task.completed",
        "/do/1/pause task.created",
        "/do/1/pause task.started",
        "/do/1/pause task.completed",
        "workflow.completed",
    ]
    assert [event.sequence for event in events] == list(range(1, 9))
    pause = events[6]
    assert pause.started_at == START
    assert (pause.time - START).total_seconds() == 2


def test_a_task_that_is_left_out_tells_nothing() -> None:
    assert brief(told({"one": {"if": "false", **SET}})) == [
        "workflow.started",
        "workflow.completed",
    ]


def test_a_fault_is_told_with_its_error_by_all_that_it_faults() -> None:
    events = told({"outer": {"do": [{"inner": FAIL}]}})

    assert brief(events)[-3:] == [
        "/do/0/outer/do/0/inner task.faulted",
        "/do/0/outer task.faulted",
        "workflow.faulted",
    ]
    error = WorkflowError(
        type="https://example.com/broken", status=500, instance="/do/0/outer/do/0/inner"
    )
    assert [event.error for event in events[-3:]] == [error] * 3


def test_an_attempt_is_told_with_its_number() -> None:
    retry = {"retry": {"limit": {"attempt": {"count": 2}}}}
    events = told({"t": {"try": [{"inner": {"do": [{"x": FAIL}]}}], "catch": retry}})

    started = [e for e in events if e.type.endswith("task.started.v1") and e.task.endswith("/x")]
    assert [event.attempt for event in started] == [1, 2, 3]
    retried = [e for e in events if e.type.endswith("task.retried.v1")]
    assert [(e.task, e.attempt) for e in retried] == [("/do/0/t", 2), ("/do/0/t", 3)]


def test_the_innermost_try_counts() -> None:
    retry = {"retry": {"limit": {"attempt": {"count": 1}}}}
    inner = {"try": [{"x": FAIL}], "catch": retry}
    events = told({"t": {"try": [{"u": inner}, {"never": SET}], "catch": retry}})

    started = [e for e in events if e.type.endswith("task.started.v1") and e.task.endswith("/x")]
    assert [event.attempt for event in started] == [1, 2, 1, 2]


def test_losers_of_a_race_are_told_as_cancelled() -> None:
    slow = {"slow": {"wait": {"minutes": 1}}}
    events = told({"race": {"fork": {"compete": True, "branches": [slow, {"fast": SET}]}}})

    assert "/do/0/race/fork/branches/0/slow task.cancelled" in brief(events)
    assert brief(events)[-2:] == ["/do/0/race task.completed", "workflow.completed"]


def test_a_task_that_runs_out_of_time_faults_and_what_it_did_is_cancelled() -> None:
    slow = {"do": [{"slow": {"wait": {"minutes": 1}}}], "timeout": {"after": {"seconds": 1}}}

    assert brief(told({"t": slow}))[-3:] == [
        "/do/0/t/do/0/slow task.cancelled",
        "/do/0/t task.faulted",
        "workflow.faulted",
    ]


@pytest.mark.parametrize("count", [0, 3])
def test_paths_hold_the_numbers_of_iterations(count: int) -> None:
    loop = {"for": {"in": "[range($workflow.input.count)]"}, "do": [{"x": SET}]}
    events = told({"loop": loop}, input={"count": count})

    started = [e.task for e in events if e.type.endswith("task.started.v1")]
    assert started[1:] == [f"/do/0/loop/for/{i}/do/0/x" for i in range(count)]


def test_tasks_of_a_loop_tell_how_many_iterations_it_has() -> None:
    inner = {"for": {"in": "[1, 2, 3]"}, "do": [{"x": SET}]}
    outer = {"for": {"in": "[1, 2]"}, "while": "$index < 1", "do": [{"inner": inner}, {"y": SET}]}
    events = told({"outer": outer}, {"after": SET})

    assert [(event.task, event.iterations) for event in events if event.iterations] == [
        ("/do/0/outer/for/0/do/0/inner", 2),
        *((f"/do/0/outer/for/0/do/0/inner/for/{i}/do/0/x", 3) for i in range(3)),
        ("/do/0/outer/for/0/do/1/y", 2),
    ]
    assert {event.type for event in events if event.iterations} == {LifecycleType.TASK_STARTED}


@pytest.mark.parametrize("name", ["for", "a/b", "do"])
def test_a_loop_may_have_any_name(name: str) -> None:
    tasks = [{name: {"do": [{name: SET}]}}]
    events = told({name: {"for": {"in": "[1, 2]"}, "do": tasks}})

    at = name.replace("/", "~1")
    assert [event.task for event in events if event.iterations] == [
        f"/do/0/{at}/for/{index}/do/0/{at}" for index in range(2)
    ]
