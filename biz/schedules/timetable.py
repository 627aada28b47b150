"""The port to what says when something is due."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from biz.schedules.schedule import Schedule

START_WORKFLOW = "ScheduledStart"
"""The name under which the engine knows the workflow that starts what is due."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduledStart:
    """What is due. Each of `keys` names one start of the schedule, and makes one execution ever.

    Without keys it is the time at which the engine holds it to be due. `clock` is that of the
    schedule for which the time was reckoned. What was asked for by a caller `is_asked`: it counts
    though the schedule is paused. Where `waits`, the engine knows when the execution has ended.
    """

    schedule_id: str
    clock: str = ""
    keys: Sequence[str] = ()
    is_asked: bool = False
    waits: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class DueExecution:
    """A stored execution that the engine is to run by itself, since it waits for its end."""

    id: str
    namespace: str
    definition: str
    input: Any
    title: str


class Timetable(Protocol):
    """Says what is due, durably. Every method raises EngineUnavailable when it gets no answer."""

    async def put(self, schedule: Schedule) -> None:
        """Makes a timed schedule's entry as the schedule is; one that is so already is left."""
        ...

    async def remove(self, id: str) -> None:
        """Removes a schedule's entry, if there is one."""
        ...

    def ids(self) -> AsyncIterator[str]:
        """The ids of the schedules that have an entry."""
        ...

    async def start(self, name: str, start: ScheduledStart, delay: timedelta) -> None:
        """Has something due after a time; what is under way of this name is left alone."""
        ...
