from typing import Any

import pytest

from tests.fixtures.workflows import Json, fault_of, faults, output_of, standard, workflow

COLLECT: list[Json] = [{"collect": {"set": "${ . + [[$item, $index]] }"}}]


def loop(**properties: Any) -> Json:
    return workflow({"loop": {"do": COLLECT, **properties}})


@pytest.mark.parametrize(
    ("properties", "output"),
    [
        ({"for": {"in": '["a", "b"]'}}, [["a", 0], ["b", 1]]),
        ({"for": {"in": '${ ["a"] }'}}, [["a", 0]]),
        ({"for": {"in": "[]"}}, []),
        ({"for": {"in": [{"n": 1}, {"n": "${ 1 + 1 }"}]}}, [[{"n": 1}, 0], [{"n": 2}, 1]]),
        (
            {"for": {"in": "[7]", "each": "c", "at": "i"}, "do": [{"t": {"set": "${ [$c, $i] }"}}]},
            [7, 0],
        ),
        ({"for": {"in": "[1, 2, 3]"}, "while": "length < 2"}, [[1, 0], [2, 1]]),
        ({"for": {"in": "[1, 2, 3]"}, "while": "$item < 2"}, [[1, 0]]),
        ({"for": {"in": "[1, 2, 3]"}, "while": "${ $index < 1 }"}, [[1, 0]]),
        ({"for": {"in": "[1, 2, 3]"}, "while": "false"}, []),
        ({"for": {"in": "[1, 2]"}, "output": {"as": "length"}}, 2),
        ({"for": {"in": "[1, 2]"}, "do": []}, []),
    ],
)
async def test_its_output_is_that_of_its_last_iteration(properties: Json, output: Any) -> None:
    assert await output_of(loop(**properties), []) == output


async def test_its_condition_sees_what_an_iteration_exported() -> None:
    add = {"add": {"set": "${ . + 1 }", "export": {"as": "."}}}
    definition = workflow(
        {"loop": {"for": {"in": "[1, 2, 3, 4]"}, "while": "$context < 2", "do": [add]}}
    )
    assert await output_of(definition, 0) == 2


async def test_its_collection_is_read_once_on_its_transformed_input() -> None:
    definition = loop(**{"for": {"in": ".list"}, "input": {"from": "{list: [.n, .n]}"}})
    definition["do"][0]["loop"]["do"] = [{"t": {"set": {"list": ["x"], "n": "${ $item }"}}}]
    assert await output_of(definition, {"n": 4}) == {"list": ["x"], "n": 4}


@pytest.mark.parametrize("collection", ["{}", "null", "1", '"abc"', ".missing"])
async def test_what_is_no_array_is_an_expression_error(collection: str) -> None:
    error = await fault_of(loop(**{"for": {"in": collection}}))
    assert (error.type, error.status) == (standard("expression"), 400)
    assert error.instance == "/do/0/loop"


async def test_a_fault_in_it_names_the_task_without_the_iteration() -> None:
    definition = workflow({"l": {"for": {"in": "[1]"}, "do": [{"t": {"set": "${ error }"}}]}})
    assert (await fault_of(definition, "bad")).instance == "/do/0/l/do/0/t"


async def test_a_condition_that_fails_faults_the_loop() -> None:
    error = await fault_of(loop(**{"for": {"in": "[1]"}, "while": ".a"}), [])
    assert error.instance == "/do/0/loop"


@pytest.mark.parametrize(
    ("properties", "code", "pointer"),
    [
        ({"for": {}}, "missing-property", "/for"),
        ({"for": "."}, "wrong-type", "/for"),
        ({"for": {"in": 1}}, "wrong-type", "/for/in"),
        ({"for": {"in": ["red"]}}, "wrong-type", "/for/in/0"),
        ({"for": {"in": ".a |"}}, "invalid-expression", "/for/in"),
        ({"for": {"in": ".", "each": "a-b"}}, "invalid-variable", "/for/each"),
        ({"for": {"in": ".", "each": ""}}, "invalid-variable", "/for/each"),
        ({"for": {"in": ".", "at": "1a"}}, "invalid-variable", "/for/at"),
        ({"for": {"in": ".", "at": 1}}, "wrong-type", "/for/at"),
        ({"for": {"in": ".", "at": "item"}}, "invalid-variable", "/for"),
        ({"for": {"in": ".", "of": "x"}}, "unknown-property", "/for/of"),
        ({"for": {"in": "."}, "while": True}, "wrong-type", "/while"),
    ],
)
def test_what_is_no_loop(properties: Json, code: str, pointer: str) -> None:
    definition = workflow({"loop": {"do": [], **properties}})
    assert (code, f"/do/0/loop{pointer}") in faults(definition)


def test_a_loop_needs_tasks() -> None:
    assert faults(workflow({"t": {"for": {"in": "."}}})) == [("missing-property", "/do/0/t")]
