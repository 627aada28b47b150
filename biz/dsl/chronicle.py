"""Tells a runtime what happens in a run, in the order in which it happens."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from biz.dsl.errors import TaskFault, WorkflowError
from biz.dsl.lifecycle import ABSENT, LifecycleEvent, LifecycleType
from biz.dsl.run_control import RunControl
from biz.dsl.runtime import Runtime

_TRY = "/try/"


@dataclass(slots=True)
class Told:
    """What the block of a task or run leaves for the event of its good end."""

    output: Any = ABSENT


class Chronicle:
    """The lifecycle events of one run. `context` is `$context` as it is at present."""

    def __init__(self, runtime: Runtime, control: RunControl) -> None:
        self._runtime = runtime
        self._control = control
        self._sequence = 0
        self._attempts: dict[str, int] = {}
        self._iterations: dict[str, int] = {}
        self.context: Any = ABSENT

    @contextmanager
    def workflow(self, input: Any) -> Iterator[Told]:
        """Tells the start of the run before the block, and its end after it."""
        with self._told(
            "",
            input,
            started=LifecycleType.WORKFLOW_STARTED,
            completed=LifecycleType.WORKFLOW_COMPLETED,
            faulted=LifecycleType.WORKFLOW_FAULTED,
            cancelled=LifecycleType.WORKFLOW_CANCELLED,
        ) as told:
            yield told

    @contextmanager
    def task(self, path: str, input: Any) -> Iterator[Told]:
        """Tells the start of a task before the block, and its end after it."""
        self._tell(LifecycleType.TASK_CREATED, path)
        with self._told(
            path,
            input,
            started=LifecycleType.TASK_STARTED,
            completed=LifecycleType.TASK_COMPLETED,
            faulted=LifecycleType.TASK_FAULTED,
            cancelled=LifecycleType.TASK_CANCELLED,
        ) as told:
            yield told

    @contextmanager
    def attempt(self, path: str, number: int) -> Iterator[None]:
        """What is done in the block is an attempt of the `try` task at `path`."""
        if number > 1:
            self._tell(LifecycleType.TASK_RETRIED, path, attempt=number)
        self._attempts[path] = number
        try:
            yield
        finally:
            del self._attempts[path]

    @contextmanager
    def loop(self, path: str, iterations: int) -> Iterator[None]:
        """What is done in the block is done by the loop at `path`, which has so many at most."""
        self._iterations[path] = iterations
        try:
            yield
        finally:
            del self._iterations[path]

    def suspended(self, waiting: Sequence[str]) -> None:
        """Tells that the run is held, and the tasks at these paths, which only wait, with it."""
        self._tell(LifecycleType.WORKFLOW_SUSPENDED, "")
        for path in waiting:
            self._tell(LifecycleType.TASK_SUSPENDED, path)

    def resumed(self, waiting: Sequence[str]) -> None:
        """Tells that the run goes on, and the tasks at these paths with it."""
        self._tell(LifecycleType.WORKFLOW_RESUMED, "")
        for path in waiting:
            self._tell(LifecycleType.TASK_RESUMED, path)

    @contextmanager
    def _told(
        self,
        path: str,
        input: Any,
        *,
        started: LifecycleType,
        completed: LifecycleType,
        faulted: LifecycleType,
        cancelled: LifecycleType,
    ) -> Iterator[Told]:
        started_at = self._runtime.now()
        self._tell(
            started,
            path,
            input=input,
            context=self.context,
            iterations=self._iterations.get(_loop_around(path)),
        )
        told = Told()
        try:
            yield told
        except asyncio.CancelledError:
            reason = None if path else self._control.cancellation
            self._tell(cancelled, path, started_at=started_at, error=reason)
            raise
        except TaskFault as fault:
            fault.path = fault.path or path
            self._tell(faulted, path, started_at=started_at, error=fault.error)
            raise
        self._tell(completed, path, started_at=started_at, output=told.output)

    def _tell(
        self,
        type: LifecycleType,
        path: str,
        *,
        attempt: int = 0,
        error: WorkflowError | None = None,
        started_at: datetime | None = None,
        input: Any = ABSENT,
        output: Any = ABSENT,
        context: Any = ABSENT,
        iterations: int | None = None,
    ) -> None:
        self._sequence += 1
        self._runtime.record(
            LifecycleEvent(
                sequence=self._sequence,
                type=type,
                time=self._runtime.now(),
                task=path,
                attempt=attempt or self._attempt(path),
                error=error,
                started_at=started_at,
                input=input,
                output=output,
                context=context,
                iterations=iterations,
            )
        )

    def _attempt(self, path: str) -> int:
        """That of the innermost `try` around a task."""
        if not self._attempts:
            return 1
        end = path.rfind(_TRY)
        while end >= 0:
            if path[:end] in self._attempts:
                return self._attempts[path[:end]]
            end = path.rfind(_TRY, 0, end)
        return 1


def _loop_around(path: str) -> str:
    """The path of the loop that a task stands directly in, if it does: LOOP/for/2/do/0/task."""
    return path.rsplit("/", 5)[0]
