"""Starts executions for events that schedules wait for.

A schedule reads the events of its namespace behind its cursor. The cursor, the sets of events that
aren't complete and the executions of those that are go into one transaction: each event counts once
for a schedule, whatever crashes, and however many servers look.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol

import structlog

from biz.dsl.events.arrivals import EventPage
from biz.dsl.events.event import EventRead
from biz.dsl.events.event_sets import EventSets
from biz.dsl.events.interests import Interest
from biz.dsl.events.scope import EmptyScope, Evaluator
from biz.dsl.expressions import EvaluationError
from biz.dsl.validator import InvalidWorkflow, load_workflow
from biz.errors import InvalidArgument, TemplateNotFound
from biz.executions.execution import Execution, NewExecution, Runs, new_execution
from biz.repetition import repeat
from biz.schedules.schedule import Schedule, start_id
from biz.schedules.scheduling import SCHEDULE_LABEL
from biz.templates.template import TemplateRepo

_PAUSE = timedelta(seconds=1)
"""The time between two looks, where no event is told of in this process."""
_BATCH = 100

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class EventSchedule:
    """A schedule, the last event that it has looked at, and the sets of events under way."""

    schedule: Schedule
    cursor: int
    sets: Sequence[Any]


class EventScheduleRepo(Protocol):
    """Where schedules and events are kept. Every method is one unit of work."""

    async def list_behind(self, *, after_id: str, limit: int) -> Sequence[EventSchedule]:
        """Those that aren't paused, and have events of their namespace ahead; by id."""
        ...

    async def fetch(self, namespace: str, interests: Sequence[Interest], after: int) -> EventPage:
        """The next events for all of a namespace that satisfy one of the interests."""
        ...

    async def consume(
        self,
        before: EventSchedule,
        *,
        cursor: int,
        sets: Sequence[Any],
        executions: Sequence[NewExecution],
        now: datetime,
    ) -> Sequence[Execution] | None:
        """Moves the cursor on, and stores executions; None where the schedule was changed."""
        ...


class EventStarts:
    """Runs beside the server; any number of them may run at once."""

    def __init__(
        self,
        *,
        repo: EventScheduleRepo,
        templates: TemplateRepo,
        runs: Runs,
        evaluator: Evaluator,
        news: asyncio.Event,
        clock: Callable[[], datetime],
    ) -> None:
        """`news` is set when an event was accepted in this process."""
        self._repo = repo
        self._templates = templates
        self._runs = runs
        self._scope = EmptyScope(evaluator)
        self._news = news
        self._clock = clock

    async def run(self) -> None:
        """Looks again and again, until cancelled."""
        await repeat(self.look, what="starting by events", pause=_PAUSE, news=self._news)

    async def look(self) -> None:
        """Brings all schedules to the last event."""
        after = ""
        while found := await self._repo.list_behind(after_id=after, limit=_BATCH):
            for each in found:
                await self._consume(each)
            after = found[-1].schedule.id

    async def _consume(self, behind: EventSchedule) -> None:
        """Takes a page of events."""
        schedule = behind.schedule
        try:
            template = await self._templates.get(schedule.wanted.template_id)
            workflow = await asyncio.to_thread(load_workflow, template.config)
        except (TemplateNotFound, InvalidWorkflow):
            return  # the schedule goes with it
        definition = workflow.schedule
        if definition is None or definition.on is None:
            return  # likewise
        page = await self._repo.fetch(schedule.namespace, definition.on.interests, behind.cursor)
        sets = EventSets(definition.on, EventRead(definition.read), behind.sets)
        executions = []
        for arrival in page.arrivals:
            try:
                items = await sets.offer(arrival.event, self._scope)
                if items is None:
                    continue
                executions.append(
                    await new_execution(
                        template,
                        id=start_id(schedule.id, str(arrival.sequence)),
                        input=items,
                        now=self._clock(),
                        labels={SCHEDULE_LABEL: schedule.id},
                    )
                )
            except (EvaluationError, InvalidArgument) as error:
                _log.warning(
                    "an event starts nothing",
                    schedule_id=schedule.id,
                    event_sequence=arrival.sequence,
                    reason=str(error),
                )
        stored = await self._repo.consume(
            behind, cursor=page.cursor, sets=sets.state, executions=executions, now=self._clock()
        )
        for execution in stored or ():
            await self._runs.start(execution)
