"""Schedules on both databases: what is stored, what the timetable gets, and what is due."""

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from biz.errors import ScheduleNotFound
from biz.executions.execution import ExecutionEnd, ExecutionStatus
from biz.executions.runs import ExecutionRuns
from biz.schedules.reconciler import ScheduleReconciler
from biz.schedules.schedule import Schedule, ScheduleKind, ScheduleQuery, start_id
from biz.schedules.scheduling import FIRST_KEY, Scheduling
from biz.schedules.timetable import ScheduledStart
from biz.templates.template import Template, TemplateChange, TemplateStatus
from data.database import Database
from data.execution import PeeweeExecutionRepo
from data.schedule import PeeweeScheduleRepo
from data.template import PeeweeTemplateRepo
from data.template_alias import PeeweeTemplateAliasRepo
from tests.fakes.engine import FakeEngine
from tests.fakes.timetable import FakeTimetable
from tests.fixtures.repos import NOW, Clock, first, new_template
from tests.fixtures.workflows import workflow

COMPLETED = ExecutionEnd(
    status=ExecutionStatus.COMPLETED, output=None, error=None, ended_at=NOW + timedelta(seconds=1)
)


class World:
    """The parts of scheduling over real repositories, a clock that stands and a fake timetable."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self.clock = clock
        self.templates = PeeweeTemplateRepo(database=database)
        self.executions = PeeweeExecutionRepo(database=database, clock=clock)
        self.repo = PeeweeScheduleRepo(database=database)
        self.engine = FakeEngine()
        self.timetable = FakeTimetable()
        self.scheduling = Scheduling(
            repo=self.repo,
            templates=self.templates,
            versions=PeeweeTemplateAliasRepo(database=database),
            executions=self.executions,
            runs=ExecutionRuns(repo=self.executions, engine=self.engine, clock=clock),
            timetable=self.timetable,
            clock=clock,
        )
        self.reconciler = ScheduleReconciler(
            repo=self.repo,
            scheduling=self.scheduling,
            timetable=self.timetable,
            clock=clock,
            interval=timedelta(seconds=1),
            sweep_interval=timedelta(seconds=1),
        )

    async def store(self, schedule: Any, *, version: str = "1.0.0", **extra: Any) -> Template:
        """A template, of which nobody has told the schedules yet."""
        config = json.dumps(workflow({"t": {"set": {"x": 1}}}, schedule=schedule, **extra))
        return await self.templates.create(new_template(config=config, version=version), None)

    async def tell(self) -> None:
        await self.scheduling.template_changed("shop", "order")

    async def update(self, template: Template, **change: Any) -> None:
        change_ = TemplateChange(**change)
        await self.templates.update(template.id, change_, updated_at=self.clock())

    async def all(self) -> Sequence[Schedule]:
        return (await self.repo.list(ScheduleQuery(), first(by="id"))).items

    async def only(self) -> Schedule:
        (schedule,) = await self.all()
        return schedule


@pytest.fixture
def world(database: Database, clock: Clock) -> World:
    return World(database, clock)


async def test_a_change_that_nobody_told_of_is_settled_by_the_reconciler(world: World) -> None:
    await world.store({"every": "PT5S"})
    await world.reconciler.look()
    schedule = await world.only()
    assert world.timetable.entries[schedule.id].wanted.interval == timedelta(seconds=5)
    assert schedule.applied_revision == schedule.revision
    assert await world.repo.list_changes(limit=10) == []


async def test_a_timetable_that_is_away_gets_the_schedule_later(world: World) -> None:
    world.timetable.available = False
    template = await world.store({"every": "PT5S"})
    await world.tell()
    schedule = await world.only()
    assert schedule.applied_revision < schedule.revision
    world.timetable.available = True
    await world.reconciler.look()
    assert list(world.timetable.entries) == [schedule.id]
    world.timetable.available = False
    await world.templates.delete(template.id, force=False)
    await world.tell()
    world.timetable.available = True
    await world.reconciler.sweep()
    assert world.timetable.entries == {}


async def test_a_change_is_settled_once_by_what_was_read_after_it(world: World) -> None:
    template = await world.store({"every": "PT5S"})
    change = await world.repo.find_change("shop", "order")
    assert change is not None
    await world.update(template, status=TemplateStatus.INACTIVE)
    await world.tell()
    stale = [replace((await world.only()).wanted, is_active=True)]
    assert (await world.repo.settle(change, stale, now=NOW)).changed == ()
    assert (await world.only()).is_paused


async def test_a_template_that_isnt_valid_any_more_has_no_schedule(world: World) -> None:
    await world.templates.create(new_template(config="{}"), None)
    await world.tell()
    assert await world.all() == []


async def test_what_is_due_is_started_once(world: World) -> None:
    template = await world.store({"every": "PT5S"})
    await world.tell()
    schedule = await world.only()
    start = ScheduledStart(schedule_id=schedule.id, clock=schedule.clock)
    for _ in range(2):
        assert await world.scheduling.start_due(start, "noon") is None
    (run,) = world.engine.started
    assert (run.id, run.template_id) == (start_id(schedule.id, "noon"), template.id)
    assert (await world.only()).last_execution_id == run.id


async def test_what_the_schedule_doesnt_stand_to_starts_nothing(world: World) -> None:
    template = await world.store({"every": "PT5S"})
    await world.tell()
    schedule = await world.only()
    start = ScheduledStart(schedule_id=schedule.id, clock=schedule.clock)
    await world.scheduling.start_due(replace(start, clock="another"), "1")
    await world.repo.hold(schedule.id, "")
    await world.scheduling.start_due(start, "2")
    await world.repo.release(schedule.id, "")
    await world.update(template, status=TemplateStatus.INACTIVE)  # of which nobody has told
    await world.scheduling.start_due(start, "3")
    await world.scheduling.start_due(replace(start, is_asked=True), "4")
    await world.templates.delete(template.id, force=False)
    await world.scheduling.start_due(start, "5")
    await world.scheduling.start_due(start, "6")
    assert world.engine.started == []


async def test_what_is_due_runs_the_newest_version_that_is_stored(world: World) -> None:
    await world.store({"every": "PT5S"})
    await world.tell()
    schedule = await world.only()
    newest = await world.store({"every": "PT5S"}, version="2.0.0")
    start = ScheduledStart(schedule_id=schedule.id, clock=schedule.clock)
    await world.scheduling.start_due(start, "noon")
    assert [run.template_id for run in world.engine.started] == [newest.id]


async def test_an_execution_that_is_waited_for_is_given_back(world: World) -> None:
    document = workflow()["document"]
    options = {**document, "metadata": {"schedule": {"overlap": "skip", "input": {"n": 1}}}}
    await world.store({"every": "PT5S"}, document=options)
    await world.tell()
    schedule = await world.only()
    start = ScheduledStart(schedule_id=schedule.id, clock=schedule.clock, waits=True)
    for _ in range(2):
        due = await world.scheduling.start_due(start, "noon")
        assert due is not None
        assert (due.input, due.title) == ({"n": 1}, "shop/order 1.0.0")
    await world.executions.record_end(due.id, COMPLETED)
    assert await world.scheduling.start_due(start, "noon") is None
    assert world.engine.started == []


async def test_after_follows_its_last_run_and_no_other(world: World) -> None:
    await world.store({"after": "PT5S"})
    await world.tell()
    schedule = await world.only()
    ((start, delay),) = world.timetable.starts.values()
    assert (start.keys, delay) == ([FIRST_KEY], timedelta())
    await world.scheduling.start_due(start, FIRST_KEY)
    (run,) = world.engine.started
    world.timetable.starts.clear()
    await world.reconciler.look()
    assert world.timetable.starts == {}
    world.clock.now = NOW + timedelta(seconds=2)
    await world.executions.record_end(run.id, COMPLETED)
    await world.scheduling.run_ended("another")
    await world.scheduling.run_ended(run.id)
    ((start, delay),) = world.timetable.starts.values()
    assert (start.keys, delay) == ([run.id], timedelta(seconds=4))
    due = await world.only()
    assert due.next_times(world.clock.now) == (NOW + timedelta(seconds=6),)
    await world.scheduling.start_due(start, FIRST_KEY)
    assert len(world.engine.started) == 1
    await world.scheduling.start_due(start, run.id)
    assert world.engine.started[1].id == start_id(schedule.id, run.id)


async def test_after_is_mended_where_its_last_run_ended_unnoticed(world: World) -> None:
    await world.store({"after": "PT5S"})
    await world.tell()
    await world.scheduling.start_due(ScheduledStart(schedule_id=(await world.only()).id), FIRST_KEY)
    (run,) = world.engine.started
    await world.executions.record_end(run.id, COMPLETED)
    world.timetable.starts.clear()
    world.timetable.available = False
    await world.scheduling.run_ended(run.id)
    world.timetable.available = True
    await world.reconciler.look()
    ((start, _),) = world.timetable.starts.values()
    assert start.keys == [run.id]


async def test_a_new_interval_counts_from_its_change(world: World) -> None:
    template = await world.store({"every": "PT5S"})
    await world.tell()
    before = await world.only()
    world.clock.now = NOW + timedelta(hours=1)
    other = json.loads(template.config)
    await world.update(template, config=json.dumps({**other, "schedule": {"every": "PT7S"}}))
    await world.tell()
    after = await world.only()
    assert (after.id, after.clock != before.clock) == (before.id, True)
    assert after.anchor == (NOW + timedelta(hours=1)).replace(microsecond=0)
    assert after.next_times(world.clock.now)[0] == after.anchor + timedelta(seconds=7)


async def test_the_sweep_brings_back_what_is_missing(world: World) -> None:
    await world.store({"every": "PT5S", "after": "PT1H", "on": {"any": []}})
    await world.tell()
    kinds = {schedule.kind for schedule in await world.all()}
    assert kinds == set(ScheduleKind) - {ScheduleKind.CRON}
    (entry,) = world.timetable.entries.values()
    world.timetable.entries = {"foreign": replace(entry, id="foreign")}
    await world.reconciler.sweep()
    assert list(world.timetable.entries) == [entry.id]


async def test_an_unknown_schedule_isnt_found(world: World) -> None:
    for call in (world.repo.get, lambda id: world.repo.hold(id, "")):
        with pytest.raises(ScheduleNotFound):
            await call("nothing")
    assert not await world.repo.mark_applied("nothing", 1)
