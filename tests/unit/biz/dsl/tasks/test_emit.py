from typing import Any

import pytest

from tests.fixtures.workflows import Json, World, fault_of, faults, output_of, standard, workflow


def emit(properties: Any, **common: Any) -> Json:
    return workflow({"tell": {"emit": {"event": {"with": properties}}, **common}})


async def test_what_the_author_leaves_out_is_filled_in() -> None:
    assert await output_of(emit({"type": "order.placed", "data": {"id": 7}})) == {
        "specversion": "1.0",
        "id": "run-1:/do/0/tell:1",
        "source": "/test/sample/0.1.0",
        "time": "2025-01-02T03:04:05.678Z",
        "type": "order.placed",
        "data": {"id": 7},
    }


async def test_what_the_author_gives_stays() -> None:
    given = {
        "specversion": "1.0",
        "id": "a",
        "source": "https://shop.example",
        "time": "2024-02-29T00:00:00+01:00",
        "type": "order.placed",
        "subject": "7",
        "datacontenttype": "text/plain",
        "dataschema": "https://shop.example/schema",
        "priority": 3,
        "urgent": True,
        "data": "hello",
    }
    assert await output_of(emit(given)) == given


async def test_expressions_and_templates_are_evaluated_on_its_input() -> None:
    event = await output_of(
        emit(
            {
                "type": '${ "order." + .what }',
                "source": "https://shop.example/{region}",
                "subject": "${ .nothing }",
                "data": {"greeting": '${ "Hello \\(.name)" }'},
            }
        ),
        {"what": "placed", "region": "eu", "name": "Ann"},
    )
    assert event["type"] == "order.placed"
    assert event["source"] == "https://shop.example/eu"
    assert event["data"] == {"greeting": "Hello Ann"}
    assert "subject" not in event


async def test_each_event_has_an_id_of_its_own_that_a_repeat_has_too() -> None:
    tell = {"tell": {"emit": {"event": {"with": {"type": "t"}}}}}
    definition = workflow({"each": {"for": {"in": "[1, 2]"}, "do": [tell]}}, tell)
    first, again = World(), World()
    await first.run(definition, {})
    await again.run(definition, {})
    assert len({event["id"] for event in first.emitted}) == 3
    assert first.emitted == again.emitted


async def test_binary_data_is_base64() -> None:
    event = await output_of(emit({"type": "t", "data_base64": "aGk="}))
    assert event["data_base64"] == "aGk="


@pytest.mark.parametrize(
    ("properties", "words"),
    [
        ({"type": "${ 1 }"}, '"type" must be a string, not a number'),
        ({"type": "${ null }"}, '"type" is missing'),
        ({"type": '${ "" }'}, '"type" must not be empty'),
        ({"type": "t", "time": '${ "yesterday" }'}, '"time" must be a time of RFC 3339'),
        ({"type": "t", "time": "${ 7 }"}, '"time" must be a time of RFC 3339'),
        ({"type": "t", "time": '${ "2025-02-30T00:00:00Z" }'}, '"time" must be a time'),
        ({"type": "t", "source": '${ "a b" }'}, '"source" must be a URI'),
        ({"type": "t", "id": "${ [] }"}, '"id" must be a string, not an array'),
        ({"type": "t", "specversion": "0.3"}, '"specversion" must be "1.0"'),
        ({"type": "t", "ratio": "${ 1.5 }"}, '"ratio" a number must be a whole one'),
        ({"type": "t", "more": "${ {} }"}, '"more" must be a string, a whole number'),
        ({"type": "t", "more": '${ "a\\nb" }'}, '"more" must not hold control characters'),
        ({"type": "t", "data": 1, "data_base64": "aGk="}, '"data_base64" must not stand beside'),
        ({"type": "t", "data_base64": "?"}, '"data_base64" must be base64'),
        ({"type": "t", "data_base64": "${ 1 }"}, '"data_base64" must be base64'),
        ({"type": "t", "data": "${ error }"}, ""),
        ({"type": "t", "source": "x/{a}"}, "{a} must be a string"),
    ],
)
async def test_what_no_event_can_have_is_an_expression_error(properties: Json, words: str) -> None:
    error = await fault_of(emit(properties), {"a": []})
    assert (error.type, error.instance) == (standard("expression"), "/do/0/tell")
    assert words in error.detail


@pytest.mark.parametrize(
    ("event", "code", "pointer"),
    [
        ({}, "invalid-event", ""),
        (1, "wrong-type", ""),
        ({"with": {}}, "missing-property", "/with"),
        ({"with": []}, "wrong-type", "/with"),
        ({"with": {"type": "t"}, "extra": 1}, "ignored-property", "/extra"),
        ({"with": {"type": 1}}, "wrong-type", "/with/type"),
        ({"with": {"type": ""}}, "invalid-event", "/with/type"),
        ({"with": {"type": "t", "time": "soon"}}, "invalid-value", "/with/time"),
        ({"with": {"type": "t", "source": "a b"}}, "invalid-uri", "/with/source"),
        ({"with": {"type": "t", "source": "{+a}"}}, "invalid-uri-template", "/with/source"),
        ({"with": {"type": "t", "dataschema": 1}}, "wrong-type", "/with/dataschema"),
        ({"with": {"type": "t", "order-id": 1}}, "invalid-event", "/with/order-id"),
        ({"with": {"type": "t", "order": {}}}, "invalid-event", "/with/order"),
        ({"with": {"type": "t", "data": "${ . | }"}}, "invalid-expression", "/with/data"),
    ],
)
def test_what_is_wrong_is_told_when_it_is_saved(event: Any, code: str, pointer: str) -> None:
    definition = workflow({"tell": {"emit": {"event": event}}})
    assert faults(definition) == [(code, f"/do/0/tell/emit/event{pointer}")]
