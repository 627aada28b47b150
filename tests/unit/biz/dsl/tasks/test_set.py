from typing import Any

import pytest

from tests.fixtures.workflows import fault_of, faults, output_of, standard, workflow

INPUT = {"a": 1, "b": {"c": "x"}}


@pytest.mark.parametrize(
    ("value", "output"),
    [
        ({"shape": "circle"}, {"shape": "circle"}),
        ({"n": 1, "f": 1.5, "t": True, "z": None, "l": [1, "x"]},) * 2,
        ({"size": "${ .b }"}, {"size": {"c": "x"}}),
        ({"deep": [{"in": "${ .a + 1 }"}, "as is"]}, {"deep": [{"in": 2}, "as is"]}),
        ({"spaces": "  ${.a}\n"}, {"spaces": 1}),
        ({"lines": "${\n  .a\n  # a comment\n}"}, {"lines": 1}),
        ({"part": "a ${ .a } b"}, {"part": "a ${ .a } b"}),
        ({"bare": ".a"}, {"bare": ".a"}),
        ({"${ .a }": 1}, {"${ .a }": 1}),
        ("${ .b.c }", "x"),
        (".b", {"c": "x"}),
        ("${ [.a, .a] }", [1, 1]),
        ("null", None),
    ],
)
async def test_its_output_is_what_it_sets(value: Any, output: Any) -> None:
    assert await output_of(workflow({"set": {"set": value}}), INPUT) == output


@pytest.mark.parametrize(
    ("value", "code", "pointer"),
    [
        ({}, "empty", ""),
        ([1], "wrong-type", ""),
        (1, "wrong-type", ""),
        (None, "wrong-type", ""),
        ("", "invalid-expression", ""),
        ("${ }", "invalid-expression", ""),
        ({"a": [{"b": "${ .x + }"}]}, "invalid-expression", "/a/0/b"),
        ({"a": "${ .x } and ${ .y }"}, "invalid-expression", "/a"),
    ],
)
def test_what_it_cant_set(value: Any, code: str, pointer: str) -> None:
    assert faults(workflow({"t": {"set": value}})) == [(code, f"/do/0/t/set{pointer}")]


async def test_an_expression_that_fails_faults_the_task() -> None:
    error = await fault_of(workflow({"t": {"set": {"x": "${ .a.b }"}}}), INPUT)
    assert (error.type, error.status) == (standard("expression"), 400)
    assert error.instance == "/do/0/t"
