from dataclasses import replace

from google.protobuf.json_format import MessageToDict

from server.service.convert.schedule import schedule_to_proto
from tests.fixtures.entities import NOW, SCHEDULE
from tests.fixtures.messages import all_fields, fields


def test_every_field_of_a_schedule_is_filled() -> None:
    message = schedule_to_proto(SCHEDULE, now=NOW)
    assert fields(message) == all_fields(message) - {"paused"}
    assert MessageToDict(message, preserving_proto_field_name=True) == {
        "id": "s-1",
        "namespace": "shop",
        "template_id": "7",
        "template_name": "order",
        "template_version": "1.2.3",
        "kind": "CRON",
        "expression": "0 3 * * *",
        "time_zone": "Europe/Berlin",
        "overlap_policy": "SKIP",
        "pause_reason": "maintenance is over",
        "last_start_time": "2025-03-14T15:09:26.535897Z",
        "last_execution_id": "e-1",
        "next_start_times": [f"2025-03-{day}T02:00:00Z" for day in range(16, 21)],
    }


def test_a_schedule_that_is_paused_has_no_next_times() -> None:
    message = schedule_to_proto(replace(SCHEDULE, is_held=True), now=NOW)
    assert message.paused
    assert not message.next_start_times
