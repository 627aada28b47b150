"""Schedules that start executions for events."""

import asyncio
import uuid

from biz.templates.template import TemplateChange, TemplateStatus
from tests.fixtures.scheduled_service import ScheduledService

PLACED = {"with": {"type": "order.placed"}}
PAID = {"with": {"type": "order.paid"}}
EMITS = [
    {"tell": {"emit": {"event": {"with": {"source": "/t", "type": "order.placed", "data": 3}}}}}
]


async def test_each_matching_event_starts_one_run_with_its_data(
    scheduled: ScheduledService,
) -> None:
    template = await scheduled.store({"on": {"one": PLACED}})
    schedule = await scheduled.only(template)
    await scheduled.publish("order.placed", {"order": 1}, id="e-1")
    await scheduled.publish("order.paid", {"order": 1})
    await scheduled.publish("order.placed", {"order": 2}, id="e-2")
    await scheduled.publish("order.placed", {"order": 1}, id="e-1")
    runs = await scheduled.ended_runs(schedule, 2)
    await asyncio.sleep(1.5)
    assert len(await scheduled.runs(schedule)) == 2
    assert [run.input for run in runs] == [[{"order": 1}], [{"order": 2}]]
    assert runs[0].definition == template.config
    changed = await scheduled.only(template)
    assert changed.last_execution_id == runs[-1].id


async def test_events_that_belong_together_start_one_run_together(
    scheduled: ScheduledService,
) -> None:
    correlate = {"order": {"from": "${ .data.order }"}}
    filters = [{**PLACED, "correlate": correlate}, {**PAID, "correlate": correlate}]
    template = await scheduled.store({"on": {"all": filters}, "read": "envelope"})
    schedule = await scheduled.only(template)
    for order in (1, 2):
        await scheduled.publish("order.placed", {"order": order})
    for order in (2, 1):
        await scheduled.publish("order.paid", {"order": order})
    runs = await scheduled.ended_runs(schedule, 2)
    orders = sorted([event["data"]["order"] for event in run.input] for run in runs)
    assert orders == [[1, 1], [2, 2]]
    assert [event["type"] for event in runs[0].input] == ["order.placed", "order.paid"]


async def test_an_event_that_a_run_emits_starts_another(scheduled: ScheduledService) -> None:
    template = await scheduled.store({"on": {"one": PLACED}})
    emitter = await scheduled.store({"after": "PT1H"}, tasks=EMITS)
    await scheduled.ended_runs(await scheduled.only(emitter), 1)
    runs = await scheduled.ended_runs(await scheduled.only(template), 1)
    assert runs[0].input == [3]


async def test_events_of_a_pause_start_nothing(scheduled: ScheduledService) -> None:
    template = await scheduled.store({"on": {"one": PLACED}})
    schedule = await scheduled.only(template)
    await scheduled.schedules.pause(schedule.id, reason="maintenance")
    await scheduled.publish("order.placed", 1)
    await scheduled.schedules.resume(schedule.id, reason="")
    await scheduled.publish("order.placed", 2)
    inactive = TemplateChange(status=TemplateStatus.INACTIVE)
    (run,) = await scheduled.ended_runs(schedule, 1)
    await scheduled.templates.update(template.id, inactive)
    await scheduled.publish("order.placed", 3)
    await asyncio.sleep(1.5)
    assert [run.input for run in await scheduled.runs(schedule)] == [[2]]
    assert run.input == [2]


async def test_an_event_that_cant_be_judged_or_taken_starts_nothing(
    scheduled: ScheduledService,
) -> None:
    judged = {"with": {"type": "order.placed", "data": "${ . + 1 == 3 }"}}
    schema = {"schema": {"document": {"type": "array", "items": {"const": 2}}}}
    template = await scheduled.store({"on": {"any": [judged, PAID]}}, input=schema)
    schedule = await scheduled.only(template)
    await scheduled.publish("order.placed", {"not": "a number"})
    await scheduled.publish("order.paid", 5)
    await scheduled.publish("order.placed", 2)
    runs = await scheduled.ended_runs(schedule, 1)
    assert [run.input for run in runs] == [[2]]


async def test_events_while_the_service_is_down_start_their_runs_after_it(
    scheduled: ScheduledService,
) -> None:
    template = await scheduled.store({"on": {"all": [PLACED, PAID]}})
    schedule = await scheduled.only(template)
    await scheduled.publish("order.placed", str(uuid.uuid4()))
    await asyncio.sleep(1.2)
    await scheduled.close()
    await scheduled.open()
    await scheduled.publish("order.paid", 2)
    (run,) = await scheduled.ended_runs(schedule, 1)
    assert run.input[1:] == [2]
