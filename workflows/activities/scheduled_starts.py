"""Starts what a schedule has due."""

from dataclasses import dataclass
from typing import Protocol

from temporalio import activity

from biz.schedules.timetable import DueExecution, ScheduledStart


@dataclass(frozen=True, slots=True, kw_only=True)
class DueRun:
    """An execution to be run, and the version that its run is told."""

    due: DueExecution
    engine_version: str


class Starter(Protocol):
    """What knows the schedules."""

    async def start_due(self, start: ScheduledStart, key: str) -> DueExecution | None:
        """Makes a start that is due, once; an execution that is given back is still to be run."""
        ...


class ScheduledStartActivities:
    """May be repeated; Temporal does so until it succeeds."""

    def __init__(self, *, starter: Starter, engine_version: str) -> None:
        self._starter = starter
        self._engine_version = engine_version

    @activity.defn
    async def start_due(self, start: ScheduledStart, key: str) -> DueRun | None:
        """Fails while the database is down."""
        due = await self._starter.start_due(start, key)
        return None if due is None else DueRun(due=due, engine_version=self._engine_version)
