from datetime import timedelta
from typing import Any

import pytest

from biz.dsl.errors import TaskFault
from tests.fixtures.workflows import (
    START,
    Json,
    World,
    fault_of,
    faults,
    output_of,
    standard,
    workflow,
)

FAIL: Json = {"raise": {"error": {"type": "https://x.test/bad", "status": 418}}}


def fork(*branches: Json, **properties: Any) -> Json:
    return workflow({"f": {"fork": {"branches": list(branches), **properties}}})


def after(seconds: int, **task: Any) -> Json:
    """A branch that does something after a while."""
    return {"do": [{"rest": {"wait": {"seconds": seconds}}}, {"act": task}]}


async def test_its_output_is_an_array_in_the_order_of_declaration() -> None:
    definition = fork(
        {"slow": after(2, set="${ .n + 1 }")}, {"quick": {"set": "${ .n + 2 }"}},
        {"none": {"do": []}},
    )  # fmt: skip
    assert await output_of(definition, {"n": 1}) == [2, 3, {"n": 1}]


async def test_its_branches_run_at_once() -> None:
    world = World()
    await world.run(fork({"a": {"wait": "PT3S"}}, {"b": {"wait": "PT5S"}}), {})
    assert world.now - START == timedelta(seconds=5)


async def test_without_branches_its_output_is_empty() -> None:
    assert await output_of(fork()) == []


async def test_a_branch_that_is_skipped_gives_its_input() -> None:
    assert await output_of(fork({"a": {"if": "false", "set": "1"}}), 7) == [7]


async def test_branches_see_the_variables_around_them() -> None:
    each = {"for": {"in": "[1, 2]"}, "do": fork({"a": {"set": "${ $item }"}})["do"]}
    assert await output_of(workflow({"each": each})) == [2]


async def test_an_export_of_one_branch_is_seen_by_another() -> None:
    tell = {"set": "1", "export": {"as": "{told: true}"}}
    definition = fork({"tell": tell}, {"ask": after(1, set="${ $context }")})
    assert await output_of(definition) == [1, {"told": True}]


async def test_a_fault_of_a_branch_cancels_the_others_and_names_its_task() -> None:
    world = World()
    with pytest.raises(TaskFault) as raised:
        await world.run(fork({"a": after(9, set="1")}, {"b": after(2, **FAIL)}), {})
    assert raised.value.error.instance == "/do/0/f/fork/branches/1/b/do/1/act"
    assert world.now - START == timedelta(seconds=2)


async def test_of_competitors_the_first_that_completes_sets_the_output() -> None:
    world = World()
    definition = fork({"a": after(3, set="1")}, {"b": after(1, set="2")}, compete=True)
    assert await world.run(definition, {}) == 2
    assert world.now - START == timedelta(seconds=1)


async def test_a_competitor_that_faults_doesnt_win() -> None:
    assert await output_of(fork({"a": FAIL}, {"b": after(1, set="2")}, compete=True)) == 2


async def test_competitors_that_all_fault_fault_with_the_first_fault() -> None:
    definition = fork({"a": after(2, **FAIL)}, {"b": after(1, **FAIL)}, compete=True)
    assert (await fault_of(definition)).instance == "/do/0/f/fork/branches/1/b/do/1/act"


async def test_a_competitor_that_is_skipped_doesnt_win() -> None:
    skipped = {"if": "false", "set": "1"}
    definition = fork({"a": skipped}, {"b": after(1, set="2")}, compete=True)
    assert await output_of(definition) == 2
    assert await output_of(fork({"a": skipped}, {"b": skipped}, compete=True), 7) == 7
    assert (await fault_of(fork({"a": skipped}, {"b": FAIL}, compete=True))).status == 418


@pytest.mark.parametrize("compete", [False, True])
@pytest.mark.parametrize(
    "ends", [{"set": "1", "then": "end"}, {"do": [{"x": {"set": "1", "then": "end"}}]}]
)
async def test_a_branch_can_end_the_workflow(compete: bool, ends: Json) -> None:
    world = World()
    definition = fork({"a": after(5, set="2")}, {"b": ends}, compete=compete)
    definition["do"].append({"never": FAIL})
    assert await world.run(definition, {}) == 1
    assert world.now == START


@pytest.mark.parametrize("compete", [False, True])
async def test_a_branch_that_exits_ends_itself_only(compete: bool) -> None:
    branch = {"do": [{"x": {"set": "1", "then": "exit"}}, {"never": FAIL}], "then": "exit"}
    definition = fork({"a": branch}, compete=compete)
    definition["do"].append({"next": {"set": "${ [.] }"}})
    assert await output_of(definition) == [1 if compete else [1]]


async def test_a_competitor_that_loses_makes_no_more_calls() -> None:
    call = {"call": "http", "with": {"method": "get", "endpoint": "https://x.test"}}
    world = World(answer=lambda call: None)
    await world.run(fork({"a": after(2, **call)}, {"b": {"wait": "PT1S"}}, compete=True), {})
    assert not world.calls


async def test_forks_may_stand_in_each_other() -> None:
    inner = fork({"a": after(1, set="1")}, {"b": after(2, set="2")}, compete=True)["do"][0]["f"]
    assert await output_of(fork({"x": inner}, {"y": inner})) == [1, 1]


async def test_a_fault_goes_through_forks_to_the_top() -> None:
    inner = fork({"a": FAIL}, {"b": {"wait": "PT1H"}})["do"][0]["f"]
    error = await fault_of(fork({"x": {"wait": "PT1H"}}, {"y": inner}))
    assert error.instance == "/do/0/f/fork/branches/1/y/fork/branches/0/a"


async def test_a_branch_is_in_time_or_faults() -> None:
    late = {"wait": "PT3S", "timeout": {"after": "PT2S"}}
    error = await fault_of(fork({"a": {"wait": "PT9S"}}, {"b": late}))
    assert (error.type, error.instance) == (standard("timeout"), "/do/0/f/fork/branches/1/b")


@pytest.mark.parametrize(
    ("properties", "code", "pointer"),
    [
        ({}, "missing-property", ""),
        (None, "wrong-type", ""),
        ({"branches": None}, "wrong-type", "/branches"),
        ({"branches": {"a": {"set": "1"}}}, "wrong-type", "/branches"),
        ({"branches": [{"a": {"sett": 1}}]}, "unknown-task", "/branches/0/a"),
        ({"branches": [{"a": FAIL}, {"a": FAIL}]}, "duplicate-name", "/branches/1"),
        ({"branches": [], "compete": "yes"}, "wrong-type", "/compete"),
        ({"branches": [], "compete": True}, "unusable-value", "/branches"),
        ({"branches": [], "race": True}, "unknown-property", "/race"),
        (
            {"branches": [{"a": {"set": "1", "then": "b"}}, {"b": FAIL}]},
            "unknown-target",
            "/branches/0/a/then",
        ),
    ],
)
def test_what_is_no_fork(properties: Any, code: str, pointer: str) -> None:
    assert faults(workflow({"f": {"fork": properties}})) == [(code, f"/do/0/f/fork{pointer}")]
