"""The forms of lifecycle events that the standard has."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from biz.dsl.errors import WorkflowError
from biz.dsl.lifecycle import LifecycleEvent, LifecycleType
from biz.history.cloud_event import Subject, lifecycle_cloud_event
from biz.history.history import PayloadReference

AT = datetime(2026, 1, 31, 12, tzinfo=UTC)
TIME = "2026-01-31T12:00:00+00:00"
SUBJECT = Subject(
    execution_id="e1", namespace="shop", template_name="order", template_version="1.2.0"
)
ERROR = WorkflowError.standard("timeout", "it took too long")


def event(type: LifecycleType, **properties: Any) -> LifecycleEvent:
    return LifecycleEvent(sequence=7, type=type, time=AT, **properties)


@pytest.mark.parametrize(
    ("told", "data"),
    [
        (
            event(LifecycleType.WORKFLOW_STARTED),
            {
                "name": "order-e1.shop",
                "definition": {"namespace": "shop", "name": "order", "version": "1.2.0"},
                "startedAt": TIME,
            },
        ),
        (
            event(LifecycleType.WORKFLOW_COMPLETED, output=None),
            {"name": "order-e1.shop", "completedAt": TIME, "output": None},
        ),
        (
            event(LifecycleType.WORKFLOW_FAULTED, error=ERROR),
            {"name": "order-e1.shop", "faultedAt": TIME, "error": ERROR.to_json()},
        ),
        (
            event(LifecycleType.WORKFLOW_CANCELLED),
            {"name": "order-e1.shop", "cancelledAt": TIME},
        ),
        (
            event(LifecycleType.TASK_RETRIED, task="/do/0/pay", attempt=2),
            {"workflow": "order-e1.shop", "task": "/do/0/pay", "attempt": 2, "retriedAt": TIME},
        ),
        (
            event(LifecycleType.TASK_COMPLETED, task="/do/0/pay", output=PayloadReference("d", 9)),
            {
                "workflow": "order-e1.shop",
                "task": "/do/0/pay",
                "attempt": 1,
                "completedAt": TIME,
                "output": {"payload": "d", "length": 9},
            },
        ),
    ],
    ids=lambda value: value.type.name if isinstance(value, LifecycleEvent) else "",
)
def test_each_type_has_the_data_of_the_standard(told: LifecycleEvent, data: Any) -> None:
    assert lifecycle_cloud_event(SUBJECT, told).get_data() == data


def test_source_and_id_tell_an_event_from_all_others() -> None:
    started = event(LifecycleType.TASK_STARTED, task="/do/0/pay")
    told = lifecycle_cloud_event(SUBJECT, started)
    assert told.get_attributes() == {
        "specversion": "1.0",
        "id": "7",
        "source": "/api/v1/executions/e1",
        "type": "io.serverlessworkflow.task.started.v1",
        "time": AT,
        "subject": "/do/0/pay",
        "datacontenttype": "application/json",
    }
    assert lifecycle_cloud_event(SUBJECT, replace(started, task="")).get_subject() is None
