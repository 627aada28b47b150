"""Runs on a real Temporal that are suspended, resumed, cancelled and terminated."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest
from temporalio.api.enums.v1 import EventType

from biz.dsl.lifecycle import LifecycleEvent
from biz.executions.execution import Execution, ExecutionQuery, ExecutionStatus
from biz.paging import PageRequest
from tests.fixtures.http_service import HttpService
from tests.fixtures.run_service import Service, definition, until

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

STILL = timedelta(seconds=5)


async def _until(service: Service, id: str, *statuses: ExecutionStatus) -> Execution:
    async def look() -> Execution:
        return await service.repo.get(id)

    return await until(look, lambda e: e.status in statuses)


async def _history(service: Service, id: str) -> Sequence[LifecycleEvent]:
    page = await service.history.list(PageRequest(size=1000), execution_id=id, after_sequence=0)
    return page.items


async def _told(service: Service, id: str) -> list[tuple[str, str]]:
    """The kinds of a history's events, such as `task.started`, with their tasks."""
    events = await _history(service, id)
    assert [event.sequence for event in events] == list(range(1, len(events) + 1))
    return [(".".join(event.type.split(".")[2:4]), event.task) for event in events]


async def _doing(service: Service, id: str, task: str) -> None:
    async def look() -> Execution:
        return await service.repo.get(id)

    await until(look, lambda e: any(t.endswith(task) for t in e.current_tasks))


async def test_no_task_starts_while_a_run_is_suspended(
    service: Service, http_service: HttpService
) -> None:
    """In a loop, in one of three branches, in a child, between two tries, during a call."""
    slow = {"call": "http", "with": {"method": "get", "endpoint": f"{http_service.url}/slow/2"}}
    fail = {"call": "http", "with": {"method": "get", "endpoint": f"{http_service.url}/status/503"}}
    short: dict[str, Any] = {"wait": {"seconds": 2}}
    await service.templates.create(
        config=definition([{"rest": short}, {"last": {"set": {"child": True}}}]), name="child"
    )
    child = {"run": {"workflow": {"namespace": "test", "name": "child", "version": "1.0.0"}}}
    branches = [{"one": {"do": [{"rest": short}, {"done": {"set": "1"}}]}}]
    branches += [
        {"two": {"set": "2"}},
        {"three": {"do": [{"rest": short}, {"done": {"set": "3"}}]}},
    ]
    retry = {"delay": {"seconds": 2}, "limit": {"attempt": {"count": 1}}}
    cases: dict[str, tuple[list[Any], str, Any]] = {
        "loop": (
            [{"each": {"for": {"in": "[1, 2]"}, "do": [{"rest": short}, {"n": {"set": "$item"}}]}}],
            "rest",
            2,
        ),
        "fork": ([{"all": {"fork": {"branches": branches}}}], "rest", [1, 2, 3]),
        "child": ([{"ask": child}], "ask", {"child": True}),
        "retry": (
            [
                {
                    "again": {
                        "try": [{"ask": fail}],
                        "catch": {"retry": retry, "do": [{"n": {"set": {"gave": "up"}}}]},
                    }
                }
            ],
            "again",
            {"gave": "up"},
        ),
        "call": ([{"ask": slow}, {"n": {"set": "7"}}], "ask", 7),
    }

    async def check(tasks: list[Any], task: str, output: Any) -> None:
        id = (await service.start(tasks)).id
        await _doing(service, id, task)
        suspended = await service.control.suspend(id, reason="a look")
        assert suspended.status is ExecutionStatus.SUSPENDED
        await asyncio.sleep(0.3)
        before = [event for event in await _told(service, id) if event[0] == "task.started"]
        await asyncio.sleep(STILL.total_seconds())
        after = [event for event in await _told(service, id) if event[0] == "task.started"]
        assert after == before
        assert (await service.repo.get(id)).status is ExecutionStatus.SUSPENDED
        assert ("workflow.suspended", "") in await _told(service, id)
        resumed = await service.control.resume(id)
        assert resumed.status is ExecutionStatus.RUNNING
        ended = await _until(service, id, ExecutionStatus.COMPLETED, ExecutionStatus.FAULTED)
        assert (ended.status, ended.output) == (ExecutionStatus.COMPLETED, output)
        assert ("workflow.resumed", "") in await _told(service, id)

    await asyncio.gather(*(check(*case) for case in cases.values()))


async def test_children_are_held_and_ended_with_the_run_that_awaits_them(service: Service) -> None:
    await service.templates.create(config=definition([{"rest": {"wait": "PT1H"}}]), name="child")
    run = {"workflow": {"namespace": "test", "name": "child", "version": "1.0.0"}}
    started = await service.start(
        [{"leave": {"run": {**run, "await": False}}}, {"ask": {"run": run}}]
    )
    await _doing(service, started.id, "ask")

    async def children() -> list[Execution]:
        request = PageRequest(order_by="created_at")
        page = await service.executions.list(request, query=ExecutionQuery(parent_id=started.id))
        return list(page.items)

    async def statuses(left: ExecutionStatus, asked: ExecutionStatus) -> None:
        await until(children, lambda found: [e.status for e in found] == [left, asked])

    await statuses(ExecutionStatus.WAITING, ExecutionStatus.WAITING)
    await service.control.suspend(started.id)
    await statuses(ExecutionStatus.WAITING, ExecutionStatus.SUSPENDED)
    await service.control.resume(started.id)
    await statuses(ExecutionStatus.WAITING, ExecutionStatus.WAITING)
    await service.control.terminate(started.id, reason="no use")
    await statuses(ExecutionStatus.WAITING, ExecutionStatus.TERMINATED)
    await service.control.terminate((await children())[0].id)


async def test_a_cancelled_run_ends_with_the_reason(service: Service) -> None:
    caught = {"try": [{"rest": {"wait": "PT1H"}}], "catch": {"do": [{"no": {"set": "1"}}]}}
    for is_suspended in (False, True):
        started = await service.start([{"t": caught}])
        await _doing(service, started.id, "rest")
        if is_suspended:
            await service.control.suspend(started.id)
        await service.control.cancel(started.id, reason="not needed")
        ended = await _until(service, started.id, ExecutionStatus.CANCELLED)
        assert ended.error is not None
        assert ended.error.detail == "the run was cancelled: not needed"
        events = await _history(service, started.id)
        assert (await _told(service, started.id))[-1] == ("workflow.cancelled", "")
        assert events[-1].error == ended.error


async def test_the_history_of_a_terminated_run_gets_its_end(service: Service) -> None:
    rest: Any = {"rest": {"wait": "PT1H"}}
    started = await service.start([{"a": {"set": "1"}}, {"in": {"do": [rest]}}])
    await _doing(service, started.id, "rest")
    ended = await service.control.terminate(started.id, reason="no use")
    assert ended.status is ExecutionStatus.TERMINATED
    assert ended.error is not None
    assert ended.error.detail == "the run was terminated: no use"

    async def told() -> Any:
        return await _told(service, started.id)

    await until(told, lambda events: events[-1][0] == "workflow.cancelled")
    assert (await told())[-3:] == [
        ("task.cancelled", "/do/1/in/do/0/rest"),
        ("task.cancelled", "/do/1/in"),
        ("workflow.cancelled", ""),
    ]
    assert (await _history(service, started.id))[-1].error == ended.error


async def test_what_a_run_had_not_written_when_it_was_terminated_is_had_from_temporal(
    service: Service,
) -> None:
    """It naps, and writes nothing before a nap; then it is ended by a hand at Temporal."""
    body: list[Any] = [{"note": {"set": {"noted": True}}}, {"nap": {"wait": {"milliseconds": 900}}}]
    started = await service.start([{"each": {"for": {"in": "[range(40)]"}, "do": body}}])
    run = service.temporal.get_workflow_handle(started.id)

    async def naps() -> int:
        history = [event async for event in run.fetch_history_events()]
        return sum(event.event_type is EventType.EVENT_TYPE_TIMER_STARTED for event in history)

    await until(naps, lambda count: count > 2)
    assert not any(task.endswith("/nap") for _, task in await _told(service, started.id))
    await run.terminate("by hand")
    await _until(service, started.id, ExecutionStatus.TERMINATED)

    async def told() -> Any:
        return await _told(service, started.id)

    await until(told, lambda events: events[-1][0] == "workflow.cancelled")
    last = await naps() - 1
    expected = [("workflow.started", ""), *_all("created started", "/do/0/each")]
    for number in range(last + 1):
        tasks = f"/do/0/each/for/{number}/do"
        expected += _all("created started completed", f"{tasks}/0/note")
        end = "cancelled" if number == last else "completed"
        expected += _all(f"created started {end}", f"{tasks}/1/nap")
    expected += [("task.cancelled", "/do/0/each"), ("workflow.cancelled", "")]
    assert await told() == expected


def _all(types: str, task: str) -> list[tuple[str, str]]:
    return [(f"task.{type}", task) for type in types.split()]
