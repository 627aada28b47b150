"""Where a dry run isn't what its case expects."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

from biz.dsl.dry_run import DryRun, Ending
from biz.dsl.durations import shown_duration
from biz.dsl.errors import WorkflowError, is_same_type
from biz.dsl.lifecycle import ABSENT, LifecycleType
from biz.dsl.mocks import MadeCall
from biz.dsl.task_paths import read_task_path, suffixes
from biz.testing.cases import CallExpectation, Expectation
from biz.testing.matching import MAX_DIFFERENCES, differences, shown


def mismatches(expect: Expectation, run: DryRun) -> Sequence[str]:
    """A line for each thing that is otherwise than expected; empty where the run is right."""
    return list(islice(_mismatches(expect, run), MAX_DIFFERENCES))


def shown_ending(run: DryRun) -> str:
    """How a run ended, in a line."""
    match run.ending:
        case Ending.COMPLETED:
            return f"completed with {shown(run.output)}"
        case Ending.WAITING:
            return f"waits for an event that never comes, at {', '.join(run.current_tasks)}"
        case Ending.UNMOCKED:
            return run.error.detail if run.error else ""
    return f"faulted: {shown_error(run.error)}" if run.error else ""


def shown_error(error: WorkflowError) -> str:
    """An error in a line."""
    kind = error.title or error.type
    detail = f": {error.detail}" if error.detail else ""
    return f"{kind} ({error.status}) at {error.instance or 'the workflow'}{detail}"


def has_run(run: DryRun, task: str) -> bool:
    """Whether a task, or an iteration of it, has started."""
    return any(
        event.type is LifecycleType.TASK_STARTED and is_task(event.task, task)
        for event in run.trace
    )


def calls_of(run: DryRun, task: str) -> Sequence[MadeCall]:
    """The calls that a task made, in order."""
    return [made for made in run.calls if is_task(made.task, task)]


def is_task(path: str, task: str) -> bool:
    """Whether a path is of a task, which is told by its reference with iterations or without."""
    wanted = read_task_path(task)
    return any(read_task_path(suffix).is_within(wanted) for suffix in suffixes(path))


def _mismatches(expect: Expectation, run: DryRun) -> Iterator[str]:
    if run.ending is not expect.ending:
        yield f"the run {shown_ending(run)}; expected: {_shown_expectation(expect)}"
    elif expect.output is not ABSENT:
        for line in differences(expect.output, run.output):
            yield f"output: {line}"
    elif run.error is not None:
        for line in _error_differences(expect.error, run.error):
            yield f"error: {line}"
    if expect.duration is not None and run.duration != expect.duration:
        yield (
            f"duration: {shown_duration(run.duration)} on the virtual clock, "
            f"expected {shown_duration(expect.duration)}"
        )
    for task in expect.run:
        if not has_run(run, task):
            yield f"run: {task} didn't run"
    for task in expect.not_run:
        if has_run(run, task):
            yield f"notRun: {task} ran"
    for task, calls in expect.calls.items():
        for line in _call_differences(calls, calls_of(run, task)):
            yield f"calls of {task}: {line}"
    if expect.emitted is not None:
        for line in differences(list(expect.emitted), list(run.emitted)):
            yield f"emitted: {line}"


def _shown_expectation(expect: Expectation) -> str:
    if expect.ending is Ending.COMPLETED:
        given = "" if expect.output is ABSENT else f" with {shown(expect.output)}"
        return f"it completes{given}"
    if expect.ending is Ending.WAITING:
        return "it waits for an event"
    return f"it faults with {shown(expect.error)}" if expect.error else "it faults"


def _error_differences(expected: Mapping[str, Any], error: WorkflowError) -> Iterator[str]:
    actual = error.to_json()
    for name, value in expected.items():
        given = actual.get(name, "")
        if name == "type":
            matches = is_same_type(given, WorkflowError.like(value).type)
        elif name == "detail":
            matches = value in given
        else:
            matches = given == value
        if not matches:
            what = "expected it to hold" if name == "detail" else "expected"
            yield f"{name} is {shown(given)}, {what} {shown(value)}"


def _call_differences(expected: CallExpectation, made: Sequence[MadeCall]) -> Iterator[str]:
    if expected.count is not None and len(made) != expected.count:
        yield f"{len(made)}, expected {expected.count}"
    if isinstance(expected.sent, list):
        if len(made) != len(expected.sent):
            yield f"{len(made)}, expected {len(expected.sent)}"
        wanted = expected.sent
    elif expected.sent is ABSENT:
        return
    else:
        if not made and expected.count is None:
            yield "none"
        wanted = [expected.sent] * len(made)
    for call, sent in zip(made, wanted, strict=False):
        for line in differences(sent, call.sent):
            yield f"sent {line} ({call.task})"
