from dataclasses import replace

from google.protobuf.json_format import MessageToDict

from server.service.convert.statistics import statistics_to_proto
from tests.fixtures.entities import STATISTICS
from tests.fixtures.messages import all_fields, fields


def test_every_figure_of_the_statistics_is_told() -> None:
    message = statistics_to_proto(STATISTICS)
    assert fields(message) == all_fields(message)
    durations = {"p50": "1.500s", "p95": "2s", "p99": "3s", "max": "4s"}
    task = {
        "template_id": "7",
        "task": "/do/0/getPet",
        "count": 3,
        "faulted": 1,
        "duration": durations,
    }
    assert MessageToDict(message, preserving_proto_field_name=True) == {
        "total": 4,
        "by_status": [{"status": "COMPLETED", "count": 3}, {"status": "FAULTED", "count": 1}],
        "success_rate": 0.75,
        "duration": durations,
        "intervals": [
            {"start": "2025-03-14T15:09:26.535897Z", "started": 4, "completed": 3, "faulted": 1}
        ],
        "slowest_tasks": [task],
        "failing_tasks": [task],
        "task_executions": 3,
    }


def test_figures_that_nothing_has_led_to_are_left_out() -> None:
    message = statistics_to_proto(replace(STATISTICS, success_rate=None, durations=None))
    assert not message.HasField("success_rate")
    assert not message.HasField("duration")
