import json
from datetime import timedelta
from typing import Any

import pytest

from biz.dsl.validator import check
from tests.fixtures.workflows import START, World, fault_of, faults, standard, workflow


@pytest.mark.parametrize(
    ("wait", "seconds"),
    [
        ({"seconds": 10}, 10),
        ({"days": 1, "hours": 1, "minutes": 1, "seconds": 1, "milliseconds": 1}, 90_061.001),
        ("PT1M30S", 90),
        ("${ .iso }", 60),
        ("${ .units }", 2),
        ({"seconds": 0}, 0),
    ],
)
async def test_it_waits_by_the_runs_clock_and_leaves_its_input(wait: Any, seconds: float) -> None:
    world = World()
    input = {"iso": "PT1M", "units": {"seconds": 2}}
    assert await world.run(workflow({"t": {"wait": wait}}), input) == input
    assert world.now - START == timedelta(seconds=seconds)


@pytest.mark.parametrize(
    "value", [5, None, "soon", {"weeks": 1}, {"seconds": 1.5}, {"seconds": -1}, []]
)
async def test_an_expression_that_gives_no_duration_is_an_expression_error(value: Any) -> None:
    error = await fault_of(workflow({"t": {"wait": "${ .d }"}}), {"d": value})
    assert (error.type, error.status, error.instance) == (standard("expression"), 400, "/do/0/t")


@pytest.mark.parametrize(
    ("wait", "code", "pointer"),
    [
        ("soon", "invalid-duration", ""),
        ("", "invalid-duration", ""),
        ({}, "invalid-duration", ""),
        ({"seconds": -1}, "unusable-duration", ""),
        ({"seconds": 1.5}, "invalid-duration", ""),
        ({"seconds": "1"}, "invalid-duration", ""),
        ({"weeks": 1}, "unknown-property", "/weeks"),
        (5, "wrong-type", ""),
        (None, "wrong-type", ""),
        ("${ . | }", "invalid-expression", ""),
    ],
)
def test_what_is_no_wait(wait: Any, code: str, pointer: str) -> None:
    assert faults(workflow({"t": {"wait": wait}})) == [(code, f"/do/0/t/wait{pointer}")]


def test_a_number_is_answered_with_what_will_do() -> None:
    [fault] = check(json.dumps(workflow({"t": {"wait": 5}}))).diagnostics
    assert fault.message == (
        "must be a duration: a text in ISO 8601, such as PT10S, or an object, such as "
        "{seconds: 10}, not a number"
    )
