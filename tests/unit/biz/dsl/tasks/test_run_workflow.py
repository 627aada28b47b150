"""Stored workflows that a run has run, in memory."""

import asyncio
import json
from dataclasses import replace
from typing import Any

import pytest

from biz.dsl.calls.child_call import ChildCall
from biz.dsl.errors import TaskFault, WorkflowError
from biz.dsl.memory_runtime import MemoryRuntime, run_in_memory
from biz.dsl.model import Workflow
from biz.dsl.validator import check
from tests.fixtures.workflows import START, Json, World, fault_of, faults, standard, workflow

NAMED = {"namespace": "shop", "name": "pay", "version": "1.0.0"}
CALL = ChildCall(**NAMED, input={}, awaited=True, idempotency_key="run-1:/do/0/go:1")
INPUT = {"text": "in", "number": 1, "object": {"a": 1}}


def run(beside: Json | None = None, **properties: Any) -> Json:
    return workflow({"go": {"run": {"workflow": {**NAMED, **properties}, **(beside or {})}}})


@pytest.mark.parametrize(
    ("properties", "changes"),
    [
        ({}, {}),
        ({"name": "${ .text }"}, {"name": "in"}),
        ({"version": "latest"}, {"version": "latest"}),
        ({"input": {"a": "${ .number }", "b": ".number"}}, {"input": {"a": 1, "b": ".number"}}),
        ({"input": "${ .number }"}, {"input": 1}),
        ({"beside": {"return": "stdout"}}, {}),
    ],
)
async def test_a_property_makes_its_part_of_what_is_run(properties: Json, changes: Json) -> None:
    world = World(answer=lambda call: {"paid": True})
    assert await world.run(run(**properties), INPUT) == {"paid": True}
    assert world.calls == [replace(CALL, **changes)]


@pytest.mark.parametrize(
    ("beside", "output"), [({"return": "none"}, None), ({"await": False}, INPUT)]
)
async def test_what_it_outputs_instead(beside: Json, output: Any) -> None:
    assert await World(answer=lambda call: 1).run(run(beside), INPUT) == output


@pytest.mark.parametrize(
    ("run", "found"),
    [
        ({"workflow": {"name": "a", "version": "1"}}, ("missing-property", "/workflow")),
        ({"workflow": {**NAMED, "name": 1}}, ("wrong-type", "/workflow/name")),
        ({"workflow": {**NAMED, "version": ""}}, ("empty", "/workflow/version")),
        ({"workflow": {**NAMED, "input": "a"}}, ("wrong-type", "/workflow/input")),
        ({"workflow": {**NAMED, "input": [1]}}, ("wrong-type", "/workflow/input")),
        ({"workflow": {**NAMED, "alias": "a"}}, ("unknown-property", "/workflow/alias")),
        ({"workflow": NAMED, "return": "code"}, ("ignored-property", "/workflow")),
        ({"workflow": {**NAMED, "input": {"a": "${ $secrets.b }"}}},
         ("unavailable-variable", "/workflow/input/a")),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_at_its_place(run: Json, found: tuple[str, str]) -> None:
    code, pointer = found
    assert faults(workflow({"go": {"run": run}})) == [(code, f"/do/0/go/run{pointer}")]


@pytest.mark.parametrize("name", ["${ .object }", "${ null }", '${ "" }'])
async def test_a_name_that_is_no_text_is_an_expression_error(name: str) -> None:
    error = await fault_of(run(name=name), INPUT)
    assert (error.type, error.instance) == (standard("expression"), "/do/0/go")


def runtime(*children: Json) -> MemoryRuntime:
    """A world in which these workflows are stored as `pay`, each with its place as version."""

    def find(call: ChildCall) -> Workflow | None:
        return check(json.dumps(children[int(call.version)])).require()

    return MemoryRuntime(answer=lambda call: None, start=START, find=find)


async def outcome_of(definition: Json, *children: Json) -> Any:
    parsed = check(json.dumps(definition)).require()
    return await asyncio.to_thread(run_in_memory, parsed, INPUT, runtime(*children))


async def test_another_definition_runs_on_its_input() -> None:
    child = workflow({"rest": {"wait": "PT1H"}}, {"add": {"set": {"n": "${ .n + 1 }"}}})
    definition = run(version="0", input={"n": "${ .number }"})
    assert await outcome_of(definition, child) == {"n": 2}


async def test_its_fault_is_that_of_the_task() -> None:
    error = {"type": "https://x.test/e", "status": 418, "title": "Tea", "detail": "hot"}
    child = workflow({"fail": {"raise": {"error": error}}})
    with pytest.raises(TaskFault) as raised:
        await outcome_of(run(version="0"), child)
    assert raised.value.error == WorkflowError(**error, instance="/do/0/go")


async def test_its_fault_can_be_caught() -> None:
    child = workflow({"fail": {"raise": {"error": {"type": "https://x.test/e", "status": 418}}}})
    catch = {"errors": {"with": {"status": 418}}, "do": [{"ok": {"set": {"ok": True}}}]}
    definition = workflow({"try": {"try": run(version="0")["do"], "catch": catch}})
    assert await outcome_of(definition, child) == {"ok": True}


async def test_one_that_isnt_awaited_changes_nothing() -> None:
    child = workflow({"fail": {"raise": {"error": {"type": "https://x.test/e", "status": 418}}}})
    assert await outcome_of(run({"await": False}, version="0"), child) == INPUT


async def test_workflows_run_each_other() -> None:
    inner = workflow({"set": {"set": {"deep": "${ .a }"}}})
    middle = run(version="1", input={"a": "${ .a }"})
    assert await outcome_of(run(version="0", input={"a": 7}), middle, inner) == {"deep": 7}
