"""Calls of functions in the catalog `default`: stored workflows."""

from typing import Any

import pytest

from biz.dsl.calls.call import Call
from biz.dsl.calls.child_call import ChildCall
from biz.dsl.errors import TaskFault, WorkflowError
from tests.fixtures.workflows import Json, World, faults, standard, workflow


def call(**properties: Any) -> Json:
    return workflow({"call": {"call": "greet:1.0.0@default", **properties}})


@pytest.mark.parametrize(
    ("properties", "input"),
    [({"with": {"name": "${ .x }"}}, {"name": "Ann"}), ({}, {"x": "Ann"}), ({"with": {}}, {})],
)
async def test_a_stored_workflow_runs_on_with_or_else_on_the_input(
    properties: Json, input: Any
) -> None:
    calls: list[Call] = []

    def answer(made: Call) -> Any:
        calls.append(made)
        return {"hello": "Ann"}

    output = await World(answer=answer).run(call(**properties), {"x": "Ann"})
    assert output == {"hello": "Ann"}
    assert calls == [
        ChildCall(
            namespace="test",
            name="greet",
            version="1.0.0",
            input=input,
            awaited=True,
            idempotency_key="run-1:/do/0/call:1",
        )
    ]


async def test_its_fault_is_the_tasks() -> None:
    def fail(made: Call) -> Any:
        raise TaskFault(WorkflowError.standard("runtime", "broken", instance="/do/0/inside"))

    with pytest.raises(TaskFault) as raised:
        await World(answer=fail).run(call(), {})
    error = raised.value.error
    assert (error.type, error.instance) == (standard("runtime"), "/do/0/call")


def test_its_arguments_are_an_object() -> None:
    assert faults(call(**{"with": 1})) == [("wrong-type", "/do/0/call/with")]
