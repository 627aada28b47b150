"""What a run keeps of those before it."""

import json
from typing import Any

import pytest

from biz.dsl.lifecycle import LifecycleEvent, LifecycleType
from biz.dsl.relocation import Relocation
from biz.dsl.validator import load_workflow
from biz.pictures.kept import Kept
from tests.fixtures.workflows import START, Json, workflow

SET: Json = {"set": {"x": 1}}
LOOP: Json = {"for": {"in": "${ [1, 2, 3] }"}, "do": [{"x": SET}, {"y": SET}]}
FORK: Json = {"fork": {"branches": [{"left": {"do": [{"l": SET}]}}, {"right": LOOP}]}}
TREE = workflow({"a": SET}, {"all": FORK}, {"b": SET}, {"c": SET})
RIGHT = "/do/1/all/fork/branches/1/right"


def told(*paths: str, at: int = 0) -> list[LifecycleEvent]:
    """Tasks that are done one after another; one with a mark is not, and "<" only begins one."""
    types = LifecycleType
    ends = {"!": types.TASK_FAULTED, "-": types.TASK_CANCELLED, ">": types.TASK_COMPLETED}
    events = []
    for path in paths:
        mark, task = (path[0], path[1:]) if path[0] in "!-<>" else ("", path)
        if mark != ">":
            events.append((types.TASK_STARTED, task))
        if mark != "<":
            events.append((ends.get(mark, types.TASK_COMPLETED), task))
    return [
        LifecycleEvent(sequence=n, type=type, time=START, task=task)
        for n, (type, task) in enumerate(events, start=1)
    ]


def kept(*runs: tuple[list[LifecycleEvent], str], definition: Json = TREE) -> list[str]:
    kept = Kept(Relocation(load_workflow(json.dumps(definition))))
    for events, anew in runs:
        kept.add(events, anew)
    return sorted(kept.done)


def body(iteration: int, name: str) -> str:
    return f"{RIGHT}/for/{iteration}/do/{'xy'.index(name)}/{name}"


FAULTED = told(
    "/do/0/a",
    "<" + RIGHT,
    body(0, "x"),
    body(0, "y"),
    body(1, "x"),
    "!" + body(1, "y"),
    "!" + RIGHT,
)


def test_all_that_was_completed_is_kept_where_all_goes_on() -> None:
    assert kept((FAULTED, "")) == sorted(["/do/0/a", body(0, "x"), body(0, "y"), body(1, "x")])


def test_what_was_done_since_the_task_began_is_not_kept_but_in_branches_beside_it() -> None:
    left = "/do/1/all/fork/branches/0/left"
    events = told(
        "/do/0/a", "</do/1/all", "<" + RIGHT, body(0, "x"), body(0, "y"), f"<{left}",
        body(1, "x"), f"{left}/do/0/l", f">{left}", body(1, "y"), f">{RIGHT}", ">/do/1/all",
        "/do/2/b",
    )  # fmt: skip

    assert kept((events, body(1, "x"))) == sorted(
        ["/do/0/a", body(0, "x"), body(0, "y"), left, f"{left}/do/0/l"]
    )
    assert kept((events, RIGHT)) == sorted(["/do/0/a", left, f"{left}/do/0/l"])
    assert kept((events, "/do/1/all")) == ["/do/0/a"]


def test_the_last_time_that_a_task_was_done_counts() -> None:
    assert kept((told("/do/0/a", "/do/2/b", "-/do/0/a"), "")) == ["/do/2/b"]
    assert kept((told("/do/2/b", "/do/0/a", "/do/2/b"), "/do/2/b")) == ["/do/0/a"]


def test_what_a_run_took_over_is_kept_on_unless_it_is_begun_anew() -> None:
    second = told("<" + RIGHT, body(1, "y"), "!" + body(2, "x"), "!" + RIGHT)

    assert kept((FAULTED, ""), (second, body(2, "x"))) == sorted(
        ["/do/0/a", body(0, "x"), body(0, "y"), body(1, "x"), body(1, "y")]
    )
    assert kept((FAULTED, ""), (second, RIGHT)) == ["/do/0/a"]


@pytest.mark.parametrize("anew", ["", "/do/2/b", "/do/9/unknown"])
def test_tasks_are_found_in_a_changed_definition(anew: str) -> None:
    changed: dict[str, Any] = workflow({"new": SET}, {"a": SET}, {"c": SET})

    assert kept((told("/do/0/a", "/do/2/b"), anew), definition=changed) == ["/do/1/a"]
