"""Shell commands and scripts: what of a definition makes which part of the call."""

from dataclasses import replace
from typing import Any

import pytest

from biz.dsl.calls.process_call import ProcessOutput
from biz.dsl.calls.resource import Resource
from biz.dsl.calls.script_call import ScriptCall, ScriptLanguage
from biz.dsl.calls.shell_call import ShellCall
from tests.fixtures.workflows import Json, World, fault_of, faults, standard, workflow

COMMON: Json = {
    "stdin": None,
    "arguments": [],
    "environment": {},
    "output": ProcessOutput.STDOUT,
    "awaited": True,
    "idempotency_key": "run-1:/do/0/go:1",
}
SHELL = ShellCall(command="ls", **COMMON)
SCRIPT = ScriptCall(language=ScriptLanguage.JS, code="x", source=None, **COMMON)
INPUT = {"text": "in", "number": 1.5, "object": {"a": [1]}, "list": ["a", 2]}


def shell(beside: Json | None = None, **properties: Any) -> Json:
    return workflow({"go": {"run": {"shell": {"command": "ls", **properties}, **(beside or {})}}})


def script(**properties: Any) -> Json:
    return workflow({"go": {"run": {"script": {"language": "js", **properties}}}})


async def calls_of(definition: Json) -> list[Any]:
    world = World(answer=lambda call: "answered")
    assert await world.run(definition, INPUT) == "answered"
    return world.calls


@pytest.mark.parametrize(
    ("properties", "changes"),
    [
        ({}, {}),
        ({"command": "${ .text }"}, {"command": "in"}),
        ({"stdin": "in"}, {"stdin": "in"}),
        ({"stdin": "${ .object }"}, {"stdin": {"a": [1]}}),
        ({"arguments": ["a", "${ .number }"]}, {"arguments": ["a", 1.5]}),
        ({"environment": {"A": "${ .text }", "B": 1}}, {"environment": {"A": "in", "B": 1}}),
        ({"beside": {"return": "all"}}, {"output": ProcessOutput.ALL}),
        ({"beside": {"await": True}}, {}),
    ],
)
async def test_a_property_of_a_command_makes_its_part_of_the_call(
    properties: Json, changes: Json
) -> None:
    assert await calls_of(shell(**properties)) == [replace(SHELL, **changes)]


@pytest.mark.parametrize(
    ("properties", "changes"),
    [
        ({"code": "x"}, {}),
        ({"code": "`${x}`"}, {"code": "`${x}`"}),
        ({"code": "${ .text }"}, {"code": "in"}),
        ({"code": "x", "language": "python"}, {"language": ScriptLanguage.PYTHON}),
        ({"code": "x", "stdin": "y", "arguments": ["z"], "environment": {"a": "b"}},
         {"stdin": "y", "arguments": ["z"], "environment": {"a": "b"}}),
        ({"source": {"endpoint": "https://a.test/x.js", "name": "x"}},
         {"code": None, "source": Resource(uri="https://a.test/x.js")}),
    ],
)  # fmt: skip
async def test_a_property_of_a_script_makes_its_part_of_the_call(
    properties: Json, changes: Json
) -> None:
    assert await calls_of(script(**properties)) == [replace(SCRIPT, **changes)]


async def test_one_that_isnt_awaited_outputs_its_transformed_input() -> None:
    definition = shell({"await": False})
    definition["do"][0]["go"]["input"] = {"from": ".text"}
    world = World(answer=lambda call: None)
    assert await world.run(definition, INPUT) == "in"
    assert world.calls == [replace(SHELL, awaited=False)]


async def test_secrets_are_left_to_the_activity() -> None:
    definition = shell({"await": False}, environment={"TOKEN": "${ $secrets.token }", "A": "b"})
    definition["use"] = {"secrets": ["token"]}
    definition["do"][0]["go"]["input"] = {"from": {"x": "${ $secrets.token }", "y": "${ .text }"}}
    world = World(answer=lambda call: None)
    assert await world.run(definition, INPUT) == {"x": None, "y": "in"}
    [call] = world.calls
    assert call.environment == {"TOKEN": None, "A": "b"}
    assert [hole.path for hole in call.deferral.holes] == [("environment", "TOKEN")]


@pytest.mark.parametrize(
    ("run", "found"),
    [
        ({}, ("invalid-value", "")),
        ({"shell": {"command": "a"}, "script": {"language": "js", "code": ""}},
         ("invalid-value", "")),
        ("ls", ("wrong-type", "")),
        ({"shell": {"command": "a"}, "return": "file"}, ("invalid-value", "/return")),
        ({"shell": {"command": "a"}, "await": "no"}, ("wrong-type", "/await")),
        ({"shell": {"command": "a"}, "when": True}, ("unknown-property", "/when")),
        ({"shell": "ls"}, ("wrong-type", "/shell")),
        ({"shell": {}}, ("missing-property", "/shell")),
        ({"shell": {"command": ["ls"]}}, ("wrong-type", "/shell/command")),
        ({"shell": {"command": "a", "stdin": 1}}, ("wrong-type", "/shell/stdin")),
        ({"shell": {"command": "a", "arguments": "b"}}, ("wrong-type", "/shell/arguments")),
        ({"shell": {"command": "a", "arguments": [1]}}, ("wrong-type", "/shell/arguments/0")),
        ({"shell": {"command": "a", "environment": []}}, ("wrong-type", "/shell/environment")),
        ({"shell": {"command": "${ .a | }"}}, ("invalid-expression", "/shell/command")),
        ({"shell": {"command": "echo ${ .a }"}}, ("literal-expression", "/shell/command")),
        ({"script": {"code": "x"}}, ("missing-property", "/script")),
        ({"script": {"language": "js"}}, ("invalid-value", "/script")),
        ({"script": {"language": "js", "code": "x", "source": {"endpoint": "http://y"}}},
         ("invalid-value", "/script")),
        ({"script": {"language": "ruby", "code": "x"}}, ("invalid-value", "/script/language")),
        ({"script": {"language": "js", "code": 1}}, ("wrong-type", "/script/code")),
        ({"script": {"language": "js", "source": {}}}, ("missing-property", "/script/source")),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_at_its_place(run: Any, found: tuple[str, str]) -> None:
    code, pointer = found
    assert faults(workflow({"go": {"run": run}})) == [(code, f"/do/0/go/run{pointer}")]


@pytest.mark.parametrize(
    ("definition", "detail"),
    [
        (shell(command="${ .object }"), "the command can't be an object"),
        (shell(command="${ null }"), "the command can't be null"),
        (shell(command='${ "a\\u0000b" }'), "the command can't hold a NUL character"),
        (shell(arguments=["a", "${ .list }"]), "arguments[1] can't be an array"),
        (shell(environment={"A": "${ .object }"}), "A can't be an object"),
        (shell(environment={"A=B": "x"}), "'A=B' can't be the name"),
        (shell(environment={"": "x"}), "'' can't be the name"),
        (script(code="${ .object }"), "the script's code must be a string, not an object"),
        (script(source={"endpoint": "${ 1 }"}), "endpoint must give a string"),
        (shell(command="${ .text | error }"), "in"),
    ],
)
async def test_a_value_that_no_process_can_take_is_an_expression_error(
    definition: Json, detail: str
) -> None:
    error = await fault_of(definition, INPUT)
    assert (error.type, error.instance) == (standard("expression"), "/do/0/go")
    assert detail in error.detail


async def test_a_script_by_another_scheme_than_http_is_a_configuration_error() -> None:
    error = await fault_of(script(source={"endpoint": "file:///etc/passwd"}))
    assert error.type == standard("configuration")
