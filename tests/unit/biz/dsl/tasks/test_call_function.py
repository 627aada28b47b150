"""Calls of functions that the definition has under `use`."""

import json
from typing import Any

import pytest

from biz.dsl.calls.http_call import HttpCall
from biz.dsl.validator import check
from tests.fixtures.workflows import Json, World, fault_of, faults, output_of, standard, workflow


def calling(functions: Json, *tasks: Json, **properties: Any) -> Json:
    return workflow(*tasks, use={"functions": functions}, **properties)


def call(name: str, **properties: Any) -> Json:
    return {"call": {"call": name, **properties}}


PET = {
    "input": {"schema": {"document": {"required": ["id"]}}},
    "call": "http",
    "with": {"method": "get", "endpoint": "https://pets.test/{id}"},
    "output": {"as": ".name"},
}
ECHO = {"set": {"got": "${ . }"}}
LATER = {"set": {"later": True}}


@pytest.mark.parametrize(
    ("arguments", "seen"),
    [
        ({"with": {"a": 1}}, {"a": 1}),
        ({"with": {"a": "${ .x }", "b": [1, "${ .y }"]}}, {"a": 5, "b": [1, None]}),
        ({"with": {}}, {}),
        ({}, {"x": 5}),
        ({"input": {"from": "{z: .x}"}}, {"z": 5}),
        ({"input": {"from": "{z: .x}"}, "with": {"a": "${ .z }"}}, {"a": 5}),
    ],
    ids=["literal", "expressions", "empty", "none", "none, of its input", "of its input"],
)
async def test_a_function_works_on_with_or_else_on_the_input(arguments: Json, seen: Any) -> None:
    definition = calling({"echo": ECHO}, call("echo", **arguments))
    assert await output_of(definition, {"x": 5}) == {"got": seen}


async def test_a_function_can_call_a_service() -> None:
    world = World(answer=lambda request: {"uri": request.uri, "name": "Rex"})
    definition = calling({"getPet": PET}, call("getPet", **{"with": {"id": 7}}))
    assert await world.run(definition, {}) == "Rex"
    assert [request.uri for request in world.calls] == ["https://pets.test/7"]


async def test_the_outputs_of_a_function_and_of_its_call_are_transformed_in_turn() -> None:
    definition = calling(
        {"f": {"set": {"n": 1}, "output": {"as": "{n: (.n + 1)}"}, "export": {"as": "{in: .n}"}}},
        call("f", output={"as": "{n: (.n * 10), context: $context}"}),
    )
    assert await output_of(definition) == {"n": 20, "context": {"in": 2}}


async def test_a_function_may_have_a_condition() -> None:
    definition = calling({"f": {"if": ".a > 1", "set": {"did": True}}}, call("f"))
    assert await output_of(definition, {"a": 1}) == {"a": 1}
    assert await output_of(definition, {"a": 2}) == {"did": True}


async def test_functions_call_each_other_in_any_order() -> None:
    functions = {
        "twice": {"do": [{"one": {"call": "increment"}}, {"two": {"call": "increment"}}]},
        "increment": {"set": {"n": "${ .n + 1 }"}},
    }
    assert await output_of(calling(functions, call("twice", **{"with": {"n": 1}}))) == {"n": 3}


async def test_a_function_may_call_itself_under_a_condition() -> None:
    down = {
        "do": [
            {"count": {"set": {"n": "${ .n - 1 }"}}},
            {"again": {"if": ".n > 0", "call": "down"}},
        ]
    }
    assert await output_of(calling({"down": down}, call("down")), {"n": 49}) == {"n": 0}


async def test_a_recursion_without_an_end_faults() -> None:
    down = {"do": [{"t": {"if": "true", "call": "down"}}]}
    error = await fault_of(calling({"down": down}, call("down")))
    assert (error.type, error.status) == (standard("runtime"), 500)
    assert error.detail == "more than 50 functions call each other"


async def test_functions_in_deep_lists_may_call_each_other_as_deep() -> None:
    task: Json = {"if": ".n > 0", "call": "down", "with": {"n": "${ .n - 1 }"}}
    for _ in range(30):
        task = {"do": [{"t": task}]}
    assert await output_of(calling({"down": task}, call("down")), {"n": 40}) == {"n": 0}


async def test_a_function_sees_none_of_its_callers_variables() -> None:
    loop = {"loop": {"for": {"in": "[1]"}, "do": [call("f")]}}
    used = calling({"f": {"set": {"x": "${ $item }"}}}, loop)
    assert faults(used) == [("unavailable-variable", "/use/functions/f/set/x")]


async def test_what_a_function_knows_of_its_task() -> None:
    definition = calling(
        {"f": {"set": {"task": "${ $task | {name, reference, input} }", "in": "${ $input }"}}},
        call("f", **{"with": {"a": 1}}),
    )
    task = {"name": "f", "reference": "/use/functions/f", "input": {"a": 1}}
    assert await output_of(definition) == {"task": task, "in": {"a": 1}}


@pytest.mark.parametrize(
    ("then", "output"),
    [("continue", {"later": True}), ("exit", {"later": True}), ("end", {"got": {}})],
)
async def test_only_end_in_a_function_says_where_its_caller_goes(then: str, output: Any) -> None:
    definition = calling({"f": {**ECHO, "then": then}}, call("f"), {"later": LATER})
    assert await output_of(definition) == output


async def test_end_inside_of_a_function_ends_the_workflow() -> None:
    inner = {"do": [{"a": {**ECHO, "then": "end"}}]}
    assert await output_of(calling({"f": inner}, call("f"), {"later": LATER})) == {"got": {}}


async def test_a_fault_names_the_place_in_the_function() -> None:
    fail = {"raise": {"error": {"type": "https://e.test/x", "status": 400}}}
    definition = calling({"f": {"do": [{"fail": fail}]}}, call("f"))
    assert (await fault_of(definition)).instance == "/use/functions/f/do/0/fail"


async def test_an_input_that_breaks_the_functions_schema_faults() -> None:
    error = await fault_of(calling({"getPet": PET}, call("getPet", **{"with": {"a": 1}})))
    assert (error.type, error.instance) == (standard("validation"), "/use/functions/getPet")


async def test_arguments_that_fail_are_the_callers_fault() -> None:
    definition = calling({"echo": ECHO}, call("echo", **{"with": {"a": "${ error }"}}))
    error = await fault_of(definition)
    assert (error.type, error.instance) == (standard("expression"), "/do/0/call")


async def test_a_caller_catches_what_a_function_raises() -> None:
    fail = {"raise": {"error": {"type": "https://e.test/x", "status": 400}}}
    caught = {"try": {"try": [call("f")], "catch": {"do": [{"s": {"set": {"ok": True}}}]}}}
    assert await output_of(calling({"f": fail}, caught)) == {"ok": True}


async def test_the_timeout_of_a_function_and_of_its_call_count() -> None:
    slow = {"wait": {"seconds": 5}}
    timed = {"timeout": {"after": {"seconds": 1}}}
    for definition in (
        calling({"f": {**slow, **timed}}, call("f")),
        calling({"f": slow}, call("f", **timed)),
    ):
        assert (await fault_of(definition)).type == standard("timeout")


async def test_progress_names_the_caller_in_front_of_the_function() -> None:
    keys = []

    def answer(request: HttpCall) -> Any:
        keys.append(request.idempotency_key)
        return {}

    definition = calling({"getPet": PET}, call("getPet", **{"with": {"id": 1}}))
    await World(answer=answer).run(definition, {})
    assert keys == ["run-1:/do/0/call/use/functions/getPet:1"]


@pytest.mark.parametrize(
    ("functions", "found"),
    [
        ([], ("wrong-type", "/use/functions")),
        ({"f": 1}, ("wrong-type", "/use/functions/f")),
        ({"f": {}}, ("unknown-task", "/use/functions/f")),
        ({"f": {"set": {}, "a": 1}}, ("unknown-property", "/use/functions/f/a")),
        ({"f": {**ECHO, "then": "g"}, "g": ECHO}, ("unknown-target", "/use/functions/f/then")),
        ({"f": {"do": [call("g")]}}, ("unknown-reference", "/use/functions/f/do/0/call/call")),
    ],
)
def test_what_is_no_function(functions: Any, found: tuple[str, str]) -> None:
    assert found in faults(calling(functions))


@pytest.mark.parametrize(
    "functions",
    [
        {"f": {"call": "f"}},
        {"f": {"call": "g"}, "g": {"call": "f"}},
        {"f": {"do": [{"a": ECHO}, call("f")]}},
        {"f": {"do": [{"a": {**ECHO, "if": "."}}, call("f")]}},
        {"f": {"try": [call("f")], "catch": {}}},
        {"f": {"fork": {"branches": [{"a": ECHO}, call("f")]}}},
    ],
)
def test_functions_that_always_call_themselves_are_refused(functions: Json) -> None:
    assert faults(calling(functions)) == [
        ("endless-recursion", f"/use/functions/{name}") for name in functions
    ]


@pytest.mark.parametrize(
    "function",
    [
        {"if": ".", "call": "f"},
        {"do": [{"a": {**ECHO, "if": ".", "then": "exit"}}, call("f")]},
        {"do": [{"s": {"switch": [{"c": {"when": ".", "then": "end"}}]}}, call("f")]},
        {"for": {"in": "[]"}, "do": [call("f")]},
        {"try": [{"a": ECHO}], "catch": {"do": [call("f")]}},
    ],
)
def test_functions_that_may_call_themselves_are_taken(function: Json) -> None:
    assert not faults(calling({"f": function}))


@pytest.mark.parametrize(
    ("properties", "found"),
    [
        ({"call": "ecko"}, ("unknown-reference", "/do/0/call/call")),
        ({"call": ""}, ("unknown-reference", "/do/0/call/call")),
        ({"call": "echo", "with": [1]}, ("wrong-type", "/do/0/call/with")),
        ({"call": "echo", "with": "${ . }"}, ("wrong-type", "/do/0/call/with")),
        ({"call": "echo", "with": {"a": "${ | }"}}, ("invalid-expression", "/do/0/call/with/a")),
        ({"call": "echo", "extra": 1}, ("unknown-property", "/do/0/call/extra")),
    ],
)
def test_what_is_no_call_of_a_function(properties: Json, found: tuple[str, str]) -> None:
    assert faults(calling({"echo": ECHO}, {"call": properties})) == [found]


@pytest.mark.parametrize(("functions", "is_told"), [({"echo": ECHO}, False), ({}, True)])
def test_an_unknown_function_where_there_is_none_says_so(functions: Any, is_told: bool) -> None:
    [fault] = check(json.dumps(calling(functions, {"call": {"call": "zzz"}}))).diagnostics
    assert ("use.functions is empty" in fault.message) == is_told
