"""Schedules over HTTP, against a stack as `up` starts it."""

import json
import time
import uuid
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.fixtures.refusals import refusal
from tests.fixtures.stack import Stack
from tests.patience import PATIENCE_SECONDS

NOTHING = [{"nothing": {"set": {"done": True}}}]


@pytest.fixture
def http(stack: Stack) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=f"{stack.http_url}/api/v1", timeout=60) as client:
        yield client


@pytest.fixture
def namespace() -> str:
    return f"n{uuid.uuid4().hex[:8]}"


def store(http: httpx.Client, namespace: str, schedule: Any) -> Any:
    document = {"dsl": "1.0.0", "namespace": namespace, "name": "timed", "version": "1.0.0"}
    config = json.dumps({"document": document, "schedule": schedule, "do": NOTHING})
    return http.post("/templates", json={"config": config}).json()["template"]


def completed(http: httpx.Client, namespace: str, count: int) -> Any:
    """The executions, once so many have completed."""
    end = time.monotonic() + PATIENCE_SECONDS
    while True:
        query = {"namespace": namespace, "status": "COMPLETED", "view": "FULL"}
        found = http.get("/executions", params=query).json()["executions"]
        if len(found) >= count:
            return found
        assert time.monotonic() < end, found
        time.sleep(0.1)


def test_a_schedule_starts_executions_until_it_is_paused(
    http: httpx.Client, namespace: str
) -> None:
    store(http, namespace, {"every": "PT1S"})
    (schedule,) = http.get("/schedules", params={"namespace": namespace}).json()["schedules"]
    assert (schedule["kind"], schedule["overlap_policy"]) == ("EVERY", "ALLOW")
    completed(http, namespace, 2)
    path = f"/schedules/{schedule['id']}"
    paused = http.post(f"{path}:pause", json={"reason": "enough"}).json()["schedule"]
    assert (paused["paused"], paused["pause_reason"]) == (True, "enough")
    time.sleep(1)
    count = len(completed(http, namespace, 2))
    time.sleep(2)
    assert len(completed(http, namespace, 2)) == count
    triggered = http.post(f"{path}:trigger", json={"input": {"by": "hand"}}).json()["execution"]
    assert triggered["input"] == {"by": "hand"}
    window = {"start_time": "2025-03-14T00:00:00Z", "end_time": "2025-03-14T00:00:03Z"}
    assert http.post(f"{path}:backfill", json=window).json() == {"start_count": 3}
    completed(http, namespace, count + 4)
    assert http.get(path).json()["schedule"]["paused"]
    assert http.post(f"{path}:resume", json={}).json()["schedule"]["paused"] is False
    refused = refusal(http.post(f"{path}:backfill", json={}))
    assert (refused.status, refused.reason) == (400, "INVALID_ARGUMENT")
    http.post(f"{path}:pause", json={})


def test_an_event_starts_an_execution(http: httpx.Client, namespace: str) -> None:
    template = store(http, namespace, {"on": {"one": {"with": {"type": "order.placed"}}}})
    event = {"specversion": "1.0", "id": "1", "source": "/t", "type": "order.placed", "data": 7}
    http.post(f"/events?namespace={namespace}", json=event)
    (execution,) = completed(http, namespace, 1)
    assert execution["input"] == [7]
    http.delete(f"/templates/{template['id']}")
    missing = refusal(http.get("/schedules/nothing"))
    assert (missing.status, missing.reason) == (404, "SCHEDULE_NOT_FOUND")
