"""Where a run goes after a task (DSL, "Task Flow"; DSL reference, "Flow Directive")."""

from typing import Any

import pytest

from tests.fixtures.workflows import Json, faults, output_of, workflow


def step(name: str, **properties: Any) -> Json:
    """A task that adds its name to the list that the run works on."""
    return {name: {"set": f'${{ . + ["{name}"] }}', **properties}}


def scope(name: str, *tasks: Json, **properties: Any) -> Json:
    return {name: {"do": list(tasks), **properties}}


def loop(name: str, *tasks: Json, **properties: Any) -> Json:
    return {name: {"for": {"in": "[1, 2]"}, "do": list(tasks), **properties}}


def case(then: str, **when: str) -> Json:
    return {"case": {"then": then, **when}}


WAYS: list[tuple[str, Json, str]] = [
    ("in the order of declaration", workflow(step("a"), step("b"), step("c")), "a b c"),
    ("continue", workflow(step("a", then="continue"), step("b")), "a b"),
    ("continue at the end", workflow(step("a", then="continue")), "a"),
    ("a task by its name", workflow(step("a", then="c"), step("b"), step("c")), "a c"),
    (
        "back to a task",
        workflow(step("a", then="c"), step("b", then="end"), step("c", then="b")),
        "a c b",
    ),
    (
        "back to itself, until it doesn't hold",
        workflow(step("a", **{"if": "length < 3"}, then="a"), step("b")),
        "a a a b",
    ),
    ("end", workflow(step("a", then="end"), step("b")), "a"),
    ("exit in the main scope", workflow(step("a", then="exit"), step("b")), "a"),
    (
        "exit leaves its scope alone",
        workflow(scope("s", step("a", then="exit"), step("b")), step("c")),
        "a c",
    ),
    (
        "exit of a scope, which goes on as the scope says",
        workflow(scope("s", step("a", then="exit"), then="d"), step("c"), step("d")),
        "a d",
    ),
    (
        "end in a nested scope ends the workflow",
        workflow(scope("s", scope("t", step("a", then="end"), step("b")), step("c")), step("d")),
        "a",
    ),
    (
        "a task's name in a nested scope",
        workflow(scope("s", step("a", then="c"), step("b"), step("c")), step("d")),
        "a c d",
    ),
    (
        "the same names in two scopes",
        workflow(scope("s", step("a", then="b"), step("x"), step("b")), step("b", then="end")),
        "a b b",
    ),
    (
        "the last task's continue in a nested scope",
        workflow(scope("s", step("a", then="continue")), step("b")),
        "a b",
    ),
    (
        "exit in a loop ends its iteration",
        workflow(loop("l", step("a", then="exit"), step("b")), step("c")),
        "a a c",
    ),
    ("end in a loop ends the workflow", workflow(loop("l", step("a", then="end")), step("c")), "a"),
    (
        "a task's name in a loop",
        workflow(loop("l", step("a", then="c"), step("b"), step("c"))),
        "a c a c",
    ),
    (
        "a loop's own directive",
        workflow(loop("l", step("a"), then="c"), step("b"), step("c")),
        "a a c",
    ),
    (
        "a skipped task's directive isn't followed",
        workflow(step("a", **{"if": "false"}, then="end"), step("b")),
        "b",
    ),
    (
        "a matching case goes before the switch's own directive",
        workflow({"s": {"switch": [case("c", when="true")], "then": "b"}}, step("b"), step("c")),
        "c",
    ),
    (
        "a switch without a matching case follows its own directive",
        workflow({"s": {"switch": [case("b", when="false")], "then": "c"}}, step("b"), step("c")),
        "c",
    ),
    (
        "a switch without a matching case goes on",
        workflow({"s": {"switch": [case("c", when="false")]}}, step("b"), step("c")),
        "b c",
    ),
    (
        "a case that continues",
        workflow(
            {"s": {"switch": [case("continue", when="true")], "then": "c"}}, step("b"), step("c")
        ),
        "b c",
    ),
    (
        "a case that ends",
        workflow(step("a"), {"s": {"switch": [case("end", when="true")]}}, step("b")),
        "a",
    ),
    (
        "a case that ends, in a nested scope",
        workflow(scope("s", step("a"), {"s": {"switch": [case("end")]}}, step("b")), step("c")),
        "a",
    ),
    (
        "a case that exits a nested scope",
        workflow(scope("s", {"s": {"switch": [case("exit")]}}, step("b")), step("c")),
        "c",
    ),
    ("an empty scope", workflow(scope("s"), step("a")), "a"),
]


@pytest.mark.parametrize(
    ("definition", "order"), [case[1:] for case in WAYS], ids=[case[0] for case in WAYS]
)
async def test_a_run_goes(definition: Json, order: str) -> None:
    assert await output_of(definition, []) == order.split()


async def test_what_ends_a_workflow_skips_the_output_of_the_scopes_around() -> None:
    definition = workflow(
        scope("s", step("a", then="end", output={"as": ". + [1]"}), output={"as": "[]"}),
        output={"as": ". + [2]"},
    )
    assert await output_of(definition, []) == ["a", 1, 2]


@pytest.mark.parametrize(
    ("definition", "pointer"),
    [
        (workflow(step("a", then="nowhere")), "/do/0/a/then"),
        (workflow(scope("s", step("a", then="b")), step("b")), "/do/0/s/do/0/a/then"),
        (workflow(step("a", then="b"), scope("s", step("b"))), "/do/0/a/then"),
        (workflow(loop("l", step("a", then="b")), step("b")), "/do/0/l/do/0/a/then"),
        (
            workflow({"s": {"switch": [case("a"), case("b", when=".")]}}, step("a")),
            "/do/0/s/switch/1/case/then",
        ),
    ],
)
def test_a_directive_names_a_task_of_its_own_scope(definition: Json, pointer: str) -> None:
    assert ("unknown-target", pointer) in faults(definition)


def test_a_task_with_a_fault_can_be_gone_to() -> None:
    definition = workflow(step("a", then="b"), {"b": {"call": "nothing"}})
    assert [pointer for _, pointer in faults(definition)] == ["/do/1/b/call"]
