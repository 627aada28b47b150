"""Logs over HTTP, and on the output of what makes them."""

import json
import os
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from app.container import opened
from app.embedded.child import Child
from app.settings import Settings
from biz.executions.execution import ExecutionStatus, StartRequest
from tests.fixtures.http_service import HttpService
from tests.fixtures.refusals import refusal
from tests.fixtures.run_service import definition
from tests.fixtures.stack import Stack
from tests.patience import PATIENCE, PATIENCE_SECONDS

HELLO = {"hello": {"run": {"shell": {"command": "echo one; echo two >&2; sleep 4; echo three"}}}}
FAIL = {"fail": {"raise": {"error": {"type": "https://x.test/e", "status": 418}}}}
LOOP = {
    "each": {
        "for": {"in": "${ [1, 2, 3] }"},
        "do": [{"note": {"set": {"a": 1}}}],
    }
}


@pytest.fixture
def http(stack: Stack) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=stack.http_url, timeout=60) as client:
        yield client


def start(http: httpx.Client, *tasks: dict[str, Any]) -> str:
    template = http.post("/api/v1/templates", json={"config": definition(tasks)}).json()["template"]
    answer = http.post("/api/v1/executions", json={"template_id": template["id"]})
    return str(answer.json()["execution"]["id"])


def end(http: httpx.Client, id: str) -> dict[str, Any]:
    return dict(http.get(f"/api/v1/executions/{id}?wait=30s").json()["execution"])


def lines(http: httpx.Client, id: str, **query: Any) -> list[dict[str, Any]]:
    answer = http.get(f"/api/v1/executions/{id}/logs", params=query)
    assert answer.is_success, answer.text
    return list(answer.json()["logs"])


def until(look: Callable[[], list[dict[str, Any]]], message: str) -> list[dict[str, Any]]:
    """What is there once a line has the message."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        found = look()
        if any(line["message"] == message for line in found):
            return found
        assert time.monotonic() < deadline, found
        time.sleep(0.05)


def test_what_a_process_writes_is_there_while_it_runs(http: httpx.Client, stack: Stack) -> None:
    id = start(http, HELLO)
    found = until(lambda: lines(http, id), "two")
    assert "three" not in [line["message"] for line in found]
    assert http.get(f"/api/v1/executions/{id}").json()["execution"]["status"] == "RUNNING"
    assert end(http, id)["status"] == "COMPLETED"

    written = [
        line for line in until(lambda: lines(http, id), "three") if "stream" in line["fields"]
    ]
    assert [(line["message"], line["fields"]["stream"]) for line in written] == [
        ("one", "stdout"),
        ("two", "stderr"),
        ("three", "stdout"),
    ]
    assert {(line["task"], line["level"]) for line in written} == {("/do/0/hello", "INFO")}

    [shown] = [line for line in stack.child.last_lines(10_000) if id in line and " three " in line]
    assert "task=/do/0/hello" in shown
    assert "stream=stdout" in shown


def test_pages_and_filters(http: httpx.Client) -> None:
    id = start(http, LOOP, FAIL)
    assert end(http, id)["status"] == "FAULTED"
    everything = lines(http, id)
    assert everything[0]["message"] == "workflow started"
    assert everything[-1]["message"].startswith("workflow faulted")

    paged: list[dict[str, Any]] = []
    token = ""
    while True:
        query = {"page_size": 3, "page_token": token, "order_by": "time desc", "show_total": "true"}
        page = http.get(f"/api/v1/executions/{id}/logs", params=query).json()
        assert page["total_size"] == len(everything)
        paged += page["logs"]
        token = page["next_page_token"]
        if not token:
            break
    assert paged == everything[::-1]

    assert [line["task"] for line in lines(http, id, level="ERROR")] == ["/do/1/fail", ""]
    of_loop = lines(http, id, task="/do/0/each")
    assert len(of_loop) == 8
    assert of_loop[0]["task"] == of_loop[-1]["task"] == "/do/0/each"
    second = of_loop[3]["task"]
    assert [line["message"] for line in lines(http, id, task=second)] == [
        "task started", "task completed"
    ]  # fmt: skip
    assert lines(http, id, task="/do/0/eac") == []


@pytest.mark.parametrize(
    ("path", "status", "reason"),
    [
        ("e/logs", 404, "EXECUTION_NOT_FOUND"),
        ("e/logs?level=LOUD", 400, ""),
        ("e/logs?order_by=level", 400, "INVALID_ARGUMENT"),
        ("e/logs?page_token=x", 400, "INVALID_ARGUMENT"),
    ],
)
def test_bad_requests_are_refused(http: httpx.Client, path: str, status: int, reason: str) -> None:
    answer = http.get(f"/api/v1/executions/{path}")
    assert answer.status_code == status
    if reason:
        assert refusal(answer).reason == reason


async def test_a_worker_writes_json_lines(
    tmp_path: Path, temporal_address: str, http_service: HttpService
) -> None:
    settings = {
        "DATABASE_URL": f"sqlite:///{tmp_path}/test.db",
        "TEMPORAL_ADDRESS": temporal_address,
        "TASK_QUEUE": f"logs-{uuid.uuid4()}",
    }
    call = {"call": "http", "with": {"method": "get", "endpoint": f"{http_service.url}/pets/1"}}
    output = tmp_path / "worker.log"
    async with opened(Settings(**{k.lower(): v for k, v in settings.items()})) as container:
        await (await container.migrator()).migrate()
        worker = Child.start(
            name="the worker",
            command=[sys.executable, "-m", "app", "worker"],
            log=output,
            environment={**os.environ, **settings},
        )
        try:
            templates, executions = await container.templates(), await container.executions()
            template = await templates.create(config=definition([{"get": call}]))
            started = await executions.start(StartRequest(template_id=template.id))
            ended = await executions.get(started.id, wait=PATIENCE)
            assert ended.status is ExecutionStatus.COMPLETED
        finally:
            await worker.stop(grace=timedelta(seconds=30))

    told = [json.loads(line) for line in output.read_text().splitlines()]
    of_run = [line for line in told if line.get("execution_id") == started.id]
    assert {(line["task"], line["event"]) for line in of_run} == {
        ("", "workflow started"),
        ("/do/0/get", "task started"),
        ("/do/0/get", f"GET {http_service.url}/pets/1 answered 200"),
        ("/do/0/get", "task completed"),
        ("", "workflow completed"),
    }
    [request] = [line for line in of_run if line["event"].startswith("GET")]
    assert request["level"] == "info"
    assert request["fields"]["status"] == 200
    assert {"time", "timestamp", "trace_id", "logger"} <= request.keys()
