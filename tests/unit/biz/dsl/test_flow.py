"""What is told of the order of tasks before anything runs."""

import json
from typing import Any

import pytest

from biz.dsl.validator import check
from tests.fixtures.workflows import Json, faults, workflow

WORK: Json = {"set": {"x": 1}}
CALL: Json = {"call": "http", "with": {"method": "get", "endpoint": "https://pets.test"}}


def switch(*cases: tuple[str | None, str]) -> Json:
    return {
        "switch": [
            {f"c{i}": {"then": then, **({"when": when} if when else {})}}
            for i, (when, then) in enumerate(cases)
        ]
    }


def warned(*tasks: Any) -> list[tuple[str, str]]:
    return [*faults(workflow(*tasks))]


UNREACHABLE = [
    ("behind an end", [{"a": {**WORK, "then": "end"}}, {"b": WORK}], ["/do/1/b"]),
    ("behind an exit", [{"a": {**WORK, "then": "exit"}}, {"b": WORK}], ["/do/1/b"]),
    (
        "stepped over",
        [{"a": {**WORK, "then": "c"}}, {"b": WORK}, {"c": WORK}],
        ["/do/1/b"],
    ),
    (
        "behind a raise",
        [{"a": {"raise": {"error": {"type": "x", "status": 1}}}}, {"b": WORK}],
        ["/do/1/b"],
    ),
    (
        "behind a switch with a default",
        [{"a": switch((".x", "c"), (None, "end"))}, {"b": WORK}, {"c": WORK}],
        ["/do/1/b"],
    ),
    (
        "led to by one that is unreachable",
        [{"a": {**WORK, "then": "end"}}, {"b": WORK}, {"c": WORK}],
        ["/do/1/b", "/do/2/c"],
    ),
    (
        "inside of a task",
        [{"a": {"do": [{"b": {**WORK, "then": "exit"}}, {"c": WORK}]}}],
        ["/do/0/a/do/1/c"],
    ),
]
REACHABLE = [
    ("in order", [{"a": WORK}, {"b": WORK}]),
    ("where the task before may be skipped", [
        {"a": {**WORK, "if": ".x", "then": "end"}},
        {"b": WORK},
    ]),
    ("by a case", [{"a": switch((".x", "c"), (None, "end"))}, {"c": WORK}]),
    ("where no case may match", [{"a": switch((".x", "end"))}, {"b": WORK}]),
    ("backwards", [
        {"a": {**WORK, "then": "c"}},
        {"b": {**WORK, "then": "end"}},
        {"c": {**WORK, "then": "b"}},
    ]),
    ("by a catch", [
        {"a": {"try": [{"t": WORK}], "catch": {"then": "b"}, "then": "end"}},
        {"b": WORK},
    ]),
    ("as branches", [{"a": {"fork": {"branches": [{"b": {**WORK, "then": "end"}}, {"c": WORK}]}}}]),
]  # fmt: skip


@pytest.mark.parametrize(
    ("tasks", "pointers"), [case[1:] for case in UNREACHABLE], ids=[case[0] for case in UNREACHABLE]
)
def test_a_task_is_unreachable(tasks: list[Json], pointers: list[str]) -> None:
    assert warned(*tasks) == [("unreachable-task", pointer) for pointer in pointers]


@pytest.mark.parametrize(
    "tasks", [case[1] for case in REACHABLE], ids=[case[0] for case in REACHABLE]
)
def test_a_task_is_reachable(tasks: list[Json]) -> None:
    assert warned(*tasks) == []


ENDLESS = [
    ("a task that leads to itself", [{"a": {**WORK, "then": "a"}}], "/do/0/a"),
    ("calls, too", [{"a": CALL}, {"b": {**CALL, "then": "a"}}], "/do/0/a"),
    (
        "a wait before it doesn't count",
        [{"w": {"wait": "PT1S"}}, {"a": WORK}, {"b": {**WORK, "then": "a"}}],
        "/do/1/a",
    ),
    (
        "cases that all lead back",
        [{"a": switch((".x", "b"), (None, "a"))}, {"b": {**WORK, "then": "a"}}],
        "/do/0/a",
    ),
    (
        "inside of a task",
        [{"o": {"do": [{"a": {**WORK, "then": "a"}}]}}],
        "/do/0/o/do/0/a",
    ),
]
WITH_A_WAY_OUT = [
    ("a case that ends", [{"a": WORK}, {"b": switch((".x", "a"), (None, "end"))}]),
    ("cases that may not match", [{"a": WORK}, {"b": switch((".x", "a"))}]),
    ("a condition on the way back", [{"a": WORK}, {"b": {**WORK, "if": ".x", "then": "a"}}]),
    ("a wait", [{"a": WORK}, {"b": {"wait": "PT1S", "then": "a"}}]),
    ("a wait inside of a task", [{"a": {"do": [{"w": {"wait": "PT1S"}}], "then": "a"}}]),
    ("a listen", [{"a": {"listen": {"to": {"any": []}}, "then": "a"}}]),
    (
        "an end inside of a task",
        [{"a": {"do": [{"s": switch((".x", "end"), (None, "exit"))}], "then": "a"}}],
    ),
    ("an error that is raised", [
        {"a": switch((".x", "a"), (None, "b"))},
        {"b": {"raise": {"error": {"type": "x", "status": 1}}}},
    ]),
]  # fmt: skip


@pytest.mark.parametrize(
    ("tasks", "pointer"), [case[1:] for case in ENDLESS], ids=[case[0] for case in ENDLESS]
)
def test_a_loop_is_endless(tasks: list[Json], pointer: str) -> None:
    assert warned(*tasks) == [("endless-loop", pointer)]


@pytest.mark.parametrize(
    "tasks", [case[1] for case in WITH_A_WAY_OUT], ids=[case[0] for case in WITH_A_WAY_OUT]
)
def test_a_loop_has_a_way_out_or_waits(tasks: list[Json]) -> None:
    assert warned(*tasks) == []


def test_a_warning_refuses_nothing() -> None:
    assert check(json.dumps(workflow({"a": {**WORK, "then": "a"}}))).workflow is not None


def test_the_order_of_tasks_is_followed_only_where_all_else_is_right() -> None:
    assert warned({"a": {**WORK, "then": "end"}}, {"b": {"wait": "soon"}}) == [
        ("invalid-duration", "/do/1/b/wait")
    ]


def test_a_directive_to_a_task_elsewhere_says_where_that_is() -> None:
    text = json.dumps(workflow({"a": {"do": [{"b": WORK}]}}, {"c": {**WORK, "then": "b"}}))
    [found] = check(text).diagnostics
    assert found.code == "unknown-target"
    assert "the one at /do/0/a/do/0/b can't be reached from here" in found.message


def test_long_lists_are_followed_in_no_time() -> None:
    tasks = [{f"t{i}": {**WORK, "then": f"t{i - 1}" if i else "end"}} for i in range(5000)]
    assert len(warned(*tasks)) == 100
