"""Events over HTTP, against a stack as `up` starts it."""

import json
import uuid
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.fixtures.refusals import refusal
from tests.fixtures.stack import Stack

LISTEN = {"wait": {"listen": {"to": {"any": [], "until": "length == 2"}}}}
STRUCTURED = {"Content-Type": "application/cloudevents+json"}


@pytest.fixture
def http(stack: Stack) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=stack.http_url, timeout=60) as client:
        yield client


@pytest.fixture
def namespace() -> str:
    return f"n{uuid.uuid4().hex[:8]}"


def event(**attributes: Any) -> dict[str, Any]:
    known = {"specversion": "1.0", "id": uuid.uuid4().hex, "source": "/http", "type": "t"}
    return {**known, **attributes}


def start(http: httpx.Client, namespace: str, task: dict[str, Any]) -> str:
    document = {"dsl": "1.0.3", "namespace": namespace, "name": "listen", "version": "1.0.0"}
    config = json.dumps({"document": document, "do": [task]})
    template = http.post("/api/v1/templates", json={"config": config}).json()["template"]
    answer = http.post("/api/v1/executions", json={"template_id": template["id"]})
    return str(answer.json()["execution"]["id"])


def test_published_and_signalled_events_reach_an_execution(
    http: httpx.Client, namespace: str
) -> None:
    id = start(http, namespace, LISTEN)
    published = event(data={"n": 1}, orderid="7")
    for _ in range(2):
        answer = http.post(
            f"/api/v1/events?namespace={namespace}",
            content=json.dumps(published),
            headers=STRUCTURED,
        )
        assert (answer.status_code, answer.json()) == (200, {})
    answer = http.post(f"/api/v1/executions/{id}:signal", json=event(data=2))
    assert (answer.status_code, answer.json()) == (200, {})
    execution = http.get(f"/api/v1/executions/{id}?wait=30s").json()["execution"]
    assert execution["output"] == [{"n": 1}, 2]

    refused = refusal(http.post(f"/api/v1/executions/{id}:signal", json=event()))
    assert (refused.status, refused.reason) == (400, "EXECUTION_ENDED")


def test_what_is_no_event_is_refused(http: httpx.Client) -> None:
    for body in ({"id": "7"}, [], "text", None):
        refused = refusal(http.post("/api/v1/events", json=body))
        assert (refused.status, refused.reason) == (400, "INVALID_ARGUMENT")
