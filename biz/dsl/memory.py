"""A runtime in memory: a virtual clock, and answers in place of calls."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from biz.dsl.runtime import HttpCall, Progress, RunDescriptor


class MemoryRuntime:
    """Runs a workflow without a world. Time passes only while the workflow waits."""

    def __init__(
        self,
        *,
        answer: Callable[[HttpCall], Any],
        start: datetime,
        id: str = "memory",
        metadata: Mapping[str, Any] | None = None,
    ) -> None:
        """`answer` gives the output of each HTTP call, or raises TaskFault."""
        self._answer = answer
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

    async def breathe(self) -> None:
        """Nothing else is there to give way to."""
