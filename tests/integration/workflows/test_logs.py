"""What the logs of real runs say, on both databases."""

import asyncio
from collections.abc import Sequence
from typing import Any

from biz.executions.execution import ExecutionStatus
from biz.logs.log import ExecutionLog, LogLevel, LogQuery
from biz.paging import PageRequest
from tests.fixtures.http_service import HttpService
from tests.fixtures.run_service import Service
from tests.patience import PATIENCE_SECONDS


async def lines_of(service: Service, id: str, **query: Any) -> Sequence[ExecutionLog]:
    """All lines of an execution."""
    request = PageRequest(size=1000)
    page = await service.logs.list(request, query=LogQuery(execution_id=id, **query))
    return page.items


async def seen(service: Service, id: str, part: str) -> Sequence[ExecutionLog]:
    """All lines of an execution, as soon as one of them has `part` in its message."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while True:
            lines = await lines_of(service, id)
            if any(part in line.message for line in lines):
                return lines
            await asyncio.sleep(0.05)


async def test_a_run_tells_of_its_tasks_and_requests(
    service: Service, http_service: HttpService
) -> None:
    call = {
        "call": "http",
        "with": {
            "method": "get",
            "endpoint": f"{http_service.url}/pets/7?token=hidden&kind=cat",
            "headers": {"X-Api-Key": "hidden", "X-Plain": "shown"},
        },
    }
    ended = await service.run([{"getPet": call}, {"say": {"set": {"a": 1}}}])
    assert ended.status is ExecutionStatus.COMPLETED, ended

    lines = await seen(service, ended.id, "GET ")
    assert [(line.task, line.message.partition("http")[0]) for line in lines] == [
        ("", "workflow started"),
        ("/do/0/getPet", "task started"),
        ("/do/0/getPet", "GET "),
        ("/do/0/getPet", "task completed"),
        ("/do/1/say", "task started"),
        ("/do/1/say", "task completed"),
        ("", "workflow completed"),
    ]
    request = lines[2]
    assert request.message == f"GET {http_service.url}/pets/7?token=***&kind=cat answered 200"
    assert request.fields["request_headers"]["x-api-key"] == "***"
    assert request.fields["request_headers"]["x-plain"] == "shown"
    assert request.fields["duration_ms"] > 0
    assert "hidden" not in repr(lines)


async def test_faults_and_retries_are_told_by_their_gravity(
    service: Service, http_service: HttpService
) -> None:
    get = {"call": "http", "with": {"method": "get", "endpoint": f"{http_service.url}/status/503"}}
    again = {"delay": {"milliseconds": 10}, "limit": {"attempt": {"count": 1}}}
    task = {"attempt": {"try": [{"get": get}], "catch": {"retry": again}}}
    ended = await service.run([task])
    assert ended.status is ExecutionStatus.FAULTED

    await seen(service, ended.id, "GET ")
    grave = await lines_of(service, ended.id, level=LogLevel.WARNING)
    told = [line.message.partition(":")[0] for line in grave]
    assert told.count("task retried") == 1
    assert told.count("task faulted") == 3
    assert told[-1] == "workflow faulted"
    inner = "/do/0/attempt/try/0/get"
    of_task = await lines_of(service, ended.id, level=LogLevel.ERROR, task=inner)
    assert {line.task for line in of_task} == {inner}
    assert [line.fields["attempt"] for line in of_task] == [1, 2]
    assert of_task[0].fields["error"]["status"] == 503
