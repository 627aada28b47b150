from datetime import timedelta
from typing import Any

import pytest

from biz.dsl.errors import TaskFault
from tests.fixtures.workflows import START, Json, World, fault_of, output_of, standard, workflow

REST: Json = {"rest": {"wait": {"seconds": 5}}}
AFTER: Json = {"after": {"seconds": 2}}
USE: Json = {"timeouts": {"short": AFTER, "long": {"after": "PT9S"}}}


def timed(timeout: Any, **task: Any) -> Json:
    task = task or {"do": [REST, {"done": {"set": "1"}}]}
    return workflow({"t": {**task, "timeout": timeout}}, use=USE)


@pytest.mark.parametrize(
    "timeout",
    [
        AFTER,
        {"after": "PT2S"},
        {"after": {"milliseconds": 2000}},
        {"after": "${ .iso }"},
        {"after": "${ .units }"},
        {"after": '${ if $task.name == "t" then .iso else error end }'},
        "short",
    ],
)
async def test_a_task_that_takes_longer_faults_after_its_time(timeout: Any) -> None:
    world = World()
    with pytest.raises(TaskFault) as raised:
        await world.run(timed(timeout), {"iso": "PT2S", "units": {"seconds": 2}})
    error = raised.value.error
    assert (error.type, error.status, error.instance) == (standard("timeout"), 408, "/do/0/t")
    assert error.detail == "the task took longer than 2 s"
    assert world.now - START == timedelta(seconds=2)


@pytest.mark.parametrize("timeout", [{"after": {"seconds": 6}}, "long", {"after": "${ .iso }"}])
async def test_a_task_in_time_does_its_work(timeout: Any) -> None:
    world = World()
    assert await world.run(timed(timeout), {"iso": "P1D"}) == 1
    assert world.now - START == timedelta(seconds=5)


@pytest.mark.parametrize("wait", ["PT0S", "PT2S", "PT9S"])
async def test_of_no_time_at_all_only_what_waits_takes_more(wait: str) -> None:
    definition = timed({"after": "PT0S"}, wait=wait)
    if wait == "PT0S":
        assert await output_of(definition, 7) == 7
    else:
        assert (await fault_of(definition)).status == 408


async def test_a_tasks_time_counts_its_retries_too() -> None:
    fail: Json = {"fail": {"raise": {"error": {"type": "x", "status": 500}}}}
    world = World()
    task = {"try": [fail], "catch": {"retry": {"delay": "PT1S"}, "do": [{"no": {"set": "1"}}]}}
    with pytest.raises(TaskFault) as raised:
        await world.run(timed({"after": {"milliseconds": 3500}}, **task), {})
    assert raised.value.error.to_json()["instance"] == "/do/0/t"
    assert world.now - START == timedelta(seconds=3.5)


async def test_a_try_around_it_catches_it() -> None:
    late = timed("short")["do"][0]
    caught = {"do": [{"show": {"set": "${ $error.instance }"}}]}
    definition = workflow({"out": {"try": [late], "catch": caught}}, use=USE)
    assert await output_of(definition) == "/do/0/out/try/0/t"


async def test_a_try_in_it_doesnt_catch_it() -> None:
    inner = {"try": [REST], "catch": {"do": [{"no": {"set": "1"}}]}}
    assert (await fault_of(timed(AFTER, **inner))).instance == "/do/0/t"


async def test_the_nearer_of_two_times_counts() -> None:
    inner = {"in": {"do": [REST], "timeout": {"after": "PT1S"}}}
    assert (await fault_of(timed(AFTER, do=[inner]))).instance == "/do/0/t/do/0/in"
    inner["in"]["timeout"] = {"after": "PT3S"}
    assert (await fault_of(timed(AFTER, do=[inner]))).instance == "/do/0/t"


async def test_each_iteration_of_a_loop_has_its_own_time() -> None:
    rest = {"rest": {"wait": "PT1S", "timeout": AFTER}}
    loop = {"loop": {"for": {"in": "[1, 2, 3]"}, "do": [rest]}}
    assert await output_of(workflow(loop), 7) == 7


async def test_a_task_that_is_skipped_needs_no_time() -> None:
    assert await output_of(timed({"after": "${ error }"}, **{"if": "false", "set": "1"}), 7) == 7


@pytest.mark.parametrize("value", [None, 5, "soon", {"weeks": 1}, {"seconds": -1}])
async def test_a_time_that_is_none_is_an_expression_error(value: Any) -> None:
    for definition in (
        timed({"after": "${ .after }"}),
        workflow(REST, timeout={"after": "${ .after }"}),
    ):
        error = await fault_of(definition, {"after": value})
        assert (error.type, error.status) == (standard("expression"), 400)


@pytest.mark.parametrize(
    "timeout",
    [AFTER, "short", {"after": "${ .iso }"}, {"after": "${ $workflow.input.iso }"}],
)
async def test_a_workflow_that_takes_longer_faults_after_its_time(timeout: Any) -> None:
    world = World()
    with pytest.raises(TaskFault) as raised:
        await world.run(workflow(REST, timeout=timeout, use=USE), {"iso": "PT2S"})
    error = raised.value.error
    assert (error.type, error.status, error.instance) == (standard("timeout"), 408, "/timeout")
    assert world.now - START == timedelta(seconds=2)


async def test_a_workflow_in_time_does_its_work() -> None:
    assert await output_of(workflow(REST, timeout="long", use=USE), 7) == 7


async def test_no_task_catches_that_the_workflow_took_too_long() -> None:
    caught = {"try": [REST], "catch": {"do": [{"no": {"set": "1"}}]}}
    error = await fault_of(workflow({"t": caught}, timeout=AFTER))
    assert error.instance == "/timeout"


async def test_a_workflows_time_ends_all_branches() -> None:
    world = World()
    fork = {"fork": {"branches": [{"a": {"wait": "PT9S"}}, {"b": {"wait": "PT8S"}}]}}
    with pytest.raises(TaskFault):
        await world.run(workflow({"f": fork}, timeout=AFTER), {})
    assert world.now - START == timedelta(seconds=2)
