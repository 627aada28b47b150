"""A runtime in memory: a virtual clock, and answers in place of calls."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from biz.dsl.calls.call import Call
from biz.dsl.expressions import EvaluationError
from biz.dsl.interpreter import Interpreter
from biz.dsl.lifecycle import LifecycleEvent
from biz.dsl.model import Workflow
from biz.dsl.runtime import Progress, RunDescriptor
from biz.dsl.virtual_time import VirtualLoop


def run_in_memory(workflow: Workflow, input: Any, runtime: MemoryRuntime) -> Any:
    """The workflow's output; raises TaskFault where it faults, Stalled where it would wait forever.

    Not to be called where an event loop runs.
    """
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(Interpreter(workflow, runtime).run(input))


def _refuse(program: str, data: str) -> Any:
    raise EvaluationError("it may take too long to be evaluated in memory")


class MemoryRuntime:
    """Runs a workflow without a world. Time passes only while the workflow waits."""

    def __init__(
        self,
        *,
        answer: Callable[[Call], Any],
        start: datetime,
        evaluate: Callable[[str, str], Any] = _refuse,
        id: str = "memory",
        metadata: Mapping[str, Any] | None = None,
        random: Callable[[], float] = lambda: 0.5,
    ) -> None:
        """`answer` gives the output of each call, or raises TaskFault.

        `evaluate` gives the result of a jq program that may not end on a JSON text, or raises
        EvaluationError. `random` gives the random numbers.
        """
        self._answer = answer
        self._evaluate = evaluate
        self._now = start
        self.events: list[LifecycleEvent] = []
        self._random = random
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

    def random(self) -> float:
        """The next random number."""
        return self._random()

    def record(self, event: LifecycleEvent) -> None:
        """Keeps it in `events`."""
        self.events.append(event)

    async def sleep(self, duration: timedelta, progress: Progress) -> None:
        """Lets the clock move on once all wait."""
        await self.timer(duration)

    async def timer(self, duration: timedelta) -> None:
        """Lets the clock move on once all wait."""
        end = self._now + duration
        await asyncio.sleep(duration.total_seconds())
        self._now = max(self._now, end)

    async def call(self, call: Call, progress: Progress) -> Any:
        """Answers at once."""
        call.require_valid()
        return self._answer(call)

    async def evaluate(self, program: str, data: str) -> Any:
        """Evaluates at once."""
        return self._evaluate(program, data)

    async def breathe(self) -> None:
        """Nothing else is there to give way to."""
