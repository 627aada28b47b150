"""The port to where executions stood when they ended."""

from __future__ import annotations

from typing import Protocol

from biz.dsl.lifecycle import LifecycleEvent, LifecycleType
from biz.executions.execution import Execution, NewExecution
from biz.idempotency import RequestKey


class CheckpointRepo(Protocol):
    """Where checkpoints are kept; runs write theirs with their end."""

    async def get(self, execution_id: str) -> str | None:
        """The text of where an execution stood at its end, None where that wasn't kept."""
        ...

    async def get_start(self, execution_id: str) -> str | None:
        """The text of where it took up, None where it began at the beginning."""
        ...

    async def create_retry(
        self, execution: NewExecution, checkpoint: str, request: RequestKey | None
    ) -> Execution:
        """Stores an execution that takes up from `execution.retry_of`; the two name each other.

        It sees the events that the other one saw, also those for that one alone. A known `request`
        answers the execution that it made. Raises ExecutionRetried, BusinessKeyInUse,
        RequestIdReused, ExecutionNotFound.
        """
        ...

    async def find_event(
        self, execution_id: str, type: LifecycleType, task: str, *, within: bool = False
    ) -> LifecycleEvent | None:
        """The last event of a type that its history has of a task, or `within` it, with values.

        `context` is told as well.
        """
        ...
