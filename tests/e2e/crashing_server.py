"""`serve`, but it kills itself at its first start of a run: `before` or `after` Temporal has it."""

import asyncio
import os
import signal
import sys

from dependency_injector import providers

from app.container import opened
from app.settings import load_settings
from biz.engine import RunOrder
from biz.executions.execution import Execution
from data.temporal import TemporalEngine


class CrashingEngine(TemporalEngine):
    """Dies where a power cut would hurt."""

    async def start(self, execution: Execution, order: RunOrder | None = None) -> None:
        if sys.argv[1] == "after":
            await super().start(execution, order)
        os.kill(os.getpid(), signal.SIGKILL)


async def main() -> None:
    async with opened(load_settings()) as container:
        client = await container.temporal_client()
        engine = CrashingEngine(
            client=client, task_queue=container.settings().task_queue, version="test"
        )
        container.engine.override(providers.Object(engine))
        await container.grpc_server()
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main())
