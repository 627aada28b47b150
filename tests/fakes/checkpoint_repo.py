"""Where executions stood, in memory."""

from dataclasses import replace
from typing import Any

from biz.dsl.lifecycle import LifecycleEvent, LifecycleType
from biz.errors import ExecutionRetried
from biz.executions.execution import Execution, NewExecution
from biz.idempotency import RequestKey
from tests.fakes.execution_repo import FakeExecutionRepo


class FakeCheckpointRepo:
    """`biz.executions.checkpoints.CheckpointRepo`; `ends` and `starts` are texts by execution."""

    def __init__(self, executions: FakeExecutionRepo) -> None:
        self.ends: dict[str, str] = {}
        self.starts: dict[str, str] = {}
        self._executions = executions

    async def get(self, execution_id: str) -> str | None:
        return self.ends.get(execution_id)

    async def get_start(self, execution_id: str) -> str | None:
        return self.starts.get(execution_id)

    async def create_retry(
        self, execution: NewExecution, checkpoint: str, request: RequestKey | None
    ) -> Execution:
        ended = await self._executions.get(execution.retry_of)
        if ended.retried_by:
            raise ExecutionRetried(ended.id, ended.retried_by)
        self._executions.executions[ended.id] = replace(ended, retried_by=execution.id)
        self.starts[execution.id] = checkpoint
        return await self._executions.create(execution, request)

    async def find_event(
        self, execution_id: str, type: LifecycleType, task: str, **named: Any
    ) -> LifecycleEvent | None:
        return None
