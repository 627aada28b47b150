"""Who hears of what a run writes of itself."""

from dataclasses import replace

import pytest

from biz.executions.execution import ExecutionEnd, ExecutionStatus
from tests.fakes.execution_repo import FakeExecutionRepo
from tests.fixtures.repos import NOW, new_execution
from workflows.activities.recording import RecordingActivities

END = ExecutionEnd(
    status=ExecutionStatus.FAULTED, output=None, error=None, ended_at=NOW, checkpoint=""
)


@pytest.mark.parametrize("status", [status for status in ExecutionStatus if status.is_end])
async def test_a_fault_is_told_of_once_it_is_written(status: ExecutionStatus) -> None:
    repo = FakeExecutionRepo()
    await repo.create(new_execution("e1"), None)
    seen: list[ExecutionStatus] = []
    activities = RecordingActivities(
        recorder=repo, on_fault=lambda: seen.append(repo.executions["e1"].status)
    )
    await activities.record_end("e1", replace(END, status=status))
    assert seen == ([status] if status is ExecutionStatus.FAULTED else [])
