"""Containers: what of a definition makes which part of the call."""

from dataclasses import replace
from typing import Any

import pytest

from biz.dsl.calls.container_call import Cleanup, ContainerCall, PullPolicy
from biz.dsl.calls.process_call import ProcessOutput
from tests.fixtures.workflows import Json, World, fault_of, faults, standard, workflow

CALL = ContainerCall(
    image="alpine",
    name=None,
    command=None,
    ports={},
    volumes={},
    pull_policy=PullPolicy.IF_NOT_PRESENT,
    cleanup=Cleanup.NEVER,
    keep_seconds=0,
    workflow="sample",
    namespace="test",
    task="go",
    stdin=None,
    arguments=[],
    environment={},
    output=ProcessOutput.STDOUT,
    awaited=True,
    idempotency_key="run-1:/do/0/go:1",
)
INPUT = {"text": "in", "list": ["a"], "port": 80}


def run(beside: Json | None = None, **properties: Any) -> Json:
    container = {"image": "alpine", **properties}
    return workflow({"go": {"run": {"container": container, **(beside or {})}}})


@pytest.mark.parametrize(
    ("properties", "changes"),
    [
        ({}, {}),
        ({"image": "${ .text }"}, {"image": "in"}),
        ({"name": '${ "a-" + .text }'}, {"name": "a-in"}),
        ({"command": "echo $1", "arguments": ["${ .text }"]},
         {"command": "echo $1", "arguments": ["in"]}),
        ({"stdin": "${ .text }"}, {"stdin": "in"}),
        ({"environment": {"A": "${ .text }"}}, {"environment": {"A": "in"}}),
        ({"ports": {"8080": "${ .port }"}}, {"ports": {"8080": 80}}),
        ({"volumes": {"data": "/data"}}, {"volumes": {"data": "/data"}}),
        ({"pullPolicy": "always"}, {"pull_policy": PullPolicy.ALWAYS}),
        ({"pullPolicy": "never"}, {"pull_policy": PullPolicy.NEVER}),
        ({"lifetime": {"cleanup": "always"}}, {"cleanup": Cleanup.ALWAYS}),
        ({"lifetime": {"cleanup": "never"}}, {}),
        ({"lifetime": {"cleanup": "eventually", "after": {"minutes": 30}}},
         {"cleanup": Cleanup.EVENTUALLY, "keep_seconds": 1800.0}),
        ({"lifetime": {"cleanup": "eventually", "after": '${ "PT1M" }'}},
         {"cleanup": Cleanup.EVENTUALLY, "keep_seconds": 60.0}),
        ({"beside": {"return": "code"}}, {"output": ProcessOutput.CODE}),
    ],
)  # fmt: skip
async def test_a_property_makes_its_part_of_the_call(properties: Json, changes: Json) -> None:
    world = World(answer=lambda call: "answered")
    assert await world.run(run(**properties), INPUT) == "answered"
    assert world.calls == [replace(CALL, **changes)]


@pytest.mark.parametrize(
    ("container", "found"),
    [
        ({}, ("missing-property", "")),
        ({"image": 1}, ("wrong-type", "/image")),
        ({"image": "a", "name": 1}, ("wrong-type", "/name")),
        ({"image": "a", "ports": []}, ("wrong-type", "/ports")),
        ({"image": "a", "volumes": "b"}, ("wrong-type", "/volumes")),
        ({"image": "a", "arguments": "b"}, ("wrong-type", "/arguments")),
        ({"image": "a", "pullPolicy": "sometimes"}, ("invalid-value", "/pullPolicy")),
        ({"image": "a", "lifetime": {}}, ("missing-property", "/lifetime")),
        ({"image": "a", "lifetime": {"cleanup": "soon"}}, ("invalid-value", "/lifetime/cleanup")),
        ({"image": "a", "lifetime": {"cleanup": "eventually"}}, ("missing-property", "/lifetime")),
        ({"image": "a", "lifetime": {"cleanup": "always", "after": "PT1S"}},
         ("invalid-value", "/lifetime/after")),
        ({"image": "a", "lifetime": {"cleanup": "eventually", "after": "soon"}},
         ("invalid-duration", "/lifetime/after")),
        ({"image": "a", "workingDirectory": "/"}, ("unknown-property", "/workingDirectory")),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_at_its_place(container: Json, found: tuple[str, str]) -> None:
    code, pointer = found
    definition = workflow({"go": {"run": {"container": container}}})
    assert faults(definition) == [(code, f"/do/0/go/run/container{pointer}")]


@pytest.mark.parametrize(
    ("properties", "detail"),
    [
        ({"image": "${ .list }"}, "the image can't be an array"),
        ({"name": "${ .list }"}, "the name can't be an array"),
        ({"command": "${ .list }"}, "the command can't be an array"),
        ({"ports": {"80": "${ .list }"}}, "the port 80 can't be an array"),
        ({"volumes": {"a": "${ .text }"}}, "a: in is no mapping of volumes"),
        ({"lifetime": {"cleanup": "eventually", "after": "${ .text }"}}, "the duration"),
    ],
)
async def test_a_value_that_no_container_can_take_is_an_expression_error(
    properties: Json, detail: str
) -> None:
    error = await fault_of(run(**properties), INPUT)
    assert (error.type, error.instance) == (standard("expression"), "/do/0/go")
    assert detail in error.detail
