from typing import Any

import pytest

from tests.fixtures.workflows import Json, fault_of, faults, standard, workflow

TYPE = "https://x.test/errors/out-of-stock"
PLAIN = {"type": TYPE, "status": 409}


def raised(error: Any, **properties: Any) -> Json:
    return workflow({"t": {"raise": {"error": error}}}, **properties)


@pytest.mark.parametrize(
    ("error", "changes"),
    [
        (PLAIN, {}),
        ({**PLAIN, "title": "Out of stock", "detail": "No more pens"},
         {"title": "Out of stock", "detail": "No more pens"}),
        ({**PLAIN, "title": '${ "No \\(.item)" }'}, {"title": "No pens"}),
        ({**PLAIN, "detail": "${ .item }"}, {"detail": "pens"}),
        ({**PLAIN, "title": "", "detail": ""}, {}),
        ({**PLAIN, "instance": "/do/7/other"}, {"instance": "/do/7/other"}),
        ({**PLAIN, "instance": '${ "/do/" + .item }'}, {"instance": "/do/pens"}),
        ({**PLAIN, "status": 500.0}, {"status": 500}),
        ({**PLAIN, "type": "https://x.test/errors/{item}"}, {"type": "https://x.test/errors/pens"}),
        ({**PLAIN, "type": "${ .uri }"}, {"type": TYPE}),
        ({**PLAIN, "type": "about:blank"}, {"type": "about:blank"}),
        ({**PLAIN, "detail": "${ $task.reference }"}, {"detail": "/do/0/t"}),
    ],
)  # fmt: skip
async def test_it_faults_with_its_error(error: Json, changes: Json) -> None:
    found = (await fault_of(raised(error), {"item": "pens", "uri": TYPE})).to_json()
    assert found == {**PLAIN, "instance": "/do/0/t", **changes}


async def test_a_named_error_is_raised_by_its_name() -> None:
    error = await fault_of(raised("gone", use={"errors": {"gone": PLAIN}}))
    assert error.to_json() == {**PLAIN, "instance": "/do/0/t"}


async def test_a_detail_that_is_too_long_is_cut() -> None:
    error = await fault_of(raised({**PLAIN, "detail": "${ .text }"}), {"text": "x" * 5000})
    assert error.detail == "x" * 2000 + "…"


@pytest.mark.parametrize(
    "properties",
    [
        {"title": "${ .none }"},
        {"detail": "${ .item | length }"},
        {"instance": "${ {} }"},
        {"type": "${ .none }"},
        {"type": "${ error }"},
        {"type": "https://x.test/{list}"},
    ],
)
async def test_an_error_that_expressions_dont_give_is_an_expression_error(properties: Json) -> None:
    error = await fault_of(raised({**PLAIN, **properties}), {"item": "pens", "list": [{}]})
    assert (error.type, error.status, error.instance) == (standard("expression"), 400, "/do/0/t")


@pytest.mark.parametrize(
    ("error", "code", "pointer"),
    [
        (None, "wrong-type", ""),
        ({}, "missing-property", ""),
        ({"type": TYPE}, "missing-property", ""),
        ({"status": 400}, "missing-property", ""),
        ({**PLAIN, "type": 5}, "wrong-type", "/type"),
        ({**PLAIN, "type": ""}, "invalid-uri", "/type"),
        ({**PLAIN, "type": "out of stock"}, "invalid-uri", "/type"),
        ({**PLAIN, "type": "https://x.test/{+a}"}, "invalid-uri-template", "/type"),
        ({**PLAIN, "type": "${ . | }"}, "invalid-expression", "/type"),
        ({**PLAIN, "status": "400"}, "wrong-type", "/status"),
        ({**PLAIN, "status": 400.5}, "wrong-type", "/status"),
        ({**PLAIN, "status": True}, "wrong-type", "/status"),
        ({**PLAIN, "title": 5}, "wrong-type", "/title"),
        ({**PLAIN, "title": "${ $output }"}, "unavailable-variable", "/title"),
        ({**PLAIN, "detail": {}}, "wrong-type", "/detail"),
        ({**PLAIN, "details": "x"}, "unknown-property", "/details"),
        ({**PLAIN, "instance": "do/0"}, "invalid-value", "/instance"),
        ({**PLAIN, "instance": 0}, "wrong-type", "/instance"),
        ("nobody", "unknown-reference", ""),
    ],
)
def test_what_is_no_error(error: Any, code: str, pointer: str) -> None:
    assert (code, f"/do/0/t/raise/error{pointer}") in faults(raised(error))


@pytest.mark.parametrize(
    ("task", "code", "pointer"),
    [
        ({"raise": {}}, "missing-property", ""),
        ({"raise": "gone"}, "wrong-type", ""),
        ({"raise": {"error": PLAIN, "when": "."}}, "unknown-property", "/when"),
    ],
)
def test_what_is_no_raise(task: Json, code: str, pointer: str) -> None:
    assert (code, f"/do/0/t/raise{pointer}") in faults(workflow({"t": task}))
