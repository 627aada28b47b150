"""Schedules on a real Temporal: when they start executions, and when they don't."""

import asyncio
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import islice, pairwise, takewhile

import pytest
from temporalio.api.workflowservice.v1 import ListScheduleMatchingTimesRequest

from biz.errors import InvalidArgument, RequestIdReused, ScheduleNotTimed, TemplateInactive
from biz.executions.execution import ExecutionQuery, ExecutionStatus
from biz.paging import PageRequest
from biz.schedules.schedule import Schedule, ScheduleKind, start_id, time_key
from biz.templates.template import TemplateChange, TemplateStatus
from tests.fixtures.scheduled_service import FAULT, ScheduledService, eventually
from tests.patience import PATIENCE_SECONDS

EVERY_SECOND = {"every": {"seconds": 1}}
LONG = [{"rest": {"wait": {"seconds": 2}}}]
INACTIVE = TemplateChange(status=TemplateStatus.INACTIVE)
ACTIVE = TemplateChange(status=TemplateStatus.ACTIVE)

on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
"""For what Temporal does in its time: only how it is stored differs between databases."""


def _ids(schedule: Schedule, count: int) -> set[str]:
    """Those of the runs that start at its first times."""
    times = islice(schedule.times(schedule.anchor), count)
    return {start_id(schedule.id, time_key(time)) for time in times}


async def test_every_starts_at_its_interval(scheduled: ScheduledService) -> None:
    template = await scheduled.store(EVERY_SECOND, options={"input": {"full": True}})
    schedule = await scheduled.only(template)
    runs = await scheduled.ended_runs(schedule, 3)
    assert {run.status for run in runs[:3]} == {ExecutionStatus.COMPLETED}
    assert {run.id for run in runs} <= _ids(schedule, PATIENCE_SECONDS)
    assert runs[0].input == {"full": True}
    assert (runs[0].template_id, runs[0].definition) == (template.id, template.config)


async def test_after_starts_again_when_a_run_has_ended(scheduled: ScheduledService) -> None:
    template = await scheduled.store({"after": "PT1S"}, tasks=FAULT)
    runs = await scheduled.ended_runs(await scheduled.only(template), 3)
    assert {run.status for run in runs[:3]} == {ExecutionStatus.FAULTED}
    for before, after in pairwise(runs[:3]):
        assert before.ended_at is not None
        assert after.created_at - before.ended_at > timedelta(seconds=0.9)


@on_sqlite
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


@on_sqlite
async def test_cron_starts_at_its_minute(scheduled: ScheduledService) -> None:
    template = await scheduled.store({"cron": "* * * * *"}, options={"timeZone": "Asia/Kolkata"})
    schedule = await scheduled.only(template)
    (run,) = await scheduled.ended_runs(schedule, 1, seconds=60 + PATIENCE_SECONDS)
    assert run.id == start_id(
        schedule.id, time_key(run.created_at.replace(second=0, microsecond=0))
    )


@on_sqlite
async def test_after_starts_again_when_a_run_has_completed(scheduled: ScheduledService) -> None:
    template = await scheduled.store({"after": "PT1S"}, options={"input": {"n": 1}})
    runs = await scheduled.ended_runs(await scheduled.only(template), 3)
    assert {run.status for run in runs[:3]} == {ExecutionStatus.COMPLETED}
    assert [run.input for run in runs[:3]] == [{"n": 1}] * 3


async def test_the_newest_active_version_has_the_schedule(scheduled: ScheduledService) -> None:
    first = await scheduled.store(EVERY_SECOND)
    schedule = await scheduled.only(first)
    second = await scheduled.store(EVERY_SECOND, name=first.name, version="2.0.0")
    taken = await scheduled.only(first)
    assert (taken.id, taken.anchor, taken.wanted.template_id) == (
        schedule.id,
        schedule.anchor,
        second.id,
    )
    await scheduled.templates.update(second.id, INACTIVE)
    assert (await scheduled.only(first)).wanted.template_id == first.id
    await scheduled.templates.delete(first.id)
    assert (await scheduled.only(first)).pause_reason == "the template is inactive"
    await scheduled.templates.delete(second.id)
    assert await scheduled.of(first) == []


@on_sqlite
async def test_a_template_that_loses_its_schedule_starts_nothing_more(
    scheduled: ScheduledService,
) -> None:
    template = await scheduled.store({**EVERY_SECOND, "after": "PT1S"})
    assert {schedule.kind for schedule in await scheduled.of(template)} == {
        ScheduleKind.EVERY,
        ScheduleKind.AFTER,
    }
    definition = json.loads(template.config)
    del definition["schedule"]
    change = TemplateChange(config=json.dumps(definition))
    await scheduled.templates.update(template.id, change)
    assert await scheduled.of(template) == []
    await asyncio.sleep(1)
    page = await scheduled.executions.list(PageRequest(), query=ExecutionQuery())
    await asyncio.sleep(2)
    later = await scheduled.executions.list(PageRequest(), query=ExecutionQuery())
    assert len(page.items) == len(later.items)


async def test_a_renamed_template_takes_its_schedule_along(scheduled: ScheduledService) -> None:
    template = await scheduled.store(EVERY_SECOND)
    renamed = await scheduled.templates.update(template.id, TemplateChange(name="other"))
    assert await scheduled.of(template) == []
    await scheduled.ended_runs(await scheduled.only(renamed), 1)


@on_sqlite
async def test_a_pause_by_hand_holds_through_a_new_version_and_a_restart(
    scheduled: ScheduledService,
) -> None:
    template = await scheduled.store(EVERY_SECOND)
    schedule = await scheduled.only(template)
    await scheduled.schedules.pause(schedule.id, reason="maintenance")
    await scheduled.store(EVERY_SECOND, name=template.name, version="2.0.0")
    await scheduled.close()
    await scheduled.open()
    count = len(await scheduled.runs(schedule))
    await asyncio.sleep(2.5)
    paused = await scheduled.schedules.get(schedule.id)
    assert (paused.is_paused, paused.pause_reason) == (True, "maintenance")
    assert len(await scheduled.runs(schedule)) == count
    await scheduled.schedules.resume(schedule.id, reason="done")
    runs = await scheduled.ended_runs(schedule, count + 1)
    assert runs[-1].template_version == "2.0.0"


@on_sqlite
async def test_after_goes_on_when_it_is_resumed(scheduled: ScheduledService) -> None:
    template = await scheduled.store({"after": "PT1S"})
    schedule = await scheduled.only(template)
    await scheduled.ended_runs(schedule, 1)
    await scheduled.schedules.pause(schedule.id, reason="")
    await asyncio.sleep(1.5)
    count = len(await scheduled.runs(schedule))
    await asyncio.sleep(2)
    assert len(await scheduled.runs(schedule)) == count
    await scheduled.schedules.resume(schedule.id, reason="")
    await scheduled.ended_runs(schedule, count + 2)


async def test_a_restart_neither_loses_nor_doubles_a_start(scheduled: ScheduledService) -> None:
    template = await scheduled.store(EVERY_SECOND)
    schedule = await scheduled.only(template)
    await scheduled.ended_runs(schedule, 2)
    await scheduled.close()
    await asyncio.sleep(3)
    await scheduled.open()
    await scheduled.ended_runs(schedule, 7)
    await scheduled.schedules.pause(schedule.id, reason="")
    await asyncio.sleep(1)
    runs = await scheduled.runs(schedule)
    assert {run.id for run in runs} == _ids(schedule, len(runs))


@on_sqlite
async def test_after_goes_on_after_a_restart(scheduled: ScheduledService) -> None:
    template = await scheduled.store({"after": "PT1S"})
    schedule = await scheduled.only(template)
    await scheduled.ended_runs(schedule, 1)
    await scheduled.close()
    await asyncio.sleep(2)
    await scheduled.open()
    runs = await scheduled.ended_runs(schedule, 3)
    for before, after in pairwise(runs):
        assert before.ended_at is not None
        assert after.created_at - before.ended_at > timedelta(seconds=0.9)


async def test_what_is_wrong_at_temporal_is_mended(scheduled: ScheduledService) -> None:
    template = await scheduled.store({"every": "PT1H"})
    other = await scheduled.store({"cron": "0 3 * * *"}, options={"timeZone": "Europe/Berlin"})
    every, cron = await scheduled.only(template), await scheduled.only(other)
    await scheduled.timetable.remove(every.id)
    foreign = replace(every, id="foreign")
    await scheduled.timetable.put(foreign)
    handle = scheduled.temporal.get_schedule_handle(f"{scheduled.settings.task_queue}/{cron.id}")
    wanted = (await handle.describe()).schedule
    await handle.pause()

    async def listed() -> bool:
        return "foreign" in [id async for id in scheduled.timetable.ids()]

    await eventually(listed)
    await scheduled.close()
    await scheduled.open()

    async def mended() -> bool:
        ids = [id async for id in scheduled.timetable.ids()]
        state = (await handle.describe()).schedule.state
        return sorted(ids) == sorted([every.id, cron.id]) and not state.paused

    await eventually(mended)
    assert (await handle.describe()).schedule.spec == wanted.spec


@on_sqlite
async def test_temporal_names_the_times_of_cron(scheduled: ScheduledService) -> None:
    options = {"timeZone": "Europe/Berlin"}
    template = await scheduled.store({"cron": "*/30 1-3 24-31 3,10 SUN"}, options=options)
    schedule = await scheduled.only(template)
    begin = datetime(datetime.now(UTC).year + 1, 1, 1, tzinfo=UTC)
    end = begin.replace(year=begin.year + 1) - timedelta(days=1)
    request = ListScheduleMatchingTimesRequest(
        namespace="default", schedule_id=f"{scheduled.settings.task_queue}/{schedule.id}"
    )
    request.start_time.FromDatetime(begin)
    request.end_time.FromDatetime(end)
    service = scheduled.temporal.workflow_service
    answer = await service.list_schedule_matching_times(request)
    named = [time.ToDatetime(tzinfo=UTC) for time in answer.start_time]
    times = list(takewhile(lambda time: time < end, schedule.times(begin)))
    assert named == times
    assert len(times) > 20


@on_sqlite
async def test_skip_leaves_out_what_overlaps(scheduled: ScheduledService) -> None:
    options = {"overlap": "skip"}
    template = await scheduled.store(EVERY_SECOND, tasks=LONG, options=options)
    runs = await scheduled.ended_runs(await scheduled.only(template), 2)
    assert runs[0].ended_at is not None
    assert runs[1].created_at >= runs[0].ended_at
    assert [run.status for run in runs[:2]] == [ExecutionStatus.COMPLETED] * 2


@on_sqlite
async def test_every_overlaps_by_default(scheduled: ScheduledService) -> None:
    template = await scheduled.store(EVERY_SECOND, tasks=LONG)
    runs = await scheduled.ended_runs(await scheduled.only(template), 1)
    assert len(runs) > 1


@pytest.mark.parametrize(
    ("overlap", "status"),
    [
        ("cancelOther", ExecutionStatus.CANCELLED),
        ("terminateOther", ExecutionStatus.TERMINATED),
    ],
)
@on_sqlite
async def test_the_run_before_is_ended(
    scheduled: ScheduledService, overlap: str, status: ExecutionStatus
) -> None:
    options = {"overlap": overlap}
    forever = [{"rest": {"wait": {"hours": 1}}}]
    template = await scheduled.store(EVERY_SECOND, tasks=forever, options=options)
    runs = await scheduled.ended_runs(await scheduled.only(template), 1)
    assert runs[0].status is status
    await scheduled.templates.delete(template.id, force=True)


async def test_a_trigger_starts_one_execution_a_request(scheduled: ScheduledService) -> None:
    options = {"input": {"full": True}}
    template = await scheduled.store({"cron": "0 0 29 2 *"}, options=options)
    schedule = await scheduled.only(template)
    await scheduled.schedules.pause(schedule.id, reason="")
    first = await scheduled.schedules.trigger(schedule.id, input=None, request_id="r-1")
    again = await scheduled.schedules.trigger(schedule.id, input=None, request_id="r-1")
    with pytest.raises(RequestIdReused):
        await scheduled.schedules.trigger(schedule.id, input={"full": False}, request_id="r-1")
    other = await scheduled.schedules.trigger(schedule.id, input={"full": False}, request_id="")
    assert (first.id, first.input, other.input) == (again.id, {"full": True}, {"full": False})
    assert len(await scheduled.ended_runs(schedule, 2)) == 2
    changed = await scheduled.schedules.get(schedule.id)
    assert (changed.last_execution_id, changed.last_start_time) == (other.id, other.created_at)
    await scheduled.templates.update(template.id, INACTIVE)
    with pytest.raises(TemplateInactive):
        await scheduled.schedules.trigger(schedule.id, input=None, request_id="")
    with pytest.raises(TemplateInactive):
        await scheduled.schedules.resume(schedule.id, reason="")


async def test_a_backfill_makes_the_starts_of_the_past_once(scheduled: ScheduledService) -> None:
    template = await scheduled.store({"cron": "0 */6 * * *"})
    schedule = await scheduled.only(template)
    day = timedelta(days=1)
    begin = datetime(2025, 3, 14, tzinfo=UTC)

    async def backfill(start: datetime, end: datetime, request_id: str = "") -> int:
        return await scheduled.schedules.backfill(
            schedule.id, start_time=start, end_time=end, request_id=request_id
        )

    assert await backfill(begin, begin + day, "r-1") == 4
    assert len(await scheduled.ended_runs(schedule, 4)) == 4
    assert await backfill(begin, begin + day, "r-1") == 4
    assert await backfill(begin, begin + 2 * day) == 4
    runs = await scheduled.ended_runs(schedule, 8)
    times = islice(schedule.times(begin - timedelta(seconds=1)), 8)
    assert {run.id for run in runs} == {start_id(schedule.id, time_key(time)) for time in times}
    with pytest.raises(RequestIdReused):
        await backfill(begin, begin + 3 * day, "r-1")


@pytest.mark.parametrize(
    ("start", "end"),
    [
        ("2025-03-14", "2025-03-14"),
        ("2025-03-14", "2025-03-13"),
        ("2023-03-14", "2025-03-14"),
        ("2025-03-14", "9999-01-01"),
        ("2025-03-14", "2025-03-16"),
    ],
)
@on_sqlite
async def test_a_backfill_has_bounds(scheduled: ScheduledService, start: str, end: str) -> None:
    schedule = await scheduled.only(await scheduled.store({"cron": "* * * * *"}))
    with pytest.raises(InvalidArgument) as refused:
        await scheduled.schedules.backfill(
            schedule.id,
            start_time=datetime.fromisoformat(start).replace(tzinfo=UTC),
            end_time=datetime.fromisoformat(end).replace(tzinfo=UTC),
            request_id="",
        )
    assert [fault.field for fault in refused.value.violations] == ["end_time"]


async def test_only_a_timed_schedule_can_be_backfilled(scheduled: ScheduledService) -> None:
    schedule = await scheduled.only(await scheduled.store({"after": "PT1H"}))
    with pytest.raises(ScheduleNotTimed):
        await scheduled.schedules.backfill(
            schedule.id,
            start_time=datetime(2025, 3, 14, tzinfo=UTC),
            end_time=datetime(2025, 3, 15, tzinfo=UTC),
            request_id="",
        )
