"""What histories say of the tasks of a definition."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from biz.dsl.errors import TaskFault, WorkflowError
from biz.dsl.lifecycle import LifecycleEvent, LifecycleType
from biz.pictures.progress import TaskProgress, TaskState, task_progress
from biz.pictures.progress_text import progress_text, took_text
from tests.fixtures.workflows import START

Progress = Callable[..., Mapping[str, TaskProgress]]
NOTHING = {"set": {"a": 1}}
CALL = {"call": "http", "with": {"method": "get", "endpoint": "https://x.example.com"}}


class Flaky:
    """Answers after so many faults."""

    def __init__(self, faults: int) -> None:
        self._left = faults

    def __call__(self, call: Any) -> Any:
        if self._left:
            self._left -= 1
            raise TaskFault(WorkflowError.standard("communication", "busy", status=503))
        return {}


def test_iterations_and_what_is_done_in_them_are_counted(progress_of: Progress) -> None:
    tasks = progress_of(
        {"loop": {"for": {"in": [{}, {}, {}]}, "do": [{"w": {"wait": {"seconds": 2}}}]}}
    )
    loop, inner = tasks["/do/0/loop"], tasks["/do/0/loop/do/0/w"]
    assert (loop.state, loop.iterations) == (TaskState.COMPLETED, 3)
    assert (inner.places, inner.completed, inner.took) == (3, 3, timedelta(seconds=6))
    assert progress_text(inner) == "completed, 3 of 3 done, 6.0 s"
    assert progress_text(loop, 3) == "completed, 3 of 3 iterations, 6.0 s"
    assert progress_text(loop) == "completed, 3 iterations, 6.0 s"


def test_a_loop_under_way_tells_how_far_it_is(progress_of: Progress) -> None:
    tasks = progress_of(
        {"loop": {"for": {"in": [{}, {}, {}]}, "do": [{"w": {"wait": {"seconds": 2}}}]}},
        until=8,
        has_ended=False,
    )
    assert progress_text(tasks["/do/0/loop"], 3) == "running since 03:04:05, 2 of 3 iterations"
    inner = progress_text(tasks["/do/0/loop/do/0/w"])
    assert inner == "running since 03:04:07, 1 of 2 done, 2.0 s"


def test_attempts_are_counted(progress_of: Progress) -> None:
    retry = {"delay": {"seconds": 1}, "limit": {"attempt": {"count": 3}}}
    tasks = progress_of({"t": {"try": [{"c": CALL}], "catch": {"retry": retry}}}, answer=Flaky(2))
    assert progress_text(tasks["/do/0/t"]) == "completed, 3 attempts, 2.0 s"
    assert progress_text(tasks["/do/0/t/try/0/c"]) == "completed, 3 attempts, 0 ms"


def test_a_fault_is_told_by_its_title(progress_of: Progress) -> None:
    tasks = progress_of({"c": CALL}, {"never": NOTHING}, answer=Flaky(1))
    assert tasks["/do/0/c"].state is TaskState.FAULTED
    assert tasks["/do/0/c"].error is not None
    assert progress_text(tasks["/do/0/c"]).startswith("faulted: ")
    assert "/do/1/never" not in tasks


def test_the_branches_that_lose_are_cancelled(progress_of: Progress) -> None:
    branches = [{"slow": {"wait": {"seconds": 9}}}, {"fast": {"wait": {"seconds": 1}}}]
    tasks = progress_of({"race": {"fork": {"compete": True, "branches": branches}}})
    states = {path.rpartition("/")[2]: task.state for path, task in tasks.items()}
    assert states == {
        "race": TaskState.COMPLETED,
        "slow": TaskState.CANCELLED,
        "fast": TaskState.COMPLETED,
    }


def test_what_runs_when_a_run_was_cut_off_is_cancelled(progress_of: Progress) -> None:
    tasks = progress_of({"a": {"wait": {"seconds": 9}}}, until=3, has_ended=True)
    assert tasks["/do/0/a"].state is TaskState.CANCELLED


def test_jumps_back_are_counted(progress_of: Progress) -> None:
    again = [{"more": {"when": ".n < 3", "then": "a"}}]
    tasks = progress_of(
        {"a": {"set": {"n": "${ .n + 1 }"}}}, {"s": {"switch": again}}, input={"n": 0}
    )
    assert progress_text(tasks["/do/0/a"]) == "completed, started 3 times, 0 ms"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.0124, "12 ms"), (1.25, "1.2 s"), (61.4, "1 min 1 s"), (7200, "2 h")],
)
def test_times_are_no_more_exact_than_is_of_use(seconds: float, text: str) -> None:
    assert took_text(timedelta(seconds=seconds)) == text


def completed(path: str, sequence: int = 1) -> LifecycleEvent:
    return LifecycleEvent(
        sequence=sequence,
        type=LifecycleType.TASK_COMPLETED,
        time=START + timedelta(seconds=2),
        task=path,
        started_at=START,
    )


def test_what_a_run_before_has_done_is_kept_until_it_is_done_again() -> None:
    body = "/do/0/loop/for/{}/do/0/a"
    kept = [completed("/do/1/b"), *(completed(body.format(n)) for n in (0, 1))]
    again = [
        replace(completed(body.format(n)), type=type)
        for n in (1, 2)
        for type in (LifecycleType.TASK_STARTED, LifecycleType.TASK_COMPLETED)
    ]

    tasks = task_progress(again, has_ended=True, kept=kept)

    b, a = tasks["/do/1/b"], tasks["/do/0/loop/do/0/a"]
    assert (b.state, b.places, b.completed, b.kept) == (TaskState.KEPT, 1, 1, 1)
    assert (a.state, a.places, a.completed, a.kept) == (TaskState.COMPLETED, 3, 3, 1)
    assert progress_text(b) == "kept from a run before, 2.0 s"
    assert progress_text(a) == "completed, 3 of 3 done, 1 kept from a run before, 6.0 s"
