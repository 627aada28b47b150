"""`schedule`: what it holds, and what is refused."""

import json
from datetime import timedelta
from typing import Any

import pytest

from biz.dsl.schedule import Schedule
from biz.dsl.validator import check
from tests.fixtures.workflows import Json, faults, workflow

EVENTS = {"one": {"with": {"type": "order.placed"}}}


@pytest.mark.parametrize(
    ("schedule", "read"),
    [
        ({"every": {"minutes": 5}}, Schedule(every=timedelta(minutes=5))),
        ({"after": "PT1H"}, Schedule(after=timedelta(hours=1))),
        ({"cron": "0 0 * * *"}, Schedule(cron="0 0 * * *")),
        (
            {"every": "PT1S", "after": "PT2S"},
            Schedule(every=timedelta(seconds=1), after=timedelta(seconds=2)),
        ),
    ],
)
def test_a_schedule_is_read(schedule: Json, read: Schedule) -> None:
    assert check(json.dumps(workflow(schedule=schedule))).require().schedule == read


def test_a_schedule_by_events_is_read() -> None:
    schedule = check(json.dumps(workflow(schedule={"on": EVENTS, "read": "envelope"}))).require()
    assert schedule.schedule is not None
    assert schedule.schedule.on is not None
    assert schedule.schedule.on.interests == [{"type": "order.placed"}]
    assert schedule.schedule.read == "envelope"


def test_a_workflow_without_a_schedule_has_none() -> None:
    assert check(json.dumps(workflow())).require().schedule is None


@pytest.mark.parametrize(
    "cron",
    [
        *("* * * * *", "*/15 8-18 1,15 jan-MAR mon-FRI", "0 0 29 2 *", "5/10 * * * 7"),
        *(" 0  0 * * 0 ", "0,30 0 1 1,2,3 1-5/2", "59 23 31 12 6"),
    ],
)  # fmt: skip
def test_a_cron_expression_has_the_five_fields_of_unix(cron: str) -> None:
    assert faults(workflow(schedule={"cron": cron})) == []


@pytest.mark.parametrize(
    ("schedule", "found"),
    [
        ({}, [("invalid-schedule", "")]),
        ([], [("wrong-type", "")]),
        ({"read": "data"}, [("missing-property", "")]),
        ({"on": EVENTS, "read": "all"}, [("invalid-value", "/read")]),
        ({"on": "order.placed"}, [("wrong-type", "/on")]),
        ({"on": {}}, [("invalid-value", "/on")]),
        (
            {"on": {"any": [{"with": {"data": "${ $workflow.id }"}}]}},
            [("unavailable-variable", "/on/any/0/with/data")],
        ),
        ({"every": "PT0S"}, [("invalid-schedule", "/every")]),
        ({"every": {"seconds": 0}}, [("invalid-schedule", "/every")]),
        ({"every": "${ .a }"}, [("invalid-schedule", "/every")]),
        ({"every": "soon"}, [("invalid-duration", "/every")]),
        ({"every": {"seconds": -1}}, [("unusable-duration", "/every")]),
        ({"after": 5}, [("wrong-type", "/after")]),
        ({"after": "PT0S"}, [("invalid-schedule", "/after")]),
        ({"cron": 5}, [("wrong-type", "/cron")]),
        ({"cro": "* * * * *"}, [("unknown-property", "/cro")]),
    ],
)
def test_a_schedule_is_refused(schedule: Any, found: list[tuple[str, str]]) -> None:
    expected = [(code, f"/schedule{pointer}") for code, pointer in found]
    assert faults(workflow(schedule=schedule)) == expected


@pytest.mark.parametrize(
    "cron",
    [
        *("", "daily", "@daily", "* * * *", "* * * * * *", "60 * * * *", "* 24 * * *", "* * 0 * *"),
        *("* * 32 * *", "* * * 13 *", "* * * * 8", "* * * * mon-foo", "*/0 * * * *", "* * L * *"),
        *("* * * * 5#2", "5-1 * * * *", "0 0 30 2 *", "0 0 31 4,6 *", "CRON_TZ=UTC * * * * *"),
    ],
)
def test_a_cron_expression_is_refused(cron: str) -> None:
    assert faults(workflow(schedule={"cron": cron})) == [("invalid-schedule", "/schedule/cron")]
