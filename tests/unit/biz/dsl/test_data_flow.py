"""The standard's data flow, step by step (DSL, "Data Flow")."""

from typing import Any

import pytest

from tests.fixtures.workflows import Json, fault_of, output_of, standard, workflow

STRING = {"schema": {"format": "json", "document": {"type": "string"}}}
OBJECT = {"schema": {"document": {"type": "object", "required": ["a"]}}}


def task(**properties: Any) -> Json:
    return {"work": {"set": {"x": "${ . }"}, **properties}}


COMPLETES: list[tuple[str, Json, Any, Any]] = [
    ("no task leaves the input", workflow(), {"a": 1}, {"a": 1}),
    ("1 a valid workflow input", workflow(task(), input=OBJECT), {"a": 1}, {"x": {"a": 1}}),
    ("2 workflow input by expression", workflow(task(), input={"from": ".a"}), {"a": 1}, {"x": 1}),
    (
        "2 workflow input by expression in braces",
        workflow(task(), input={"from": "${ .a }"}),
        {"a": 1},
        {"x": 1},
    ),
    (
        "2 workflow input by object",
        workflow(task(), input={"from": {"b": ["${ .a }", ".a"]}}),
        {"a": 1},
        {"x": {"b": [1, ".a"]}},
    ),
    (
        "1 before 2: the raw input is validated",
        workflow(task(), input={**OBJECT, "from": ".a"}),
        {"a": "s"},
        {"x": "s"},
    ),
    ("3 a valid task input", workflow(task(input=OBJECT)), {"a": 1}, {"x": {"a": 1}}),
    ("4 task input by expression", workflow(task(input={"from": ".a"})), {"a": 1}, {"x": 1}),
    (
        "4 task input by object",
        workflow(task(input={"from": {"b": "${ .a }", "c": True}})),
        {"a": 1},
        {"x": {"b": 1, "c": True}},
    ),
    (
        "3 before 4: the raw task input is validated",
        workflow(task(input={**OBJECT, "from": ".a"})),
        {"a": 1},
        {"x": 1},
    ),
    ("5 task output by expression", workflow(task(output={"as": ".x.a"})), {"a": 1}, 1),
    (
        "5 task output by object",
        workflow(task(output={"as": {"y": "${ .x.a + 1 }"}})),
        {"a": 1},
        {"y": 2},
    ),
    (
        "6 after 5: the transformed output is validated",
        workflow(task(output={**STRING, "as": ".x.a"})),
        {"a": "s"},
        "s",
    ),
    (
        "7 the export replaces the context",
        workflow(task(export={"as": ".x"}), {"show": {"set": "${ $context }"}}),
        {"a": 1},
        {"a": 1},
    ),
    (
        "7 without an export the context is the workflow's transformed input",
        workflow(task(), {"show": {"set": "${ $context }"}}, input={"from": ".a"}),
        {"a": 5},
        5,
    ),
    (
        "7 the export evaluates on the transformed output, and leaves it",
        workflow(
            task(output={"as": ".x.a"}, export={"as": {"seen": "${ . }", "old": "${ $context }"}}),
            {"show": {"set": {"in": "${ . }", "context": "${ $context }"}}},
        ),
        {"a": 1},
        {"in": 1, "context": {"seen": 1, "old": {"a": 1}}},
    ),
    (
        "8 a valid context",
        workflow(task(export={**STRING, "as": ".x.a"})),
        {"a": "s"},
        {"x": {"a": "s"}},
    ),
    (
        "9 each task works on the output of the one before",
        workflow(
            {"one": {"set": {"n": "${ .n + 1 }"}}},
            {"two": {"set": {"n": "${ .n * 10 }"}}},
        ),
        {"n": 1},
        {"n": 20},
    ),
    ("10 workflow output by expression", workflow(task(), output={"as": ".x.a"}), {"a": 1}, 1),
    (
        "10 workflow output by object",
        workflow(task(), output={"as": {"y": "${ .x.a }"}}),
        {"a": 1},
        {"y": 1},
    ),
    (
        "11 after 10: the transformed workflow output is validated",
        workflow(task(), output={**STRING, "as": ".x.a"}),
        {"a": "s"},
        "s",
    ),
    (
        "an outer task sees the context that an inner one exported",
        workflow(
            {
                "outer": {
                    "do": [task(export={"as": ".x.a"})],
                    "output": {"as": {"context": "${ $context }"}},
                }
            }
        ),
        {"a": 1},
        {"context": 1},
    ),
    (
        "a skipped task leaves its raw input, and does nothing else",
        workflow(
            task(
                **{"if": ".a > 1"},
                input={**STRING, "from": ".a"},
                output={"as": "7"},
                export={"as": "8"},
            ),
            {"show": {"set": {"in": "${ . }", "context": "${ $context }"}}},
        ),
        {"a": 1},
        {"in": {"a": 1}, "context": {"a": 1}},
    ),
    (
        "a condition is truth as in jq: 0 and empty values hold",
        workflow({"work": {"if": "0", "set": {"did": True}}}),
        {},
        {"did": True},
    ),
    (
        "a condition that gives null doesn't hold",
        workflow({"work": {"if": ".missing", "set": {"did": True}}}),
        {},
        {},
    ),
    (
        "an expression without a result gives null",
        workflow(task(output={"as": "empty"})),
        {},
        None,
    ),
    ("of several results the first counts", workflow(task(output={"as": "1, 2"})), {}, 1),
    (
        "data that looks like an expression stays data",
        workflow(task()),
        "${ .a }",
        {"x": "${ .a }"},
    ),
]


@pytest.mark.parametrize(
    ("definition", "input", "output"),
    [case[1:] for case in COMPLETES],
    ids=[case[0] for case in COMPLETES],
)
async def test_data_flows(definition: Json, input: Any, output: Any) -> None:
    assert await output_of(definition, input) == output


FAULTS: list[tuple[str, Json, Any, str, str]] = [
    ("1 workflow input", workflow(input=OBJECT), {}, "validation", "/input"),
    (
        "2 workflow input.from",
        workflow(input={"from": ".a.b"}),
        {"a": 1},
        "expression",
        "/input/from",
    ),
    ("if", workflow(task(**{"if": "error"})), {}, "expression", "/do/0/work"),
    ("3 task input", workflow(task(input=OBJECT)), {}, "validation", "/do/0/work"),
    (
        "4 task input.from",
        workflow(task(input={"from": ".a.b"})),
        {"a": 1},
        "expression",
        "/do/0/work",
    ),
    ("5 task output.as", workflow(task(output={"as": ".x.y.z"})), "s", "expression", "/do/0/work"),
    ("6 task output", workflow(task(output=STRING)), {}, "validation", "/do/0/work"),
    ("7 export.as", workflow(task(export={"as": ".x.y"})), 1, "expression", "/do/0/work"),
    ("8 context", workflow(task(export={**STRING, "as": ".x"})), 1, "validation", "/do/0/work"),
    (
        "8 the context as it is, where nothing is exported",
        workflow(task(export=STRING)),
        1,
        "validation",
        "/do/0/work",
    ),
    (
        "10 workflow output.as",
        workflow(output={"as": ".a.b"}),
        {"a": 1},
        "expression",
        "/output/as",
    ),
    ("11 workflow output", workflow(output=STRING), {}, "validation", "/output"),
    (
        "a fault names the innermost task",
        workflow({"outer": {"do": [task(), {"in/ner": {"set": '${ error("no") }'}}]}}),
        {},
        "expression",
        "/do/0/outer/do/1/in~1ner",
    ),
]


@pytest.mark.parametrize(
    ("definition", "input", "kind", "instance"),
    [case[1:] for case in FAULTS],
    ids=[case[0] for case in FAULTS],
)
async def test_a_step_faults(definition: Json, input: Any, kind: str, instance: str) -> None:
    error = await fault_of(definition, input)
    assert (error.type, error.status, error.instance) == (standard(kind), 400, instance)
    assert error.title
    assert error.detail


async def test_a_validation_error_tells_where_and_how() -> None:
    error = await fault_of(workflow(input=OBJECT), {"b": 1})
    assert error.detail == "the input breaks its schema: / 'a' is a required property"


async def test_an_expressions_own_error_is_told() -> None:
    error = await fault_of(workflow(task(output={"as": 'error("the shelf is empty")'})))
    assert error.detail == "the shelf is empty"
