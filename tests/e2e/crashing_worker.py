"""`worker`, but it kills itself once it has written that a task has completed.

Temporal doesn't hear of the workflow task in which it did: another worker does that anew.
"""

import asyncio
import os
import signal

from dependency_injector import providers

from app.container import opened
from app.settings import load_settings
from biz.dsl.lifecycle import LifecycleType
from biz.executions.execution import ExecutionProgress
from biz.executions.history_batch import NO_HISTORY, HistoryBatch
from data.execution import PeeweeExecutionRepo


class CrashingRepo(PeeweeExecutionRepo):
    """Dies where a power cut would hurt."""

    async def record_progress(
        self, id: str, progress: ExecutionProgress, events: HistoryBatch = NO_HISTORY
    ) -> None:
        await super().record_progress(id, progress, events)
        if any(entry.type == LifecycleType.TASK_COMPLETED for entry in events.entries):
            os.kill(os.getpid(), signal.SIGKILL)


async def main() -> None:
    async with opened(load_settings()) as container:
        repo = CrashingRepo(database=await container.checked_database(), clock=container.clock())
        container.execution_repo.override(providers.Object(repo))
        await container.worker()
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main())
