"""Values as JSON: how deep, and which numbers."""

import json
from typing import Any

import httpx
import pytest

from tests.fixtures.refusals import refusal


def nested(levels: int, *, of: str = "object") -> str:
    """JSON with so many levels of objects, or of arrays."""
    opening, closing = ('{"a":', "}") if of == "object" else ("[", "]")
    return opening * levels + "1" + closing * levels


@pytest.mark.parametrize("of", ["object", "array"])
@pytest.mark.parametrize("levels", [1, 31, 32])
def test_values_of_up_to_32_levels_go_both_ways(http: httpx.Client, levels: int, of: str) -> None:
    value = nested(levels, of=of)
    answer = http.post("/api/v1/executions", content=f'{{"input":{value}}}')
    assert answer.status_code == 200, answer.text
    assert answer.json()["execution"]["output"] == json.loads(value)


@pytest.mark.parametrize("of", ["object", "array"])
@pytest.mark.parametrize("levels", [33, 34, 40, 100, 1000, 100_000])
def test_deeper_values_are_refused(http: httpx.Client, levels: int, of: str) -> None:
    for path, body in (
        ("/api/v1/executions", f'{{"input":{nested(levels, of=of)}}}'),
        ("/api/v1/executions/abc:signal", nested(levels, of=of)),
    ):
        answer = refusal(http.post(path, content=body))
        assert (answer.status, answer.code, answer.reason) == (400, 3, "INVALID_ARGUMENT")


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999", "-1e999", "0x10"])
@pytest.mark.parametrize("body", ['{"input":%s}', '{"input":{"a":[%s]}}'])
def test_what_is_no_number_is_refused(http: httpx.Client, number: str, body: str) -> None:
    answer = refusal(http.post("/api/v1/executions", content=body % number))
    assert (answer.status, answer.code, answer.reason) == (400, 3, "INVALID_ARGUMENT")


@pytest.mark.parametrize(
    "value",
    [
        None,
        True,
        0,
        -1,
        1.5,
        1e-9,
        2**53 - 1,
        "",
        "NaN",
        "1e999",
        '€ \n"\\',
        [],
        {},
        [None],
        {"": 1},
    ],
)
def test_other_values_come_back_as_they_were(http: httpx.Client, value: Any) -> None:
    answer = http.post("/api/v1/executions", json={"input": value})
    assert answer.json()["execution"]["output"] == value


def test_whole_numbers_are_printed_whole(http: httpx.Client) -> None:
    answer = http.post("/api/v1/executions", content='{"input":[1.0, 1e3, 9007199254740991]}')
    assert '"output":[1,1000,9007199254740991]' in answer.text


@pytest.mark.parametrize(
    "number", ["9007199254740992", "9007199254740993", "-1e300", "12345678901234567890"]
)
def test_a_whole_number_that_would_change_is_refused(http: httpx.Client, number: str) -> None:
    answer = refusal(http.post("/api/v1/executions", content=f'{{"input":{{"a":{number}}}}}'))
    assert (answer.status, answer.reason) == (400, "INVALID_ARGUMENT")
    (violation,) = answer.details[1]["field_violations"]
    assert (violation["field"], violation["reason"]) == ("input#/a", "INEXACT_NUMBER")
