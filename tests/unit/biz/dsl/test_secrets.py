"""Secrets in definitions: where they may be read, and what else is refused."""

from typing import Any

import pytest

from biz.dsl.jq.lexer import fields_of, read_tokens
from biz.dsl.validator import check
from tests.fixtures.workflows import Json, fault_of, faults, output_of, standard, workflow

URI = "https://pets.test"


def call(use: Any = ("key", "login"), **properties: Any) -> Json:
    arguments = {"method": "get", "endpoint": URI, "body": "${ . }"}
    task = {"call": "http", "with": {**arguments, **properties.pop("arguments", {})}, **properties}
    return workflow({"call": task}, use={"secrets": list(use)})


def by_secret(name: str, scheme: str = "basic") -> Json:
    return {"endpoint": {"uri": URI, "authentication": {scheme: {"use": name}}}}


@pytest.mark.parametrize(
    ("properties", "found"),
    [
        ({"arguments": {"body": "${ $secrets.key }"}}, []),
        ({"arguments": {"body": "${ $secrets[.name] }"}}, []),
        ({"arguments": {"body": "${ $secrets.kez }"}}, ["/do/0/call/with/body"]),
        ({"arguments": {"body": '${ $secrets["a-b"] }'}}, ["/do/0/call/with/body"]),
        ({"arguments": by_secret("login")}, []),
        ({"arguments": by_secret("other")}, ["/do/0/call/with/endpoint/authentication/basic/use"]),
        ({"input": {"from": "{a: $secrets.nobody}"}}, ["/do/0/call/input/from"]),
        ({"use": [], "input": {"from": "$secrets.key"}}, ["/do/0/call/input/from"]),
    ],
)
def test_a_secret_must_be_listed(properties: Json, found: list[str]) -> None:
    assert faults(call(**properties)) == [("unknown-reference", pointer) for pointer in found]


@pytest.mark.parametrize(
    ("properties", "pointer"),
    [
        ({"output": {"as": "$input"}}, "/do/0/call/output/as"),
        ({"output": {"as": {"a": ["${ $input.b }"]}}}, "/do/0/call/output/as"),
        ({"export": {"as": "$input"}}, "/do/0/call/export/as"),
    ],
)
def test_nothing_behind_a_call_reads_an_input_with_secrets(properties: Json, pointer: str) -> None:
    for transformed in ("$secrets.key", {"a": "${ $secrets.key }", "b": 1}):
        definition = call(input={"from": transformed}, **properties)
        assert faults(definition) == [("unavailable-variable", pointer)]
    assert faults(call(input={"from": ".a"}, **properties)) == []


def test_where_secrets_may_stand_is_told() -> None:
    definition = workflow({"set": {"set": {"a": "${ $secrets.key }"}}}, use={"secrets": ["key"]})
    [found] = check(str(definition).replace("'", '"')).diagnostics
    assert "call and run tasks" in found.message


@pytest.mark.parametrize("name", ["secrets", "authorization"])
def test_no_variable_hides_the_secrets(name: str) -> None:
    loop = {"for": {"in": ".", "each": name}, "do": []}
    assert faults(workflow({"loop": loop})) == [("invalid-variable", "/do/0/loop/for/each")]


@pytest.mark.parametrize(
    ("names", "found"),
    [
        ([], []),
        (["a", "a"], []),
        ({}, [("wrong-type", "/use/secrets")]),
        ([1], [("wrong-type", "/use/secrets/0")]),
        ([""], [("empty", "/use/secrets/0")]),
    ],
)
def test_names_of_secrets(names: Any, found: list[tuple[str, str]]) -> None:
    assert faults(workflow(use={"secrets": names})) == found


@pytest.mark.parametrize(
    ("program", "names"),
    [
        (".", []),
        ("$secrets.a + $secrets.b.c", ["a", "b"]),
        ('$secrets["a b"]', ["a b"]),
        ('$secrets."a b"', ["a b"]),
        ('$secrets.["a"]', ["a"]),
        ('"$secrets.a" + "\\($secrets.b)"', ["b"]),
        ("$secrets", None),
        ("$secrets[.a]", None),
        ('$secrets["\\(.a)"]', None),
        ("$secrets | .a", None),
        ("$secrets[]", None),
        (". as $secrets | $secrets.a", None),
    ],
)
def test_the_secrets_that_a_program_names(program: str, names: list[str] | None) -> None:
    found = fields_of(read_tokens(program), "secrets")
    assert (found if found is None else sorted(found)) == names


def test_a_function_is_given_no_secrets() -> None:
    use = {"secrets": ["key"], "functions": {"f": {"set": {"a": 1}}}}
    given = workflow({"call": {"call": "f", "with": {"a": "${ $secrets.key }"}}}, use=use)
    assert faults(given) == [("unavailable-variable", "/do/0/call/with/a")]
    made = workflow({"call": {"call": "f", "input": {"from": "$secrets.key"}}}, use=use)
    assert faults(made) == [("unavailable-variable", "/do/0/call/input/from")]


async def test_the_tasks_of_an_extension_are_given_no_secrets() -> None:
    extension = {"extend": "call", "before": [{"stop": {"set": "${ . }", "then": "exit"}}]}
    task = {
        "call": "http",
        "with": {"method": "get", "endpoint": URI},
        "input": {"from": {"key": "${ $secrets.key }", "a": 1}},
    }
    use = {"secrets": ["key"], "extensions": [{"around": extension}]}
    assert await output_of(workflow({"call": task}, use=use)) == {"key": None, "a": 1}


async def test_no_condition_reads_an_input_with_secrets() -> None:
    extension = {"extend": "call", "when": "$input.a", "before": []}
    task = {
        "call": "http",
        "with": {"method": "get", "endpoint": URI},
        "input": {"from": {"key": "${ $secrets.key }", "a": 1}},
    }
    use = {"secrets": ["key"], "extensions": [{"around": extension}]}
    error = await fault_of(workflow({"call": task}, use=use))
    assert (error.type, error.detail) == (standard("expression"), "a condition can't read secrets")


def test_a_name_must_not_be_empty() -> None:
    place = "/do/0/call/with/endpoint/authentication"
    assert faults(call(arguments=by_secret(""))) == [("empty", f"{place}/basic/use")]
    named = {"endpoint": {"uri": URI, "authentication": {"use": ""}}}
    assert faults(call(arguments=named)) == [("empty", f"{place}/use")]


def test_only_under_use_other_properties_stand_beside_a_scheme() -> None:
    policy = {"bearer": {"token": "a"}, "note": 1}
    use = {"authentications": {"named": policy}}
    pointer = "/use/authentications/named/note"
    assert faults(workflow(use=use)) == [("ignored-property", pointer)]
    inline = call(arguments={"endpoint": {"uri": URI, "authentication": policy}})
    pointer = "/do/0/call/with/endpoint/authentication/note"
    assert faults(inline) == [("unknown-property", pointer)]
