"""A runtime in memory: a virtual clock, and answers in place of calls."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from biz.dsl.expressions import EvaluationError
from biz.dsl.runtime import HttpCall, Progress, RunDescriptor


def _refuse(program: str, data: str) -> Any:
    raise EvaluationError("it may take too long to be evaluated in memory")


class MemoryRuntime:
    """Runs a workflow without a world. Time passes only while the workflow waits."""

    def __init__(
        self,
        *,
        answer: Callable[[HttpCall], Any],
        start: datetime,
        evaluate: Callable[[str, str], Any] = _refuse,
        id: str = "memory",
        metadata: Mapping[str, Any] | None = None,
    ) -> None:
        """`answer` gives the output of each HTTP call, or raises TaskFault.

        `evaluate` gives the result of a jq program that may not end on a JSON text, or raises
        EvaluationError.
        """
        self._answer = answer
        self._evaluate = evaluate
        self._now = start
        self._run = RunDescriptor(
            id=id,
            started_at=start,
            runtime_name="workflow-engine",
            runtime_version="memory",
            runtime_metadata=metadata or {},
        )

    def describe(self) -> RunDescriptor:
        """See Runtime."""
        return self._run

    def now(self) -> datetime:
        """The virtual clock."""
        return self._now

    async def sleep(self, duration: timedelta, progress: Progress) -> None:
        """Moves the clock on."""
        self._now += duration

    async def call_http(self, call: HttpCall, progress: Progress) -> Any:
        """Answers at once."""
        return self._answer(call)

    async def evaluate(self, program: str, data: str) -> Any:
        """Evaluates at once."""
        return self._evaluate(program, data)

    async def breathe(self) -> None:
        """Nothing else is there to give way to."""
