"""Events that together start a workflow: which of them belong together, and when they are all."""

import json
from collections.abc import Sequence
from typing import Any

import pytest

from biz.dsl.events.event import EventRead
from biz.dsl.events.event_sets import MAX_SETS, EventSets
from biz.dsl.events.scope import EmptyScope
from biz.dsl.expressions import EvaluationError
from biz.dsl.sizes import MAX_JSON_BYTES
from biz.dsl.validator import check
from tests.fixtures.workflows import Json, workflow

A, B, END = ({"with": {"type": name}} for name in ("a", "b", "end"))
BY_ORDER = {"order": {"from": "${ .data.order }"}}


class NoEvaluator:
    """Refuses what may not end by itself."""

    async def evaluate(self, program: str, data: str) -> Any:
        raise EvaluationError("it may take too long")


SCOPE = EmptyScope(NoEvaluator())


def sets(on: Json, read: str = "data", state: Sequence[Any] = ()) -> EventSets:
    schedule = check(json.dumps(workflow(schedule={"on": on, "read": read}))).require().schedule
    assert schedule is not None
    assert schedule.on is not None
    return EventSets(schedule.on, EventRead(schedule.read), state)


def event(type: str, data: Any = None) -> Json:
    return {"specversion": "1.0", "id": "1", "source": "/t", "type": type, "data": data}


async def started(on: Json, *events: Json, **options: Any) -> list[Any]:
    """The inputs of the starts; what is under way is stored and read again after each event."""
    inputs, state = [], []
    for each in events:
        waiting = sets(on, state=state, **options)
        if (items := await waiting.offer(each, SCOPE)) is not None:
            inputs.append(items)
        state = json.loads(json.dumps(waiting.state))
    return inputs


async def test_with_one_each_matching_event_is_a_start() -> None:
    assert await started({"one": A}, event("a", 1), event("b"), event("a", 2)) == [[1], [2]]


async def test_with_any_each_event_of_one_filter_is_a_start() -> None:
    events = event("b", 1), event("end"), event("a", 2)
    assert await started({"any": [A, B]}, *events) == [[1], [2]]


async def test_any_of_nothing_is_each_event() -> None:
    assert await started({"any": []}, event("a", 1), event("b", 2)) == [[1], [2]]


async def test_read_says_what_is_taken_of_an_event() -> None:
    assert await started({"one": A}, event("a", 1), read="envelope") == [[event("a", 1)]]
    assert await started({"one": A}, event("a", 1), read="raw") == [["MQ=="]]


async def test_all_takes_an_event_for_each_filter() -> None:
    events = event("a", 1), event("a", 2), event("b", 3), event("b", 4), event("b", 5)
    assert await started({"all": [A, B]}, *events) == [[1, 3], [2, 4]]


async def test_correlated_events_come_together_whatever_lies_between() -> None:
    on = {"all": [{**A, "correlate": BY_ORDER}, {**B, "correlate": BY_ORDER}]}
    events = [event(type, {"order": order}) for type, order in ("a1", "a2", "b3", "b2", "b1")]
    orders = [[item["order"] for item in items] for items in await started(on, *events)]
    assert orders == [["2", "2"], ["1", "1"]]


async def test_until_a_condition_holds_all_are_taken() -> None:
    on = {"any": [A], "until": "${ length == 2 }"}
    events = [event("a", number) for number in range(5)]
    assert await started(on, *events) == [[0, 1], [2, 3]]


async def test_until_an_event_comes_all_are_taken() -> None:
    on = {"any": [A], "until": {"one": END}}
    events = event("end"), event("a", 1), event("a", 2), event("end"), event("end")
    assert await started(on, *events) == [[1, 2]]


async def test_until_several_events_come_all_are_taken() -> None:
    on = {"any": [A], "until": {"all": [B, END]}}
    events = event("a", 1), event("end"), event("a", 2), event("b")
    assert await started(on, *events) == [[1, 2]]


@pytest.mark.parametrize("until", ["${ .[0].missing.deep | error }", "${ [range(1e9)] }"])
async def test_a_condition_that_fails_leaves_the_event_out(until: str) -> None:
    waiting = sets({"any": [A], "until": until})
    with pytest.raises(EvaluationError):
        await waiting.offer(event("a", 1), SCOPE)
    assert waiting.state == []


async def test_a_filter_that_fails_leaves_the_event_out() -> None:
    waiting = sets({"all": [{"with": {"type": "a", "data": "${ .x + 1 == 2 }"}}, B]})
    with pytest.raises(EvaluationError):
        await waiting.offer(event("a", {"x": {}}), SCOPE)
    assert await waiting.offer(event("a", {"x": 1}), SCOPE) is None
    assert await waiting.offer(event("b", 2), SCOPE) == [{"x": 1}, 2]


async def test_the_oldest_of_too_many_sets_is_given_up() -> None:
    waiting = sets({"all": [A, B]})
    for number in range(MAX_SETS + 1):
        await waiting.offer(event("a", number), SCOPE)
    assert len(waiting.state) == MAX_SETS
    assert await waiting.offer(event("b", "b"), SCOPE) == [1, "b"]


async def test_sets_that_grow_too_large_are_given_up() -> None:
    waiting = sets({"any": [A], "until": {"one": END}})
    for _ in range(3):
        await waiting.offer(event("a", "x" * (MAX_JSON_BYTES // 2)), SCOPE)
    assert len(waiting.state) == 1
    assert len(waiting.state[0]["items"]) == 1
