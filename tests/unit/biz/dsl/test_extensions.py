"""Tasks before and after other tasks (DSL reference, "Extension")."""

from typing import Any

import pytest

from biz.dsl.calls.call import Call
from tests.fixtures.workflows import Json, World, fault_of, faults, output_of, standard, workflow

Trace = list[Any]


def extended(*tasks: Json, functions: Json | None = None, **extensions: Json) -> Json:
    named = [{name: extension} for name, extension in extensions.items()]
    return workflow(*tasks, use={"extensions": named, "functions": functions or {}})


def log(what: str) -> Json:
    """Tells a service what happens; its answer is a text."""
    return {
        "log": {
            "call": "http",
            "with": {"method": "post", "endpoint": "https://log.test", "body": what},
        }
    }


def named(what: str) -> Json:
    return log(f'${{ "{what} \\($task.name)" }}')


LOGGING = {"extend": "set", "before": [named("before")], "after": [named("after")]}
SET = {"a": {"set": {"n": "${ .n + 1 }"}}}


async def trace_of(definition: Json, input: Any = None) -> tuple[Any, Trace]:
    """The output of a run, and the bodies that it sent."""
    world = World(answer=lambda call: "logged")
    output = await world.run(definition, {"n": 0} if input is None else input)
    return output, [getattr(call, "body", None) for call in world.calls]


async def test_logging_surrounds_each_task_and_changes_no_data() -> None:
    definition = extended(SET, {"b": {"set": {"n": "${ .n * 10 }"}}}, logging=LOGGING)
    assert await trace_of(definition) == (
        {"n": 10},
        ["before a", "after a", "before b", "after b"],
    )


async def test_the_first_extension_is_around_the_others() -> None:
    one = {"extend": "set", "before": [log("1")], "after": [log("4")]}
    two = {"extend": "all", "before": [log("2")], "after": [log("3")]}
    assert await trace_of(extended(SET, one=one, two=two)) == ({"n": 1}, ["1", "2", "3", "4"])


@pytest.mark.parametrize(
    ("kind", "task"),
    [
        ("call", {"call": "f"}),
        ("composite", {"do": []}),
        ("composite", {"fork": {"branches": []}}),
        ("for", {"for": {"in": "[]"}, "do": []}),
        ("set", {"set": {"n": 1}}),
        ("switch", {"switch": [{"c": {"then": "continue"}}]}),
        ("try", {"try": [], "catch": {}}),
        ("wait", {"wait": {"seconds": 1}}),
    ],
)
async def test_each_kind_is_extended_by_its_own_and_by_all(kind: str, task: Json) -> None:
    others = {"call", "composite", "emit", "for", "listen", "run", "set", "switch", "try", "wait"}
    extensions = {name: {"extend": name, "before": [named(name)]} for name in others - {kind}}
    extensions["own"] = {"extend": kind, "before": [named("own")]}
    extensions["all"] = {"extend": "all", "before": [named("all")]}
    functions = {"f": {"raise": {"error": {"type": "https://e.test", "status": 400}}, "if": "null"}}
    definition = extended({"x": task}, functions=functions, **extensions)
    _, trace = await trace_of(definition)
    assert trace == ["own x", "all x"]


async def test_raise_is_extended_before_it_faults() -> None:
    fail = {"raise": {"error": {"type": "https://e.test", "status": 400}}}
    definition = extended(
        {"t": {"try": [{"fail": fail}], "catch": {}}},
        x={"extend": "raise", "before": [named("before")], "after": [named("never")]},
    )
    assert (await trace_of(definition))[1] == ["before fail"]


async def test_when_decides_on_the_task_and_its_input() -> None:
    tasks = [SET, {"b": {"set": {"n": 5}}}]
    by_name = {**LOGGING, "when": '$task.name == "b"'}
    assert (await trace_of(extended(*tasks, x=by_name)))[1] == ["before b", "after b"]
    by_data = {**LOGGING, "when": "$input.n == 0 and .n == 0"}
    assert (await trace_of(extended(*tasks, x=by_data)))[1] == ["before a", "after a"]


async def test_a_task_that_is_skipped_is_not_extended() -> None:
    assert await trace_of(extended({"a": {"if": "false", **SET["a"]}}, x=LOGGING)) == ({"n": 0}, [])


async def test_exit_before_stands_for_what_the_task_does() -> None:
    mock = {"extend": "call", "before": [{"m": {"set": {"name": "Rex"}, "then": "exit"}}]}
    task = {
        "getPet": {
            "call": "http",
            "with": {"method": "get", "endpoint": "https://pets.test/1"},
            "output": {"as": "{pet: .name}"},
            "export": {"as": "{exported: .pet}"},
            "then": "last",
        }
    }
    definition = extended(
        task,
        {"never": {"set": {"wrong": True}}},
        {"last": {"set": "${ . + $context }"}},
        mock=mock,
    )
    assert await output_of(definition) == {"pet": "Rex", "exported": "Rex"}


async def test_exit_skips_its_own_after_and_all_inside_but_nothing_around() -> None:
    around = {"extend": "set", "before": [log("1")], "after": [log("2")]}
    leave = {"m": {"set": {"n": "mocked"}, "then": "exit"}}
    exiting = {"extend": "set", "before": [leave, log("never")], "after": [log("never")]}
    inside = {"extend": "set", "before": [log("never")]}
    definition = extended(SET, around=around, exiting=exiting, inside=inside)
    assert await trace_of(definition) == ({"n": "mocked"}, ["1", "2"])


async def test_exit_of_a_list_in_before_leaves_only_that_list() -> None:
    nested = {"d": {"do": [{"m": {"set": {"n": "no"}, "then": "exit"}}]}}
    assert await output_of(extended(SET, x={"extend": "set", "before": [nested]}), {"n": 0}) == {
        "n": 1
    }


async def test_exit_in_after_changes_nothing() -> None:
    leave = {"m": {"set": {"n": "no"}, "then": "exit"}}
    assert await output_of(extended(SET, x={"extend": "set", "after": [leave]}), {"n": 0}) == {
        "n": 1
    }


@pytest.mark.parametrize("which", ["before", "after"])
async def test_end_in_an_extension_ends_the_workflow(which: str) -> None:
    stop = {"stop": {"set": {"stopped": True}, "then": "end"}}
    definition = extended(SET, {"b": {"do": []}}, x={"extend": "set", which: [stop]})
    assert await output_of(definition, {"n": 0}) == {"stopped": True}


async def test_a_task_that_ends_the_workflow_inside_has_no_after() -> None:
    inner = {"d": {"do": [{"a": {**SET["a"], "then": "end"}}]}}
    definition = extended(inner, x={"extend": "composite", "after": [log("never")]})
    assert await trace_of(definition) == ({"n": 1}, [])


async def test_before_works_on_the_tasks_input_and_after_on_what_it_gave() -> None:
    task = {"a": {"input": {"from": "{n: 7}"}, **SET["a"], "output": {"as": "{late: .n}"}}}
    x = {
        "extend": "set",
        "before": [log("${ [.n, $task.input.n] }")],
        "after": [log("${ [.n, $task.output.n] }")],
    }
    assert await trace_of(extended(task, x=x)) == ({"late": 8}, [[7, 0], [8, 8]])


async def test_an_extension_passes_data_on_by_the_context() -> None:
    x = {"extend": "set", "before": [{"e": {"do": [], "export": {"as": "{seen: .n}"}}}]}
    task = {"a": {"set": {"context": "${ $context }"}}}
    assert await output_of(extended(task, x=x), {"n": 3}) == {"context": {"seen": 3}}


async def test_tasks_of_an_extension_are_not_extended_nor_those_they_call() -> None:
    definition = extended(
        SET,
        functions={"log": log("${ .text }")["log"]},
        x={"extend": "all", "before": [{"l": {"call": "log", "with": {"text": "once"}}}]},
    )
    assert await trace_of(definition) == ({"n": 1}, ["once"])


async def test_tasks_of_functions_are_extended() -> None:
    definition = extended({"c": {"call": "f"}}, functions={"f": SET["a"]}, x=LOGGING)
    assert await trace_of(definition) == ({"n": 1}, ["before f", "after f"])


async def test_tasks_after_an_extension_are_extended_again() -> None:
    x = {"extend": "set", "before": [{"d": {"do": [named("before")]}}]}
    loop = {"loop": {"for": {"in": "[1, 2]"}, "do": [SET]}}
    assert await trace_of(extended(loop, x=x)) == ({"n": 2}, ["before a", "before a"])


@pytest.mark.parametrize("which", ["before", "after"])
async def test_a_fault_in_an_extension_is_the_tasks(which: str) -> None:
    fail = {"fail": {"raise": {"error": {"type": "https://e.test", "status": 400}}}}
    error = await fault_of(extended(SET, x={"extend": "set", which: [fail]}), {"n": 0})
    assert error.instance == f"/use/extensions/0/x/{which}/0/fail"


async def test_a_condition_that_fails_is_the_tasks_fault() -> None:
    error = await fault_of(extended(SET, x={"extend": "set", "when": ".n | error"}), {"n": 0})
    assert (error.type, error.instance) == (standard("expression"), "/do/0/a")


async def test_the_tasks_timeout_holds_for_its_extensions() -> None:
    slow = {"w": {"wait": {"seconds": 5}}}
    task = {"a": {**SET["a"], "timeout": {"after": {"seconds": 1}}}}
    error = await fault_of(extended(task, x={"extend": "set", "before": [slow]}), {"n": 0})
    assert error.type == standard("timeout")


async def test_a_path_shows_which_task_an_extension_is_done_for() -> None:
    keys = []

    def answer(call: Call) -> Any:
        keys.append(call.idempotency_key)

    await World(answer=answer).run(extended(SET, x={"extend": "set", "after": [log("")]}), {"n": 0})
    assert keys == ["run-1:/do/0/a/use/extensions/0/x/after/0/log:1"]


X = "/use/extensions/0/x"


@pytest.mark.parametrize(
    ("extension", "found"),
    [
        (1, ("wrong-type", X)),
        ({}, ("missing-property", X)),
        ({"extend": "do"}, ("invalid-value", f"{X}/extend")),
        ({"extend": 1}, ("wrong-type", f"{X}/extend")),
        ({"extend": "all", "with": {}}, ("unknown-property", f"{X}/with")),
        ({"extend": "all", "when": ".a |"}, ("invalid-expression", f"{X}/when")),
        ({"extend": "all", "when": "$item"}, ("unavailable-variable", f"{X}/when")),
        ({"extend": "all", "before": {}}, ("wrong-type", f"{X}/before")),
        ({"extend": "all", "after": [{"a": {}}]}, ("unknown-task", f"{X}/after/0/a")),
        (
            {"extend": "all", "before": [{"a": {**SET["a"], "then": "b"}}]},
            ("unknown-target", f"{X}/before/0/a/then"),
        ),
    ],
)
def test_what_is_no_extension(extension: Any, found: tuple[str, str]) -> None:
    assert faults(extended(x=extension)) == [found]


@pytest.mark.parametrize(
    ("extensions", "found"),
    [
        ({}, ("wrong-type", "/use/extensions")),
        ([{}], ("invalid-value", "/use/extensions/0")),
        ([{"x": LOGGING}, {"x": LOGGING}], ("duplicate-name", "/use/extensions/1")),
    ],
)
def test_what_is_no_list_of_extensions(extensions: Any, found: tuple[str, str]) -> None:
    assert faults(workflow(use={"extensions": extensions})) == [found]


def test_an_extension_may_do_nothing() -> None:
    assert not faults(extended(SET, x={"extend": "all"}))
