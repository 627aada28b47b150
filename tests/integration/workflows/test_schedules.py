"""Schedules on a real Temporal: when they start executions, and when they don't."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from itertools import pairwise

from biz.execution import Execution, ExecutionStatus
from biz.template import TemplateChange, TemplateStatus
from tests.fixtures.scheduled_service import FAULT, ScheduledService

EVERY_SECOND = {"every": {"seconds": 1}}
INACTIVE = TemplateChange(status=TemplateStatus.INACTIVE)
ACTIVE = TemplateChange(status=TemplateStatus.ACTIVE)


def _spacing(runs: Sequence[Execution]) -> list[float]:
    """The seconds between the starts."""
    times = [run.created_at for run in runs]
    return [(after - before).total_seconds() for before, after in pairwise(times)]


async def test_every_starts_at_its_interval(scheduled: ScheduledService) -> None:
    template = await scheduled.store(EVERY_SECOND, options={"input": {"full": True}})
    runs = await scheduled.ended_runs(await scheduled.only(template), 3)
    assert {run.status for run in runs[:3]} == {ExecutionStatus.COMPLETED}
    assert all(0.5 < seconds < 1.8 for seconds in _spacing(runs[:3]))
    assert runs[0].input == {"full": True}
    assert (runs[0].template_id, runs[0].definition) == (template.id, template.config)


async def test_after_starts_again_when_a_run_has_ended(scheduled: ScheduledService) -> None:
    template = await scheduled.store({"after": "PT1S"}, tasks=FAULT)
    runs = await scheduled.ended_runs(await scheduled.only(template), 3)
    assert {run.status for run in runs[:3]} == {ExecutionStatus.FAULTED}
    for before, after in pairwise(runs[:3]):
        assert before.ended_at is not None
        assert timedelta(seconds=0.9) < after.created_at - before.ended_at < timedelta(seconds=4)


async def test_pausing_a_template_pauses_its_schedule(scheduled: ScheduledService) -> None:
    template = await scheduled.store(EVERY_SECOND)
    schedule = await scheduled.only(template)
    await scheduled.ended_runs(schedule, 1)
    await scheduled.templates.update(template.id, INACTIVE)
    paused = await scheduled.only(template)
    assert (paused.is_paused, paused.pause_reason) == (True, "the template is inactive")
    count = len(await scheduled.runs(schedule))
    await asyncio.sleep(2.5)
    assert len(await scheduled.runs(schedule)) == count
    await scheduled.templates.update(template.id, ACTIVE)
    await scheduled.ended_runs(schedule, count + 1)
