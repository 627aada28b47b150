"""The outline of each kind of task, and of what is around them."""

from collections.abc import Callable
from typing import Any

import pytest

from biz.pictures.outline import Exit, Outline, Role

Outlined = Callable[..., Outline]
NOTHING = {"set": {"a": 1}}


def get(uri: str = "https://x.example.com/{id}") -> Any:
    return {"call": "http", "with": {"method": "get", "endpoint": uri}}


@pytest.mark.parametrize(
    ("task", "what", "detail"),
    [
        (get(), "call http", "GET https://x.example.com/{id}"),
        (
            {"call": "http", "with": {"method": "post", "endpoint": {"uri": "${ .shop }"}}},
            "call http",
            "POST .shop",
        ),
        (
            {
                "call": "grpc",
                "with": {
                    "proto": {"endpoint": "file:///p.proto"},
                    "service": {"name": "Greeter", "host": "h"},
                    "method": "Hello",
                },
            },
            "call grpc",
            "Greeter/Hello",
        ),
        (
            {
                "call": "openapi",
                "with": {"document": {"endpoint": "https://x/d.json"}, "operationId": "find"},
            },
            "call openapi",
            "find",
        ),
        (
            {
                "call": "asyncapi",
                "with": {
                    "document": {"endpoint": "https://x/d.json"},
                    "operation": "send",
                    "message": {"payload": {}},
                },
            },
            "call asyncapi",
            "publish send",
        ),
        (
            {
                "call": "mcp",
                "with": {
                    "method": "tools/call",
                    "parameters": {"name": "add", "arguments": {}},
                    "transport": {"http": {"endpoint": "https://x"}},
                },
            },
            "call mcp",
            "tools/call add",
        ),
        (
            {"call": "a2a", "with": {"server": "https://x", "method": "tasks/list"}},
            "call a2a",
            "tasks/list",
        ),
        ({"call": "greet:1.0.0@default"}, "call", "greet:1.0.0@default"),
        ({"set": {"a": 1, "b": 2}}, "set", "a, b"),
        ({"set": "${ .all }"}, "set", ".all"),
        ({"wait": {"minutes": 90}}, "wait", "1 h 30 min"),
        ({"wait": "${ .pause }"}, "wait", ".pause"),
        ({"emit": {"event": {"with": {"type": "order.paid"}}}}, "emit", "order.paid"),
        (
            {"listen": {"to": {"one": {"with": {"subject": "me"}}}}},
            "listen to one event",
            "subject me",
        ),
        (
            {
                "listen": {
                    "to": {"any": [{"with": {"type": "a"}}, {"with": {"type": "b"}}], "until": ".x"}
                }
            },
            "listen to any of these events",
            "a, b until .x",
        ),
        (
            {
                "listen": {
                    "to": {
                        "any": [{"with": {"type": "a"}}],
                        "until": {"one": {"with": {"type": "z"}}},
                    }
                }
            },
            "listen to any of these events",
            "a until another event",
        ),
        (
            {"raise": {"error": {"type": "https://x.example.com/errors/sad", "status": 500}}},
            "raise",
            "sad 500",
        ),
        ({"run": {"shell": {"command": "wc  -w"}}}, "run shell", "wc -w"),
        ({"run": {"script": {"language": "js", "code": "1"}}}, "run script", "js"),
        ({"run": {"container": {"image": "alpine"}}}, "run container", "alpine"),
        (
            {
                "run": {
                    "workflow": {"namespace": "n", "name": "w", "version": "1.0.0"},
                    "await": False,
                }
            },
            "run workflow, not awaited",
            "n/w 1.0.0",
        ),
        ({"for": {"in": "${ .all }"}, "do": []}, "for each", "item in .all"),
        (
            {"for": {"in": "${ .all }", "each": "x"}, "while": ".a > 1", "do": []},
            "for each",
            "x in .all while .a > 1",
        ),
        ({"do": []}, "do", ""),
        ({"fork": {"branches": []}}, "fork, all at once", ""),
        (
            {"fork": {"branches": [{"b": NOTHING}], "compete": True}},
            "fork, the first to complete wins",
            "",
        ),
    ],
)
def test_each_kind_of_task_says_what_it_does(
    outlined: Outlined, task: Any, what: str, detail: str
) -> None:
    [step] = outlined({"it": task}).main.steps
    assert (step.reference, step.name, step.what, step.detail) == ("/do/0/it", "it", what, detail)


def test_a_reusable_error_is_named(outlined: Outlined) -> None:
    error = {"type": "https://x.example.com/sad", "status": 500, "title": "Sad"}
    [step] = outlined(
        {"it": {"raise": {"error": "sad"}}}, use={"errors": {"sad": error}}
    ).main.steps
    assert (step.what, step.detail) == ("raise", "sad")


def test_conditions_and_timeouts_are_told(outlined: Outlined) -> None:
    [step] = outlined({"it": {**NOTHING, "if": "${ .a }", "timeout": {"after": "PT5S"}}}).main.steps
    assert (step.condition, step.timeout) == (".a", "5 s")


class TestWays:
    def test_tasks_follow_one_another_unless_they_say_otherwise(self, outlined: Outlined) -> None:
        steps = outlined(
            {"a": NOTHING},
            {"b": {**NOTHING, "then": "d"}},
            {"c": {**NOTHING, "then": "end"}},
            {"d": {"wait": {"seconds": 1}, "then": "a"}},
            {"e": {**NOTHING, "then": "exit"}},
        ).main.steps
        assert [[way.to for way in step.ways] for step in steps] == [
            [1], [3], [Exit.END], [0], [Exit.EXIT],
        ]  # fmt: skip

    def test_what_a_condition_skips_goes_on_behind_it(self, outlined: Outlined) -> None:
        error = {"type": "https://x.example.com/sad", "status": 500}
        jump, fault = outlined(
            {"a": {**NOTHING, "if": ".a", "then": "end"}},
            {"b": {"raise": {"error": error}, "if": ".b"}},
        ).main.steps
        assert [(way.to, way.label) for way in jump.ways] == [(Exit.END, ""), (1, "otherwise")]
        assert [(way.to, way.label) for way in fault.ways] == [(2, "otherwise")]

    def test_a_raise_leads_nowhere(self, outlined: Outlined) -> None:
        error = {"type": "https://x.example.com/sad", "status": 500}
        [step] = outlined({"a": {"raise": {"error": error}}}).main.steps
        assert step.ways == ()

    def test_a_switch_has_its_cases_and_goes_on_where_none_may_match(
        self, outlined: Outlined
    ) -> None:
        cases = [{"one": {"when": ".a", "then": "z"}}, {"two": {"when": ".b", "then": "exit"}}]
        step, *_ = outlined({"s": {"switch": cases}}, {"y": NOTHING}, {"z": NOTHING}).main.steps
        assert [(c.name, c.when, c.way.to) for c in step.cases] == [
            ("one", ".a", 2), ("two", ".b", Exit.EXIT),
        ]  # fmt: skip
        assert [(way.to, way.label) for way in step.ways] == [(1, "otherwise")]

    def test_a_switch_with_a_default_has_no_other_way(self, outlined: Outlined) -> None:
        cases = [{"one": {"when": ".a", "then": "z"}}, {"rest": {"then": "continue"}}]
        step, *_ = outlined({"s": {"switch": cases}}, {"z": NOTHING}).main.steps
        assert (step.cases[1].when, step.ways) == ("", ())

    def test_a_catch_may_lead_elsewhere(self, outlined: Outlined) -> None:
        task = {"try": [{"a": NOTHING}], "catch": {"then": "end"}}
        [step] = outlined({"t": task}).main.steps
        assert [(way.to, way.label) for way in step.ways] == [(1, ""), (Exit.END, "caught")]


class TestSections:
    def test_branches_loops_and_lists_have_their_tasks(self, outlined: Outlined) -> None:
        steps = outlined(
            {"fork": {"fork": {"branches": [{"a": NOTHING}, {"b": NOTHING}]}}},
            {"loop": {"for": {"in": [{}, {}]}, "do": [{"c": NOTHING}]}},
            {"list": {"do": [{"d": NOTHING}]}},
            {
                "hear": {
                    "listen": {"to": {"one": {"with": {"type": "t"}}}},
                    "foreach": {"do": [{"e": NOTHING}]},
                }
            },
        ).main.steps
        found = [
            (section.role, [inner.reference for inner in section.steps])
            for step in steps
            for section in step.sections
        ]
        assert found == [
            (Role.BRANCHES, ["/do/0/fork/fork/branches/0/a", "/do/0/fork/fork/branches/1/b"]),
            (Role.LOOP, ["/do/1/loop/do/0/c"]),
            (Role.SEQUENCE, ["/do/2/list/do/0/d"]),
            (Role.LOOP, ["/do/3/hear/foreach/do/0/e"]),
        ]
        assert [way.to for branch in steps[0].sections[0].steps for way in branch.ways] == [2, 2]
        assert [step.expected for step in steps] == [None, 2, None, None]

    def test_a_try_says_what_it_catches_and_how_often_it_tries(self, outlined: Outlined) -> None:
        error = "https://open-workflow-specification.org/spec/1.0.0/errors/communication"
        catch = {
            "errors": {"with": {"type": error, "status": 503}},
            "when": "${ .busy }",
            "exceptWhen": "${ .closed }",
            "retry": {
                "delay": {"seconds": 2},
                "backoff": {"exponential": {}},
                "limit": {"attempt": {"count": 3}, "duration": {"minutes": 1}},
            },
            "do": [{"b": NOTHING}],
        }
        [step] = outlined({"t": {"try": [{"a": NOTHING}], "catch": catch}}).main.steps
        tried, caught = step.sections
        assert [inner.reference for inner in tried.steps] == ["/do/0/t/try/0/a"]
        assert [inner.reference for inner in caught.steps] == ["/do/0/t/catch/do/0/b"]
        assert list(caught.captions) == [
            "catch type communication, status 503",
            "when .busy",
            "except when .closed",
            "try again up to 3 times, after 2 s, exponential backoff, within 1 min",
        ]

    @pytest.mark.parametrize(
        ("limit", "text"),
        [({}, "try again"), ({"limit": {"attempt": {"count": 1}}}, "try again once")],
    )
    def test_a_catch_of_everything_says_so(self, outlined: Outlined, limit: Any, text: str) -> None:
        task = {"try": [{"a": NOTHING}], "catch": {"retry": limit}}
        [step] = outlined({"t": task}).main.steps
        assert list(step.sections[1].captions) == ["catch all errors", text]

    def test_functions_and_extensions_stand_beside_the_tasks(self, outlined: Outlined) -> None:
        beside = outlined(
            {"a": {"call": "greet"}},
            use={
                "functions": {"greet": NOTHING},
                "extensions": [
                    {"log": {"extend": "all", "before": [{"b": NOTHING}], "after": []}},
                    {"mock": {"extend": "call", "before": [{"c": NOTHING}]}},
                ],
            },
        ).beside
        assert [(section.role, *section.captions) for section in beside] == [
            (Role.FUNCTION, "function greet"),
            (Role.EXTENSION, "before any task"),
            (Role.EXTENSION, "after any task"),
            (Role.EXTENSION, "before any call task"),
        ]
        assert beside[0].steps[0].reference == "/use/functions/greet"


@pytest.mark.parametrize(
    ("schedule", "text"),
    [
        ({"every": {"minutes": 5}}, "every 5 min"),
        ({"cron": "0 0 * * *"}, "cron 0 0 * * *"),
        ({"after": {"hours": 1}}, "1 h after each end"),
        ({"on": {"one": {"with": {"type": "t"}}}}, "on one event"),
    ],
)
def test_what_starts_a_workflow_is_told(outlined: Outlined, schedule: Any, text: str) -> None:
    assert list(outlined({"a": NOTHING}, schedule=schedule).starts) == [text]


def test_tasks_beyond_the_limit_are_counted(outlined: Outlined) -> None:
    tasks = [{f"t{n}": NOTHING} for n in range(10)]
    steps = outlined({"s": {**NOTHING, "then": "t8"}}, *tasks, max_steps=3).main.steps
    assert [step.name for step in steps] == ["s", "t0", "t1", "8 more tasks"]
    assert [way.to for way in steps[0].ways] == [3]
