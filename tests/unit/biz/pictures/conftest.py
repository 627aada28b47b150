"""Outlines of small definitions, and what runs of them leave."""

import json
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from biz.dsl.memory_runtime import MemoryRuntime, run_in_memory
from biz.dsl.validator import check
from biz.pictures.outline import Outline
from biz.pictures.outlining import outline
from biz.pictures.progress import TaskProgress, task_progress
from tests.fixtures.workflows import START, workflow

Json = dict[str, Any]


@pytest.fixture
def outlined() -> Callable[..., Outline]:
    """Makes the outline of a definition of these tasks."""

    def make(*tasks: Json, max_steps: int = 5000, **properties: Any) -> Outline:
        checked = check(json.dumps(workflow(*tasks, **properties)))
        assert not checked.errors, checked.errors
        return outline(checked.require(), max_steps=max_steps)

    return make


@pytest.fixture
def progress_of() -> Callable[..., Mapping[str, TaskProgress]]:
    """Runs a definition of these tasks in memory; gives what became of each task."""

    def run(
        *tasks: Json,
        input: Any = None,
        answer: Callable[[Any], Any] = lambda call: None,
        until: int | None = None,
        has_ended: bool = True,
        **properties: Any,
    ) -> Mapping[str, TaskProgress]:
        checked = check(json.dumps(workflow(*tasks, **properties)))
        assert not checked.errors, checked.errors
        runtime = MemoryRuntime(answer=answer, start=START)
        try:
            run_in_memory(checked.require(), input, runtime)
        except Exception:
            assert has_ended
        return task_progress(runtime.events[:until], has_ended=has_ended)

    return run
