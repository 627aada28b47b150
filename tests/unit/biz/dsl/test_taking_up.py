"""Where a run can be taken up in the middle, by what its history knows."""

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from biz.dsl.checkpoint import CannotTakeUp, Checkpoint
from biz.dsl.model import Workflow
from biz.dsl.relocation import relocated
from biz.dsl.taking_up import checkpoint_at, with_data
from biz.dsl.validator import load_workflow
from tests.fixtures.workflows import Json, workflow

SET: Json = {"set": {"a": 1}}
TREE = workflow(
    {"first": SET},
    {
        "loop": {
            "for": {"in": "${ [1, 2] }"},
            "do": [
                {
                    "all": {
                        "fork": {
                            "branches": [
                                {"left": {"do": [{"a": SET}]}},
                                {"mid~1/dle": {"do": [{"b": SET}]}},
                                {"right": {"do": [{"c": SET}]}},
                            ]
                        }
                    }
                },
                {"t": {"try": [{"d": SET}], "catch": {"do": [{"e": SET}]}}},
            ],
        }
    },
    {"hear": {"listen": {"to": {"any": []}}, "foreach": {"do": [{"f": SET}]}}},
)
LOOP = "/do/1/loop/for/1/do"
FORK = f"{LOOP}/0/all"
MIDDLE = f"{FORK}/fork/branches/1/mid~01~1dle"


class Known:
    """A history that has all tasks: each got its own path, and gave it, unless it is `open`."""

    def __init__(self, *open: str) -> None:
        self._open = open

    async def started(self, path: str) -> tuple[Any, Any] | None:
        return None if path == "/do/0/unknown" else ({"into": path}, {"at": path})

    async def completed(self, path: str) -> tuple[Any] | None:
        return None if path in self._open else ({"outof": path},)

    async def caught(self, path: str) -> Mapping[str, Any] | None:
        return {"type": "https://example.com/x", "status": 500}


def loaded(definition: Json = TREE) -> Workflow:
    return load_workflow(json.dumps(definition))


async def at(path: str, past: Known | None = None, last: Checkpoint | None = None) -> Checkpoint:
    return await checkpoint_at(path, past or Known(), last, loaded())


async def test_tasks_around_get_what_they_had() -> None:
    path = f"{LOOP}/1/t/catch/do/0/e"

    checkpoint = await at(path)

    assert checkpoint.faulted == path
    assert checkpoint.notes == {
        "/do/1/loop/#context": {"at": "/do/1/loop"},
        f"{LOOP}/1/t/#context": {"at": f"{LOOP}/1/t"},
        f"{path}/#context": {"at": path},
        "/do/#at": "loop",
        "/do/1/loop/#data": {"into": "/do/1/loop"},
        "/do/1/loop/#index": 1,
        "/do/1/loop/#result": {"into": f"{LOOP}/1/t"},
        f"{LOOP}/#at": "t",
        f"{LOOP}/1/t/#data": {"into": f"{LOOP}/1/t"},
        f"{LOOP}/1/t/#error": {"type": "https://example.com/x", "status": 500},
        f"{LOOP}/1/t/catch/do/#at": "e",
        f"{path}/#data": {"into": path},
    }


async def test_branches_beside_keep_what_they_gave_or_go_on_where_they_were() -> None:
    left, right = f"{FORK}/fork/branches/0/left", f"{FORK}/fork/branches/2/right"
    last = Checkpoint(
        consumed=[3, 5], notes={f"{right}/do/#at": "c", f"{right}/#data": 1, "/do/#at": "loop"}
    )

    checkpoint = await at(f"{MIDDLE}/do/0/b", Known(right), last)

    assert checkpoint.notes[f"{left}/#output"] == {"outof": left}
    assert checkpoint.notes[f"{right}/do/#at"] == "c"
    assert f"{right}/#output" not in checkpoint.notes
    assert f"{MIDDLE}/#output" not in checkpoint.notes
    assert checkpoint.notes[f"{MIDDLE}/do/#at"] == "b"
    assert checkpoint.consumed == [3, 5]


@pytest.mark.parametrize(
    "path",
    ["", "nonsense", "/do", "/do/0/unknown", "/do/2/hear/foreach/0/do/0/f", "/use/functions/f"],
)
async def test_elsewhere_nothing_takes_up(path: str) -> None:
    with pytest.raises(CannotTakeUp):
        await at(path)


async def test_an_event_that_was_being_processed_can_be_taken_up() -> None:
    hear, path = "/do/2/hear", "/do/2/hear/foreach/1/do/0/f"
    state = {"open": None, "until": None, "bound": {"order": 7}}
    listening = {
        f"{hear}/#event": [{"id": "2"}, 1],
        f"{hear}/#outputs": [{"id": "1"}],
        f"{hear}/#listening": state,
    }
    last = Checkpoint(notes={**listening, f"{hear}/foreach/1/do/#at": "f", "/do/#at": "hear"})

    checkpoint = await at(path, last=last)

    assert checkpoint.notes.items() >= listening.items()
    assert checkpoint.notes[f"{hear}/foreach/1/do/#at"] == "f"
    for gone in ("/do/2/hear/foreach/0/do/0/f", "/do/2/hear/foreach/2/do/0/f"):
        with pytest.raises(CannotTakeUp, match="the event that was being processed"):
            await at(gone, last=last)


SHARED: Json = {
    **workflow({"first": SET}, {"ask": {"call": "get"}}, {"far": {"call": "log:1.0.0@far"}}),
    "use": {
        "catalogs": {"far": {"endpoint": "http://far"}},
        "functions": {"get": {"do": [{"a": SET}, {"b": SET}]}},
        "extensions": [
            {"all": {"extend": "all", "before": [{"x": SET}], "after": [{"y": SET}]}},
            {"calls": {"extend": "call", "before": [{"x": SET}], "after": [{"y": SET}]}},
        ],
    },
}
ASK = "/do/1/ask"


async def shared(path: str) -> Checkpoint:
    return await checkpoint_at(path, Known(), None, loaded(SHARED))


async def test_a_task_in_a_function_is_taken_up_behind_what_extensions_do_before() -> None:
    checkpoint = await shared(f"{ASK}/use/functions/get/do/1/b")

    notes = {key for key in checkpoint.notes if not key.endswith(("/#data", "/#context"))}
    assert notes == {
        "/do/#at",
        f"{ASK}/use/extensions/0/all/#before",
        f"{ASK}/use/extensions/1/calls/#before",
        f"{ASK}/use/functions/get/use/extensions/0/all/#before",
        f"{ASK}/use/functions/get/do/#at",
    }
    assert checkpoint.notes[f"{ASK}/use/functions/get/do/#at"] == "b"


async def test_a_task_that_an_extension_does_before_is_taken_up() -> None:
    checkpoint = await shared(f"{ASK}/use/extensions/1/calls/before/0/x")

    notes = {key for key in checkpoint.notes if not key.endswith(("/#data", "/#context"))}
    assert notes == {
        "/do/#at",
        f"{ASK}/use/extensions/0/all/#before",
        f"{ASK}/use/extensions/1/calls/before/#at",
    }


async def test_a_task_that_an_extension_does_after_is_not_taken_up() -> None:
    with pytest.raises(CannotTakeUp, match=f"take up at {ASK}:"):
        await shared(f"{ASK}/use/extensions/1/calls/after/0/y")


async def test_a_task_of_a_function_from_elsewhere_is_taken_up() -> None:
    path = "/do/2/far/call/do/3/send"
    checkpoint = await shared(path)

    assert checkpoint.notes["/do/2/far/call/do/#at"] == "send"
    assert relocated(checkpoint, loaded(SHARED)).notes.keys() == checkpoint.notes.keys()
    with pytest.raises(CannotTakeUp, match="take up at /do/2/far/call:"):
        await shared("/do/2/far/call/fork/branches/0/left")


async def test_functions_and_extensions_are_found_by_their_names_too() -> None:
    result = f"{ASK}/use/extensions/1/calls/#result"
    checkpoint = await shared(f"{ASK}/use/functions/get/do/1/b")
    checkpoint = replace(checkpoint, notes={**checkpoint.notes, result: [1, None]})
    changed = json.loads(json.dumps(SHARED))
    changed["use"]["functions"]["get"]["do"].reverse()
    changed["use"]["extensions"].reverse()
    changed["do"].pop(0)

    moved = relocated(checkpoint, loaded(changed))

    assert moved.faulted == "/do/0/ask/use/functions/get/do/0/b"
    assert moved.notes["/do/0/ask/use/extensions/0/calls/#result"] == [1, None]
    assert moved.notes["/do/0/ask/use/extensions/1/all/#before"] is True
    assert len(moved.notes) == len(checkpoint.notes)

    before = await shared(f"{ASK}/use/extensions/1/calls/before/0/x")
    assert relocated(before, loaded(changed)).faulted == (
        "/do/0/ask/use/extensions/0/calls/before/0/x"
    )


async def test_what_an_extension_that_is_gone_did_before_is_forgotten() -> None:
    path = f"{ASK}/use/functions/get/do/1/b"
    checkpoint = await shared(path)
    changed = json.loads(json.dumps(SHARED))
    del changed["use"]["extensions"][1]

    assert f"{ASK}/use/extensions/1/calls/#before" not in (
        relocated(checkpoint, loaded(changed)).notes
    )
    result = {f"{ASK}/use/extensions/1/calls/#result": [1, None]}
    with pytest.raises(CannotTakeUp, match="no extension calls"):
        relocated(Checkpoint(notes=result), loaded(changed))


async def test_other_data_go_into_the_task_that_is_taken_up() -> None:
    checkpoint = with_data(await at("/do/0/first"), [7])

    assert checkpoint.notes["/do/0/first/#data"] == [7]


@pytest.mark.parametrize("under_way", [[], ["/do/0/a", "/do/0/b"]])
def test_other_data_need_one_task_to_go_into(under_way: list[str]) -> None:
    with pytest.raises(CannotTakeUp):
        with_data(Checkpoint(notes={f"{path}/#data": 1 for path in under_way}), 2)


async def test_tasks_are_found_by_their_names_in_a_changed_definition() -> None:
    checkpoint = await at(f"{MIDDLE}/do/0/b")
    changed = json.loads(json.dumps(TREE))
    changed["do"].insert(0, {"new": SET})
    branches = changed["do"][2]["loop"]["do"][0]["all"]["fork"]["branches"]
    branches.reverse()
    branches[1]["mid~1/dle"]["do"].insert(0, {"before": SET})

    moved = relocated(checkpoint, loaded(changed))

    assert moved.faulted == "/do/2/loop/for/1/do/0/all/fork/branches/1/mid~01~1dle/do/1/b"
    fork = "/do/2/loop/for/1/do/0/all/fork"
    assert moved.notes[f"{fork}/branches/2/left/#output"] == {
        "outof": f"{FORK}/fork/branches/0/left"
    }
    assert moved.notes["/do/2/loop/#index"] == 1
    assert moved.notes["/do/2/loop/for/1/do/#at"] == "all"
    assert len(moved.notes) == len(checkpoint.notes)


async def test_a_task_that_is_gone_is_named() -> None:
    checkpoint = await at("/do/0/first")

    with pytest.raises(CannotTakeUp, match="no task /do/first"):
        relocated(checkpoint, loaded(workflow({"other": SET})))
