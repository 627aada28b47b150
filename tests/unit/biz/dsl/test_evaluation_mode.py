"""`evaluate`: the strict and the loose mode."""

import json
from typing import Any

import pytest

from biz.dsl.validator import check
from tests.fixtures.workflows import Json, fault_of, faults, output_of, standard, workflow

LOOSE = {"mode": "loose"}


def loose(*tasks: Json, **properties: Any) -> Json:
    return workflow(*tasks, evaluate=LOOSE, **properties)


@pytest.mark.parametrize(
    ("text", "gives"),
    [
        (".n + 1", 3),
        ("${ .n + 1 }", 3),
        ("  .n ", 2),
        (".missing", None),
        ("$workflow.id", "run-1"),
        ("5", 5),
        ("true", True),
        ("[.n, 1]", [2, 1]),
        ("range(3; 9)", 3),
        ("Hello World", "Hello World"),
        ("hello", "hello"),
        ("", ""),
        ("  ", "  "),
        ("https://pets.test/1", "https://pets.test/1"),
        (".n.a", ".n.a"),
        ("${ .n.a }", "${ .n.a }"),
        ("env", "env"),
        ("$ENV.PATH", "$ENV.PATH"),
        ("$nobody", "$nobody"),
        ("error", "error"),
        ("reduce me to nothing", "reduce me to nothing"),
        ("Hello ${ .n }", "Hello ${ .n }"),
    ],
)
async def test_a_text_is_what_it_gives_or_itself(text: str, gives: Any) -> None:
    definition = loose({"t": {"set": {"x": [text], "y": 1}}})
    assert await output_of(definition, {"n": 2}) == {"x": [gives], "y": 1}


async def test_from_and_as_may_be_texts() -> None:
    definition = loose(
        {"t": {"input": {"from": ".a"}, "set": "{b: .}", "export": {"as": "no program"}}},
        output={"as": {"out": ".b", "context": "$context"}},
    )
    assert await output_of(definition, {"a": 1}) == {"out": 1, "context": "no program"}


async def test_the_strict_mode_leaves_texts_alone() -> None:
    definition = workflow({"t": {"set": {"x": ".n"}}}, evaluate={"mode": "strict"})
    assert await output_of(definition, {"n": 2}) == {"x": ".n"}


async def test_a_condition_faults_in_the_loose_mode_too() -> None:
    error = await fault_of(loose({"t": {"if": ".n.a", "set": {"x": 1}}}), {"n": 2})
    assert error.type == standard("expression")


def test_an_expression_that_is_marked_must_compile_in_the_loose_mode_too() -> None:
    definition = loose({"t": {"set": {"x": "${ .a | }", "y": ".a |"}}})
    assert faults(definition) == [("invalid-expression", "/do/0/t/set/x")]


def test_half_an_expression_is_warned_of_in_the_loose_mode_too() -> None:
    [found] = check(json.dumps(loose({"t": {"set": {"x": "Hello ${ .a }"}}}))).diagnostics
    assert found.code == "literal-expression"


@pytest.mark.parametrize("evaluate", [[], "loose", {"mode": ["loose"]}])
def test_an_evaluate_of_another_type_is_refused(evaluate: Any) -> None:
    [(code, _)] = faults(workflow(evaluate=evaluate))
    assert code == "wrong-type"
