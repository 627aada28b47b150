"""`schedule`: what it holds, and what is refused."""

import json
from datetime import timedelta
from typing import Any

import pytest

from biz.dsl.schedule import Overlap, Schedule
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
        ({"every": "PT1.5S"}, [("invalid-schedule", "/every")]),
        ({"every": {"milliseconds": 100}}, [("invalid-schedule", "/every")]),
        ({"on": {"all": []}}, [("invalid-schedule", "/on")]),
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


def _with_options(schedule: Json, options: Any) -> Json:
    document = workflow()["document"]
    return workflow(schedule=schedule, document={**document, "metadata": {"schedule": options}})


def test_metadata_say_time_zone_overlap_and_input() -> None:
    options = {"timeZone": "Europe/Berlin", "overlap": "bufferOne", "input": {"full": True}}
    read = check(json.dumps(_with_options({"cron": "0 3 * * *"}, options))).require().schedule
    assert read == Schedule(
        cron="0 3 * * *",
        time_zone="Europe/Berlin",
        overlap=Overlap.BUFFER_ONE,
        input={"full": True},
    )


@pytest.mark.parametrize(
    ("schedule", "options", "pointer"),
    [
        ({"cron": "0 3 * * *"}, [], ""),
        ({"cron": "0 3 * * *"}, {"timezone": "UTC"}, "/timezone"),
        ({"cron": "0 3 * * *"}, {"timeZone": "Mars/Olympus"}, "/timeZone"),
        ({"cron": "0 3 * * *"}, {"timeZone": 1}, "/timeZone"),
        ({"every": "PT1S"}, {"timeZone": "UTC"}, "/timeZone"),
        ({"every": "PT1S"}, {"overlap": "never"}, "/overlap"),
        ({"every": "PT1S"}, {"overlap": {}}, "/overlap"),
        ({"after": "PT1S"}, {"overlap": "skip"}, "/overlap"),
        ({"on": EVENTS}, {"input": {}}, "/input"),
    ],
)
def test_metadata_that_dont_fit_are_refused(schedule: Json, options: Any, pointer: str) -> None:
    found = faults(_with_options(schedule, options))
    assert found == [("invalid-schedule", f"/document/metadata/schedule{pointer}")]


def test_metadata_mean_nothing_without_a_schedule() -> None:
    document = {**workflow()["document"], "metadata": {"schedule": "mine"}}
    assert faults(workflow(document=document)) == []


def test_the_input_of_timed_runs_must_fit_the_schema() -> None:
    schema = {"type": "object", "required": ["day"]}
    definition = workflow(schedule={"every": "PT1S"}, input={"schema": {"document": schema}})
    assert faults(definition) == [("invalid-schedule", "/schedule")]
    document = {**definition["document"], "metadata": {"schedule": {"input": {"day": 1}}}}
    assert faults({**definition, "document": document}) == []
    assert faults({**definition, "schedule": {"on": EVENTS}}) == []
