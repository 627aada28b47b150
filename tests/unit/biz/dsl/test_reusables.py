"""Components under `use`: read where they are used, with what there is at that place."""

import json
from typing import Any

import pytest

from biz.dsl.validator import check
from tests.fixtures.workflows import Json, faults, output_of, workflow

FAIL: Json = {"fail": {"raise": {"error": "bad"}}}
ERRORS: Json = {"bad": {"type": "https://x.test/bad", "status": 500, "title": "${ .title }"}}


def retrying(name: str, **catch: Any) -> Json:
    return {name: {"try": [FAIL], "catch": {"retry": "again", **catch}}}


@pytest.mark.parametrize(
    ("kind", "task"),
    [
        ("errors", {"raise": {"error": "nobody"}}),
        ("retries", {"try": [], "catch": {"retry": "nobody"}}),
        ("timeouts", {"set": "1", "timeout": "nobody"}),
    ],
)
def test_a_name_that_isnt_there(kind: str, task: Json) -> None:
    [found] = check(json.dumps(workflow({"t": task}))).errors
    assert (found.code, found.message) == ("unknown-reference", f'use.{kind} has no "nobody"')
    sample: Json = {"errors": ERRORS["bad"], "retries": {}, "timeouts": {"after": "PT1S"}}[kind]
    use = {kind: {"nobody2": sample, "else": sample}}
    [found] = check(json.dumps(workflow({"t": task}, use=use))).errors
    assert found.message.endswith('; did you mean "nobody2"?')
    use = {kind: {"x": sample, "y": sample}}
    [found] = check(json.dumps(workflow({"t": task}, use=use))).errors
    assert found.message.endswith("; it has x, y")


async def test_an_expression_sees_what_there_is_at_the_place_of_its_use() -> None:
    show = {"show": {"set": "${ $error.title }"}}
    both = workflow(
        {"t": {"try": [FAIL], "catch": {"do": [show]}, "input": {"from": "{title: .first}"}}},
        use={"errors": ERRORS},
    )
    assert await output_of(both, {"first": "A"}) == "A"


def test_it_is_wrong_where_it_is_used_in_a_place_without_its_variables() -> None:
    use = {"errors": ERRORS, "retries": {"again": {"when": "$oops.status == 500"}}}
    assert not faults(workflow(retrying("a", **{"as": "oops"}), use=use))
    assert faults(workflow(retrying("a", **{"as": "oops"}), retrying("b"), use=use)) == [
        ("unavailable-variable", "/use/retries/again/when")
    ]


@pytest.mark.parametrize(
    ("use", "found"),
    [
        ({"retries": {"r": {"when": "$oops.status == 500"}}}, []),
        ({"retries": {"r": {"when": "$error.status | "}}},
         [("invalid-expression", "/use/retries/r/when")]),
        ({"retries": {"r": {"when": "$ENV"}}}, [("forbidden-function", "/use/retries/r/when")]),
        ({"retries": {"r": None}}, [("wrong-type", "/use/retries/r")]),
        ({"errors": {"e": {"type": "x"}}}, [("missing-property", "/use/errors/e")]),
        ({"timeouts": {"t": {"after": "soon"}}}, [("invalid-duration", "/use/timeouts/t/after")]),
        ({"timeouts": {"t": {"after": "${ $oops }"}}},
         [("unavailable-variable", "/use/timeouts/t/after")]),
    ],
)  # fmt: skip
def test_what_nothing_uses_is_checked_too(use: Json, found: list[tuple[str, str]]) -> None:
    assert faults(workflow(use=use)) == found


def test_what_many_use_is_told_once() -> None:
    use = {"errors": ERRORS, "retries": {"again": {"delay": "soon"}}}
    assert faults(workflow(retrying("a"), retrying("b"), use=use)) == [
        ("invalid-duration", "/use/retries/again/delay")
    ]
