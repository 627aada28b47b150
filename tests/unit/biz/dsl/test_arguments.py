"""Which arguments an expression has at its place, and what they hold.

DSL, "Runtime expression arguments"; what reads $secrets is evaluated by activities alone.
"""

from typing import Any

import pytest

from tests.fixtures.workflows import Json, faults, output_of, workflow

WITH = {"method": "get", "endpoint": "https://pets.test"}
CALL = {"call": "http", "with": WITH}
ALL = ("context", "input", "output", "task", "workflow", "runtime")
OF_A_RUN = {"workflow", "runtime"}


def endpoint(token: str) -> Json:
    return {"uri": "https://pets.test", "authentication": {"bearer": {"token": token}}}


# Each place: the definition around an expression, the pointer to it, the arguments that it has.
PLACES = {
    "workflow input.from": (
        lambda e: workflow(input={"from": e}),
        "/input/from",
        OF_A_RUN,
    ),
    "if": (
        lambda e: workflow({"t": {"if": e, "set": {"x": 1}}}),
        "/do/0/t/if",
        OF_A_RUN | {"context", "task"},
    ),
    "task input.from": (
        lambda e: workflow({"t": {"input": {"from": e}, "set": {"x": 1}}}),
        "/do/0/t/input/from",
        OF_A_RUN | {"context", "task"},
    ),
    "task definition": (
        lambda e: workflow({"t": {"set": {"x": f"${{ {e} }}"}}}),
        "/do/0/t/set/x",
        OF_A_RUN | {"context", "task", "input"},
    ),
    "task output.as": (
        lambda e: workflow({"t": {"set": {"x": 1}, "output": {"as": e}}}),
        "/do/0/t/output/as",
        OF_A_RUN | {"context", "task", "input"},
    ),
    "task export.as": (
        lambda e: workflow({"t": {"set": {"x": 1}, "export": {"as": e}}}),
        "/do/0/t/export/as",
        OF_A_RUN | {"context", "task", "input", "output"},
    ),
    "workflow output.as": (
        lambda e: workflow(output={"as": e}),
        "/output/as",
        OF_A_RUN | {"context"},
    ),
    "use.authentications": (
        lambda e: workflow(use={"authentications": {"a": {"bearer": {"token": f"${{ {e} }}"}}}}),
        "/use/authentications/a/bearer/token",
        OF_A_RUN | {"context", "task", "input", "secrets"},
    ),
    "a call's if": (
        lambda e: workflow({"t": {**CALL, "if": e}}),
        "/do/0/t/if",
        OF_A_RUN | {"context", "task"},
    ),
    "a call's input.from": (
        lambda e: workflow({"t": {**CALL, "input": {"from": e}}}),
        "/do/0/t/input/from",
        OF_A_RUN | {"context", "task", "secrets"},
    ),
    "a call's definition": (
        lambda e: workflow({"t": {**CALL, "with": {**WITH, "body": [f"${{ {e} }}"]}}}),
        "/do/0/t/with/body/0",
        OF_A_RUN | {"context", "task", "input", "secrets", "authorization"},
    ),
    "a call's authentication": (
        lambda e: workflow({"t": {**CALL, "with": {**WITH, "endpoint": endpoint(f"${{ {e} }}")}}}),
        "/do/0/t/with/endpoint/authentication/bearer/token",
        OF_A_RUN | {"context", "task", "input", "secrets"},
    ),
    "a call's output.as": (
        lambda e: workflow({"t": {**CALL, "output": {"as": e}}}),
        "/do/0/t/output/as",
        OF_A_RUN | {"context", "task", "input"},
    ),
    "a call's export.as": (
        lambda e: workflow({"t": {**CALL, "export": {"as": e}}}),
        "/do/0/t/export/as",
        OF_A_RUN | {"context", "task", "input", "output"},
    ),
    "a call's timeout": (
        lambda e: workflow({"t": {**CALL, "timeout": {"after": f"${{ {e} }}"}}}),
        "/do/0/t/timeout/after",
        OF_A_RUN | {"context", "task"},
    ),
}


@pytest.mark.parametrize("argument", [*ALL, "secrets", "authorization", "item", "index", "nobody"])
@pytest.mark.parametrize("place", PLACES)
def test_an_argument_is_there_where_the_standard_says(place: str, argument: str) -> None:
    around, pointer, available = PLACES[place]
    found = faults(around(f"${argument}"))
    assert found == ([] if argument in available else [("unavailable-variable", pointer)])


LOOP_PLACES = {
    "for.in": ({"for": {"in": "$color"}}, "/for/in", False),
    "while": ({"while": "$color"}, "/while", True),
    "do": ({"do": [{"t": {"if": "$color", "set": {"x": "${ $place }"}}}]}, "", True),
    "output.as": ({"output": {"as": "$color"}}, "/output/as", False),
    "export.as": ({"export": {"as": "$color"}}, "/export/as", False),
    "input.from": ({"input": {"from": "$color"}}, "/input/from", False),
}


@pytest.mark.parametrize("place", LOOP_PLACES)
def test_a_loops_variables_are_there_inside_of_it(place: str) -> None:
    properties, pointer, is_there = LOOP_PLACES[place]
    loop = {"for": {"in": "."}, "do": [], **properties}
    loop["for"] = {"each": "color", "at": "place", **loop["for"]}
    expected = [] if is_there else [("unavailable-variable", f"/do/0/loop{pointer}")]
    assert faults(workflow({"loop": loop})) == expected


CONTENTS: list[tuple[str, Json, Any]] = [
    ("input, in the definition", {"set": {"x": "${ $input }"}, "input": {"from": ".a"}}, {"x": 1}),
    (
        "input, in output.as",
        {"set": {"x": 2}, "input": {"from": ".a"}, "output": {"as": "[$input, .x]"}},
        [1, 2],
    ),
    (
        "output and task.output, in export.as",
        {
            "set": {"x": 2},
            "output": {"as": ".x"},
            "export": {"as": "[$output, $task.output, .]"},
        },
        [2, {"x": 2}, 2],
    ),
    (
        "task.output, in output.as",
        {"set": {"x": 2}, "output": {"as": "$task.output"}},
        {"x": 2},
    ),
    (
        "task.input is the raw one",
        {"set": "${ [$task.input, $input] }", "input": {"from": ".a"}},
        [{"a": 1}, 1],
    ),
    ("task.name", {"set": "${ $task.name }"}, "it"),
    ("task.reference", {"set": "${ $task.reference }"}, "/do/0/it"),
    (
        "task.definition",
        {"set": "${ $task.definition }", "metadata": {"m": 1}},
        {"set": "${ $task.definition }", "metadata": {"m": 1}},
    ),
    ("workflow.id", {"set": "${ $workflow.id }"}, "run-1"),
    ("workflow.input is the raw one", {"set": "${ $workflow.input }"}, {"raw": {"a": 1}}),
    ("workflow.definition", {"set": "${ $workflow.definition.document.name }"}, "sample"),
    (
        "workflow.startedAt",
        {"set": "${ $workflow.startedAt }"},
        {
            "iso8601": "2025-01-02T03:04:05.678Z",
            "epoch": {"seconds": 1735787045, "milliseconds": 1735787045678},
        },
    ),
    (
        "runtime",
        {"set": "${ $runtime }"},
        {"name": "workflow-engine", "version": "memory", "metadata": {"a": 1}},
    ),
    ("context", {"set": "${ $context }"}, {"a": 1}),
]


@pytest.mark.parametrize(
    ("task", "content"), [case[1:] for case in CONTENTS], ids=[case[0] for case in CONTENTS]
)
async def test_an_argument_holds(task: Json, content: Any) -> None:
    definition = workflow({"it": task}, input={"from": ".raw"})
    if "export" in task:
        definition["output"] = {"as": "$context"}
    assert await output_of(definition, {"raw": {"a": 1}}) == content


async def test_a_tasks_start_is_told_by_the_runs_clock() -> None:
    output = await output_of(
        workflow(
            {"first": {"wait": {"seconds": 30}}},
            {
                "then": {
                    "set": "${ $task.startedAt.epoch.seconds - $workflow.startedAt.epoch.seconds }"
                }
            },
        )
    )
    assert output == 30


async def test_a_loops_variable_stands_before_an_argument_of_the_same_name() -> None:
    loop = {"for": {"each": "input", "in": "[7]"}, "do": [{"t": {"set": "${ $input }"}}]}
    assert await output_of(workflow({"loop": loop})) == 7


async def test_an_inner_loop_sees_the_variables_of_the_outer_one() -> None:
    inner = {
        "for": {"each": "b", "at": "j", "in": "$a"},
        "do": [{"t": {"set": "${ . + [[$a[0], $i, $b, $j]] }"}}],
    }
    outer = {"for": {"each": "a", "at": "i", "in": "[[1, 2], [3]]"}, "do": [{"inner": inner}]}
    output = await output_of(workflow({"outer": outer}), [])
    assert output == [[1, 0, 1, 0], [1, 0, 2, 1], [3, 1, 3, 0]]
