from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest

from biz.dsl.virtual_time import Stalled
from tests.fixtures.workflows import (
    START,
    Json,
    World,
    fault_of,
    faults,
    output_of,
    standard,
    workflow,
)

SECOND = timedelta(seconds=1)


def event(type: str = "t", data: Any = None, **attributes: Any) -> Json:
    """An event with an id of its own."""
    event.count = getattr(event, "count", 0) + 1  # type: ignore[attr-defined]
    known = {"specversion": "1.0", "id": f"e{event.count}", "source": "/x", "type": type}  # type: ignore[attr-defined]
    return {**known, "data": data, **attributes}


def listen(to: Json, **properties: Any) -> Json:
    read = {"read": properties.pop("read")} if "read" in properties else {}
    return workflow({"wait": {"listen": {"to": to, **read}, **properties}})


def at_each_second(*events: Json) -> Sequence[tuple[timedelta, Json]]:
    return [(number * SECOND, found) for number, found in enumerate(events, start=1)]


async def heard(to: Json, *events: Json, input: Any = None, **properties: Any) -> Any:
    """What a listen gives, with an event each second."""
    world = World(events=at_each_second(*events))
    return await world.run(listen(to, **properties), {} if input is None else input)


def of_type(type: str, **more: Any) -> Json:
    return {"with": {"type": type, **more}}


class TestStrategies:
    async def test_one_event(self) -> None:
        found = await heard({"one": of_type("b")}, event("a", 1), event("b", 2), event("b", 3))
        assert found == [2]

    async def test_any_of_several(self) -> None:
        to = {"any": [of_type("a"), of_type("b")]}
        assert await heard(to, event("c", 0), event("b", 2), event("a", 1)) == [2]

    async def test_any_at_all(self) -> None:
        assert await heard({"any": []}, event("c", 0), event("b", 1)) == [0]

    async def test_all_of_them_in_the_order_of_their_coming(self) -> None:
        to = {"all": [of_type("a"), of_type("b")]}
        found = await heard(to, event("b", 1), event("b", 2), event("c", 3), event("a", 4))
        assert found == [1, 4]

    async def test_all_of_none(self) -> None:
        assert await heard({"all": []}) == []

    async def test_the_same_filter_twice_takes_two_events(self) -> None:
        to = {"all": [of_type("a"), of_type("a")]}
        assert await heard(to, event("a", 1), event("a", 2)) == [1, 2]

    async def test_until_a_condition_on_what_was_read(self) -> None:
        to = {"any": [], "until": "( . | length ) > 3 # four"}
        assert await heard(to, *(event(data=n) for n in range(6))) == [0, 1, 2, 3]

    async def test_until_an_event_that_isnt_in_the_output(self) -> None:
        to = {"any": [], "until": {"one": of_type("end")}}
        assert await heard(to, event(data=1), event(data=2), event("end", 3)) == [1, 2]

    async def test_until_all_of_several_events(self) -> None:
        to = {"any": [of_type("t")], "until": {"all": [of_type("x"), of_type("y")]}}
        events = event("x"), event(data=1), event("x"), event("y"), event(data=2)
        assert await heard(to, *events) == [1]

    async def test_it_ends_with_the_event_that_it_waits_for(self) -> None:
        world = World(events=at_each_second(event("a"), event("b")))
        await world.run(listen({"one": of_type("b")}), {})
        assert world.now == START + 2 * SECOND

    async def test_nothing_to_come_stalls(self) -> None:
        with pytest.raises(Stalled):
            await heard({"one": of_type("b")}, event("a"))


class TestFilters:
    @pytest.mark.parametrize(
        ("wanted", "matches"),
        [
            ({"type": "com.x.y"}, True),
            ({"type": "com.x"}, False),
            ({"type": "com-x-y"}, False),
            ({"type": "com\\.x\\..+"}, True),
            ({"type": "com.x.(a|y)"}, True),
            ({"type": "x.*"}, False),
            ({"type": "com.x(.y"}, False),
            ({"type": "com", "id": "?"}, False),
            ({"source": "/x"}, True),
            ({"source": "/x*(a"}, False),
            ({"subject": "s"}, False),
            ({"priority": 3}, True),
            ({"priority": 3.0}, True),
            ({"priority": True}, False),
            ({"priority": "3"}, False),
            ({"priority": "[0-9]"}, False),
            ({"urgent": True}, True),
            ({"urgent": 1}, False),
            ({"type": '${ startswith("com.") }'}, True),
            ({"type": '${ "com." + $input.kind }'}, True),
            ({"type": "${ $input.kind }"}, False),
            ({"missing": "${ true }"}, False),
            ({"data": {"a": 1}}, True),
            ({"data": {"a": 2}}, False),
            ({"data": {"z": 1}}, False),
            ({"data": {"a": "${ . > 0 }", "b": ["x.*", {"c": None}]}}, True),
            ({"data": {"b": ["xy"]}}, False),
            ({"data": {"b": ["xy", {"c": False}]}}, False),
            ({"data": {"b": {}}}, False),
            ({"data": "${ .a == 1 and .b[0] == \"xy\" }"}, True),
            ({"data": "${ .a > 1 }"}, False),
            ({"data": "${ $input.data }"}, True),
            ({"data": []}, False),
            ({"data": "x"}, False),
        ],
    )  # fmt: skip
    async def test_each_attribute_must_be_like_that(self, wanted: Json, matches: bool) -> None:
        data = {"a": 1, "b": ["xy", {"c": None}]}
        found = event("com.x.y", data, priority=3, urgent=True)
        run = heard({"one": {"with": wanted}}, found, input={"kind": "x.y", "data": data})
        if matches:
            assert await run == [data]
        else:
            with pytest.raises(Stalled):
                await run

    async def test_data_in_base64_is_read_by_its_type(self) -> None:
        found = event(data_base64="eyJhIjoxfQ==", datacontenttype="application/vnd.x+json")
        del found["data"]
        assert await heard({"one": {"with": {"data": {"a": 1}}}}, found) == [{"a": 1}]

    async def test_an_expression_that_fails_is_an_expression_error(self) -> None:
        definition = listen({"any": [of_type("t", data="${ .a.b }")]})
        with pytest.raises(Exception, match="Cannot index number") as raised:
            await World(events=at_each_second(event(data={"a": 1}))).run(definition, {})
        error = raised.value.error  # type: ignore[attr-defined]
        assert (error.type, error.instance) == (standard("expression"), "/do/0/wait")

    async def test_an_attribute_that_is_compared_is_asked_first(self) -> None:
        to = {"one": {"with": {"data": "${ .a.b }", "type": "t"}}}
        assert await heard(to, event("u", {"a": 1}), event("t", {"a": {"b": True}})) == [
            {"a": {"b": True}}
        ]


class TestCorrelations:
    async def test_the_first_event_says_what_the_others_must_have(self) -> None:
        correlate = {"room": {"from": ".roomid"}}
        to = {"all": [{**of_type(name), "correlate": correlate} for name in ("warm", "wet")]}
        events = (
            event("warm", 1, roomid="a"),
            event("wet", 2, roomid="b"),
            event("wet", 3),
            event("wet", 4, roomid="a"),
        )
        assert await heard(to, *events) == [1, 4]

    @pytest.mark.parametrize("expect", ["a", "${ .room }", "${ $input.room }"])
    async def test_what_is_expected(self, expect: str) -> None:
        one = {**of_type("t"), "correlate": {"room": {"from": ".data.room", "expect": expect}}}
        events = event(data={"room": "b"}), event(data={}), event(data={"room": "a"})
        assert await heard({"one": one}, *events, input={"room": "a"}) == [{"room": "a"}]

    async def test_an_end_is_correlated_too(self) -> None:
        correlate = {"order": {"from": ".order"}}
        to = {
            "any": [{**of_type("item"), "correlate": correlate}],
            "until": {"one": {**of_type("closed"), "correlate": correlate}},
        }
        events = (
            event("item", 1, order="a"),
            event("closed", 2, order="b"),
            event("item", 3, order="b"),
            event("item", 4, order="a"),
            event("closed", 5, order="a"),
        )
        assert await heard(to, *events) == [1, 4]


class TestReading:
    @pytest.mark.parametrize(
        ("read", "data", "more", "output"),
        [
            ("data", {"a": 1}, {}, {"a": 1}),
            ("data", None, {}, None),
            ("raw", {"a": "é"}, {}, "eyJhIjoiw6kifQ=="),
            ("raw", "hi", {}, "ImhpIg=="),
            ("raw", "hi", {"datacontenttype": "text/plain"}, "aGk="),
            ("raw", None, {"data_base64": "aGk="}, "aGk="),
            ("data", None, {"data_base64": "aGk="}, "aGk="),
            ("data", None, {"data_base64": "aGk=", "datacontenttype": "text/plain"}, "hi"),
            ("data", None, {"data_base64": "/w==", "datacontenttype": "text/plain"}, "/w=="),
            ("data", None, {"data_base64": "aGk=", "datacontenttype": "image/png"}, "aGk="),
        ],
    )
    async def test_what_of_an_event_is_read(
        self, read: str, data: Any, more: Json, output: Any
    ) -> None:
        assert await heard({"any": []}, event(data=data, **more), read=read) == [output]

    async def test_the_envelope(self) -> None:
        found = event(data=1, subject="s")
        assert await heard({"any": []}, found, read="envelope") == [found]


class TestForeach:
    async def test_each_event_is_processed_before_the_next(self) -> None:
        tasks = [
            {"rest": {"wait": {"seconds": 5}}},
            {"note": {"set": "${ {n: $event, i: $i, now: .} }"}},
        ]
        to = {"any": [], "until": "length == 2"}
        foreach = {"item": "event", "at": "i", "do": tasks}
        world = World(events=at_each_second(event(data=7), event(data=8), event(data=9)))
        assert await world.run(listen(to, foreach=foreach), {"room": 1}) == [
            {"n": 7, "i": 0, "now": {"room": 1}},
            {"n": 8, "i": 1, "now": {"room": 1}},
        ]
        assert world.now == START + 11 * SECOND

    async def test_output_and_export_of_each(self) -> None:
        foreach = {
            "do": [{"double": {"set": "${ {twice: ($item * 2)} }"}}],
            "output": {"as": ".twice + $index"},
            "export": {"as": "{sum: ($context.sum + $output)}"},
        }
        to = {"any": [], "until": "${ $context.sum > 15 and length == 3 }"}
        definition = listen(to, foreach=foreach, output={"as": "{list: ., sum: $context.sum}"})
        world = World(events=at_each_second(*(event(data=n) for n in (3, 4, 5))))
        assert await world.run(definition, {"sum": 0}) == {"list": [6, 9, 12], "sum": 27}

    async def test_its_output_schema(self) -> None:
        foreach = {"output": {"schema": {"document": {"type": "string"}}}}
        world = World(events=at_each_second(event(data=1)))
        with pytest.raises(Exception, match="breaks its schema") as raised:
            await world.run(listen({"any": []}, foreach=foreach), {})
        assert raised.value.error.type == standard("validation")  # type: ignore[attr-defined]

    async def test_a_task_in_it_ends_the_workflow(self) -> None:
        foreach = {"do": [{"stop": {"set": {"x": 1}, "then": "end"}}]}
        definition = listen({"any": [], "until": "false"}, foreach=foreach)
        definition["do"].append({"never": {"set": {"y": 1}}})
        assert await World(events=at_each_second(event())).run(definition, {}) == {"x": 1}

    async def test_a_fault_in_it_names_the_task_without_the_iteration(self) -> None:
        foreach = {"do": [{"bad": {"set": "${ $item | error }"}}]}
        world = World(events=at_each_second(event(data="x")))
        with pytest.raises(Exception, match="x") as raised:
            await world.run(listen({"any": []}, foreach=foreach), {})
        assert raised.value.error.instance == "/do/0/wait/foreach/do/0/bad"  # type: ignore[attr-defined]


class TestWhichEvents:
    async def test_one_that_came_before_it_listens(self) -> None:
        definition = listen({"one": of_type("t")})
        definition["do"].insert(0, {"rest": {"wait": {"seconds": 10}}})
        world = World(events=at_each_second(event(data=1)))
        assert await world.run(definition, {}) == [1]
        assert world.now == START + 10 * SECOND

    async def test_an_event_serves_one_listen_of_a_run(self) -> None:
        ear = {"listen": {"to": {"any": []}}}
        definition = workflow({"a": {**ear, "export": {"as": "."}}}, {"b": ear})
        definition["output"] = {"as": "$context + ."}
        world = World(events=at_each_second(event(data=1), event(data=2)))
        assert await world.run(definition, {}) == [1, 2]

    async def test_what_one_listen_leaves_another_finds(self) -> None:
        first = {"listen": {"to": {"one": of_type("b")}}, "export": {"as": "."}}
        second = {"listen": {"to": {"one": of_type("a|b")}}}
        world = World(events=at_each_second(event("a", 1), event("b", 2)))
        definition = workflow({"first": first}, {"second": second})
        definition["output"] = {"as": "[$context, .]"}
        assert await world.run(definition, {}) == [[2], [1]]

    async def test_branches_share_out_the_events(self) -> None:
        ear = {"listen": {"to": {"one": of_type("t")}}}
        definition = workflow({"both": {"fork": {"branches": [{"a": ear}, {"b": ear}]}}})
        world = World(events=at_each_second(event(data=1), event(data=2)))
        assert sorted(await world.run(definition, {})) == [[1], [2]]

    async def test_an_event_that_the_run_emits(self) -> None:
        tell = {"emit": {"event": {"with": {"type": "t", "data": 5}}}}
        branches = [{"ear": {"listen": {"to": {"one": of_type("t")}}}}, {"tell": tell}]
        definition = workflow({"both": {"fork": {"branches": branches}}}, output={"as": ".[0]"})
        assert await output_of(definition) == [5]

    async def test_the_same_event_counts_once(self) -> None:
        twice = event(data=1)
        to = {"any": [], "until": "length == 2"}
        assert await heard(to, twice, twice, event(data=2)) == [1, 2]

    async def test_it_times_out(self) -> None:
        error = await fault_of(listen({"any": []}, timeout={"after": {"seconds": 5}}))
        assert (error.type, error.instance) == (standard("timeout"), "/do/0/wait")

    async def test_it_loses_a_race(self) -> None:
        ear = {"listen": {"to": {"any": []}}}
        branches = [{"ear": ear}, {"rest": {"wait": {"seconds": 1}}}]
        definition = workflow({"race": {"fork": {"compete": True, "branches": branches}}})
        assert await output_of(definition, {"x": 1}) == {"x": 1}


@pytest.mark.parametrize(
    ("to", "code", "pointer"),
    [
        ({}, "invalid-value", ""),
        ([], "wrong-type", ""),
        ({"one": of_type("t"), "any": []}, "invalid-value", ""),
        ({"one": of_type("t"), "until": "true"}, "invalid-value", "/until"),
        ({"any": {}}, "wrong-type", "/any"),
        ({"one": []}, "wrong-type", "/one"),
        ({"one": {}}, "missing-property", "/one"),
        ({"one": {"with": {}}}, "empty", "/one/with"),
        ({"one": {"with": {"type": 1}}}, "wrong-type", "/one/with/type"),
        ({"one": {"with": {"source": 1}}}, "wrong-type", "/one/with/source"),
        ({"one": {"with": {"source": "a b"}}}, "invalid-uri", "/one/with/source"),
        ({"one": {"with": {"time": "soon"}}}, "invalid-value", "/one/with/time"),
        ({"one": {"with": {"data": "${ . | }"}}}, "invalid-expression", "/one/with/data"),
        ({"one": {**of_type("t"), "x": 1}}, "unknown-property", "/one/x"),
        (
            {"one": {**of_type("t"), "correlate": {"a": {}}}},
            "missing-property",
            "/one/correlate/a",
        ),
        ({"one": {**of_type("t"), "correlate": {"a": 1}}}, "wrong-type", "/one/correlate/a"),
        (
            {"one": {**of_type("t"), "correlate": {"a": {"from": ".", "x": 1}}}},
            "ignored-property",
            "/one/correlate/a/x",
        ),
        (
            {"any": [], "until": {"any": [], "until": "true"}},
            "invalid-value",
            "/until/until",
        ),
        ({"any": [], "until": 1}, "wrong-type", "/until"),
        ({"any": [], "until": "$no"}, "unavailable-variable", "/until"),
    ],
)
def test_what_is_wrong_is_told_when_it_is_saved(to: Any, code: str, pointer: str) -> None:
    assert faults(listen(to)) == [(code, f"/do/0/wait/listen/to{pointer}")]


@pytest.mark.parametrize(
    ("foreach", "code", "pointer"),
    [
        ({"item": "a b"}, "invalid-variable", "/item"),
        ({"item": "a", "at": "a"}, "invalid-variable", ""),
        ({"do": [{"a": {"set": "${ $other }"}}]}, "unavailable-variable", "/do/0/a/set"),
        ({"output": {"as": "$output"}}, "unavailable-variable", "/output/as"),
        ({"each": "a"}, "unknown-property", "/each"),
    ],
)
def test_what_is_wrong_with_an_iterator_is_told(foreach: Json, code: str, pointer: str) -> None:
    definition = listen({"any": []}, foreach=foreach)
    assert faults(definition) == [(code, f"/do/0/wait/foreach{pointer}")]


def test_an_unknown_reading_is_told() -> None:
    assert faults(listen({"any": []}, read="all")) == [("invalid-value", "/do/0/wait/listen/read")]
