from typing import Any

import pytest

from tests.fixtures.workflows import Json, fault_of, faults, output_of, standard, workflow

COLOURS = [
    {"red": {"when": '.colour == "red"', "then": "stop"}},
    {"green": {"when": '${ .colour == "green" }', "then": "mix"}},
]
OTHER = {"other": {"then": "paint"}}


def sample(*cases: Json, **properties: Any) -> Json:
    return workflow(
        {"choose": {"switch": list(cases), **properties}},
        {"next": {"set": {"went": "next"}, "then": "end"}},
        {"stop": {"set": {"went": "stop"}, "then": "end"}},
        {"mix": {"set": {"went": "mix"}, "then": "end"}},
        {"paint": {"set": {"went": "paint"}, "then": "end"}},
    )


@pytest.mark.parametrize(
    ("cases", "colour", "went"),
    [
        (COLOURS, "red", "stop"),
        (COLOURS, "green", "mix"),
        (COLOURS, "blue", "next"),
        ([*COLOURS, OTHER], "blue", "paint"),
        ([OTHER, *COLOURS], "green", "mix"),
        ([OTHER], "red", "paint"),
        ([{"first": {"when": "1", "then": "mix"}}, *COLOURS], "red", "mix"),
        ([{"never": {"when": "null", "then": "mix"}}, *COLOURS], "red", "stop"),
    ],
)
async def test_the_first_case_that_matches_says_where_to_go(
    cases: list[Json], colour: str, went: str
) -> None:
    assert await output_of(sample(*cases), {"colour": colour}) == {"went": went}


async def test_its_output_is_its_transformed_input() -> None:
    definition = workflow(
        {"s": {"switch": [OTHER], "input": {"from": ".a"}}}, {"paint": {"do": []}}
    )
    assert await output_of(definition, {"a": 5}) == 5


async def test_a_condition_that_fails_faults_the_task() -> None:
    error = await fault_of(sample({"c": {"when": ".a.b", "then": "end"}}), {"a": 1})
    assert (error.type, error.instance) == (standard("expression"), "/do/0/choose")


@pytest.mark.parametrize(
    ("switch", "code", "pointer"),
    [
        ([], "empty", ""),
        ({"a": {"then": "end"}}, "wrong-type", ""),
        (["end"], "wrong-type", "/0"),
        ([{}], "invalid-value", "/0"),
        ([{"a": {"then": "end"}, "b": {"then": "end"}}], "invalid-value", "/0"),
        ([{"a": "end"}], "wrong-type", "/0/a"),
        ([{"a": {"when": ".x"}}], "missing-property", "/0/a"),
        ([{"a": {"when": True, "then": "end"}}], "wrong-type", "/0/a/when"),
        ([{"a": {"when": "", "then": "end"}}], "invalid-expression", "/0/a/when"),
        ([{"a": {"then": 1}}], "wrong-type", "/0/a/then"),
        ([{"a": {"then": "end", "do": []}}], "unknown-property", "/0/a/do"),
        ([{"a": {"then": "end"}}, {"b": {"then": "end"}}], "unusable-value", ""),
        ([{"a": {"when": ".", "then": "end"}}, {"a": {"then": "end"}}], "duplicate-name", "/1"),
    ],
)
def test_what_is_no_switch(switch: Any, code: str, pointer: str) -> None:
    assert faults(workflow({"t": {"switch": switch}})) == [(code, f"/do/0/t/switch{pointer}")]
