"""Batches and deletions over HTTP, as a user of `up` asks for them."""

import json
import time
import uuid
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.fixtures.definitions import GREET, definition
from tests.fixtures.refusals import refusal
from tests.fixtures.stack import Stack
from tests.patience import PATIENCE_SECONDS

PAUSE = {"pause": {"wait": {"minutes": 5}}}


@pytest.fixture
def http(stack: Stack) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=stack.http_url, timeout=40) as http:
        yield http


@pytest.fixture
def namespace(http: httpx.Client) -> str:
    """A namespace with three executions that have ended, and one that waits."""
    namespace = str(uuid.uuid4())
    for name, task in (("short", GREET), ("long", PAUSE)):
        body = {"config": definition(task, namespace=namespace, name=name)}
        http.post("/api/v1/templates", json=body).raise_for_status()
    for name in ("short", "short", "short", "long"):
        wait = "30s" if name == "short" else "0.5s"
        body = {"namespace": namespace, "template_name": name, "wait": wait}
        http.post("/api/v1/executions", json=body).raise_for_status()
    return namespace


def batch(http: httpx.Client, namespace: str, **fields: Any) -> httpx.Response:
    body = {"filter": {"namespace": namespace}, **fields}
    return http.post("/api/v1/executions:batch", json=body)


def at_its_end(http: httpx.Client, operation: dict[str, Any]) -> dict[str, Any]:
    end = time.monotonic() + PATIENCE_SECONDS
    while not operation["done"]:
        assert time.monotonic() < end, json.dumps(operation)
        time.sleep(0.1)
        operation = http.get(f"/api/v1/{operation['name']}").raise_for_status().json()
    return operation


def left(http: httpx.Client, namespace: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = http.get(
        "/api/v1/executions", params={"namespace": namespace}
    ).json()["executions"]
    return found


def test_a_dry_count_a_limit_and_then_the_batch_itself(http: httpx.Client, namespace: str) -> None:
    counted = batch(http, namespace, action="DELETE", validate_only=True).json()
    assert counted["done"]
    assert counted["response"]["matched"] == 4
    refused = refusal(batch(http, namespace, action="DELETE", max_count=3))
    assert (refused.status, refused.reason) == (400, "TOO_MANY_MATCHED")
    assert len(left(http, namespace)) == 4

    operation = batch(http, namespace, action="DELETE", reason="clean").raise_for_status().json()
    ended = at_its_end(http, operation)

    assert (ended["response"]["succeeded"], ended["response"]["failed"]) == (3, 1)
    [live] = left(http, namespace)
    [failure] = ended["response"]["failures"]
    assert (failure["id"], failure["reason"]) == (live["id"], "EXECUTION_NOT_ENDED")
    listed = http.get("/api/v1/operations", params={"namespace": namespace}).json()["operations"]
    assert [each["name"] for each in listed] == [operation["name"]]
    again = http.post(f"/api/v1/{operation['name']}:cancel", json={}).json()
    assert again == ended


def test_what_runs_is_terminated_and_then_deleted_for_good(
    http: httpx.Client, namespace: str
) -> None:
    [live] = [run for run in left(http, namespace) if run["template_name"] == "long"]
    refused = refusal(http.delete(f"/api/v1/executions/{live['id']}"))
    assert (refused.status, refused.code, refused.reason) == (400, 9, "EXECUTION_NOT_ENDED")
    operation = batch(http, namespace, action="TERMINATE").json()
    assert at_its_end(http, operation)["response"]["succeeded"] == 1

    assert http.delete(f"/api/v1/executions/{live['id']}").json() == {}
    for answer in (
        http.delete(f"/api/v1/executions/{live['id']}"),
        http.get(f"/api/v1/executions/{live['id']}/events"),
    ):
        assert refusal(answer).reason == "EXECUTION_NOT_FOUND"
