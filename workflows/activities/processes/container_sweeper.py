"""Ends containers whose time has come, also those of workers that are gone."""

import asyncio
from datetime import timedelta

import structlog

from biz.dsl.errors import TaskFault
from workflows.activities.processes.container_engine import ContainerEngine

_log = structlog.get_logger(__name__)


class ContainerSweeper:
    """Runs beside a worker; any number of them may run at once."""

    def __init__(self, *, engine: ContainerEngine, interval: timedelta) -> None:
        self._engine = engine
        self._interval = interval

    async def run(self) -> None:
        """Sweeps again and again, until cancelled."""
        while True:
            try:
                await self._engine.sweep()
            except TaskFault as fault:
                _log.warning("containers aren't swept", reason=str(fault))
            except Exception:
                _log.exception("sweeping containers failed")
            await asyncio.sleep(self._interval.total_seconds())
