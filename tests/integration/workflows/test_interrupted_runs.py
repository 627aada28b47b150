"""Runs on a real Temporal whose tasks are interrupted: by a sibling, a timeout, or from outside."""

from collections.abc import Sequence
from typing import Any

import pytest
from temporalio.api.enums.v1 import EventType

from biz.executions.execution import Execution, ExecutionStatus
from tests.fixtures.http_service import HttpService
from tests.fixtures.run_service import Service, until
from tests.patience import PATIENCE

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

Json = dict[str, Any]


def call(service: HttpService, path: str, **task: Any) -> Json:
    return {"call": "http", "with": {"method": "get", "endpoint": service.url + path}, **task}


async def commands(service: Service, execution: Execution) -> Sequence[EventType.ValueType]:
    """The types of the events in Temporal's history of a run."""
    handle = service.temporal.get_workflow_handle(execution.id)
    return [event.event_type async for event in handle.fetch_history_events()]


async def cancelled(service: Service, started: Execution, *, at: str) -> Execution:
    """Cancels a run once a task is being done, and waits for its end."""
    await until(lambda: service.executions.get(started.id), lambda e: at in e.current_tasks)
    await service.temporal.get_workflow_handle(started.id).cancel()
    return await service.executions.get(started.id, wait=PATIENCE)


async def test_the_call_of_a_competitor_that_loses_is_cancelled(
    service: Service, http_service: HttpService
) -> None:
    branches = [{"slow": call(http_service, "/slow/20")}, {"quick": call(http_service, "/pets/7")}]
    ended = await service.run(
        [{"race": {"fork": {"compete": True, "branches": branches}, "output": {"as": ".id"}}}]
    )
    assert (ended.status, ended.output) == (ExecutionStatus.COMPLETED, 7)
    history = await commands(service, ended)
    assert EventType.EVENT_TYPE_ACTIVITY_TASK_CANCEL_REQUESTED in history


async def test_the_calls_of_branches_are_made_at_once(
    service: Service, http_service: HttpService
) -> None:
    branches = [{f"ask{n}": call(http_service, "/slow/1")} for n in range(8)]
    rest = {"rest": {"fork": {"branches": branches}, "timeout": {"after": {"seconds": 6}}}}
    ended = await service.run([rest], output={"as": "length"})
    assert (ended.status, ended.output) == (ExecutionStatus.COMPLETED, 8)


async def test_a_refused_call_of_a_branch_cancels_those_of_the_others(
    service: Service, http_service: HttpService
) -> None:
    branches = [
        {"slow": call(http_service, "/slow/20")},
        {"bad": call(http_service, "/status/503")},
    ]
    ended = await service.run([{"all": {"fork": {"branches": branches}}}])
    assert ended.status is ExecutionStatus.FAULTED
    assert ended.error is not None
    assert (ended.error.status, ended.error.instance) == (503, "/do/0/all/fork/branches/1/bad")
    history = await commands(service, ended)
    assert EventType.EVENT_TYPE_ACTIVITY_TASK_CANCEL_REQUESTED in history


async def test_a_call_is_tried_again_after_timers(
    service: Service, http_service: HttpService
) -> None:
    retry = {"delay": {"milliseconds": 100}, "limit": {"attempt": {"count": 2}}}
    task = {"try": [{"ask": call(http_service, "/status/503")}], "catch": {"retry": retry}}
    ended = await service.run([{"t": task}])
    assert ended.status is ExecutionStatus.FAULTED
    assert http_service.counts["/status/503"] == 3
    history = await commands(service, ended)
    assert history.count(EventType.EVENT_TYPE_TIMER_FIRED) == 2


async def test_a_call_that_takes_too_long_is_cancelled_and_the_run_goes_on(
    service: Service, http_service: HttpService
) -> None:
    slow = call(http_service, "/slow/20", timeout={"after": {"seconds": 1}})
    caught = {"errors": {"with": {"status": 408}}, "do": [{"ask": call(http_service, "/pets/7")}]}
    ended = await service.run([{"t": {"try": [{"slow": slow}], "catch": caught}}])
    assert ended.status is ExecutionStatus.COMPLETED
    assert ended.output["id"] == 7
    history = await commands(service, ended)
    assert EventType.EVENT_TYPE_ACTIVITY_TASK_CANCEL_REQUESTED in history


async def test_a_call_in_time_cancels_its_timer(
    service: Service, http_service: HttpService
) -> None:
    quick = call(http_service, "/pets/7", timeout={"after": {"hours": 1}}, output={"as": ".id"})
    ended = await service.run([{"ask": quick}])
    assert (ended.status, ended.output) == (ExecutionStatus.COMPLETED, 7)
    assert EventType.EVENT_TYPE_TIMER_CANCELED in await commands(service, ended)


async def test_a_workflow_that_takes_too_long_faults_while_it_calls(
    service: Service, http_service: HttpService
) -> None:
    task = {"try": [{"slow": call(http_service, "/slow/20")}], "catch": {"retry": {}}}
    ended = await service.run([{"t": task}], timeout={"after": {"seconds": 1}})
    assert ended.status is ExecutionStatus.FAULTED
    assert ended.error is not None
    assert (ended.error.status, ended.error.instance) == (408, "/timeout")


CATCH_ALL: Json = {"do": [{"no": {"set": {"caught": True}}}], "retry": {"delay": "PT1H"}}


async def test_no_catch_sees_that_the_run_is_cancelled_while_it_calls(
    service: Service, http_service: HttpService
) -> None:
    task = {"try": [{"slow": call(http_service, "/slow/20")}], "catch": CATCH_ALL}
    started = await service.start([{"t": task}])
    ended = await cancelled(service, started, at="/do/0/t/try/0/slow")
    assert ended.status is ExecutionStatus.CANCELLED


async def test_no_catch_sees_that_the_run_is_cancelled_in_its_branches(
    service: Service, http_service: HttpService
) -> None:
    branches = [{"slow": call(http_service, "/slow/20")}, {"rest": {"wait": "PT1H"}}]
    for compete in (False, True):
        fork = {"all": {"fork": {"branches": branches, "compete": compete}}}
        started = await service.start([{"t": {"try": [fork], "catch": CATCH_ALL}}])
        ended = await cancelled(service, started, at="/do/0/t/try/0/all/fork/branches/1/rest")
        assert ended.status is ExecutionStatus.CANCELLED


async def test_a_run_is_cancelled_while_it_waits_to_try_again(
    service: Service, http_service: HttpService
) -> None:
    task = {"try": [{"ask": call(http_service, "/status/503")}], "catch": CATCH_ALL}
    started = await service.start([{"t": task}])
    ended = await cancelled(service, started, at="/do/0/t")
    assert ended.status is ExecutionStatus.CANCELLED
    assert http_service.counts["/status/503"] == 1


async def test_a_run_is_cancelled_while_an_attempt_is_limited(service: Service) -> None:
    catch = {"retry": {"limit": {"attempt": {"duration": "PT1H"}}}}
    started = await service.start(
        [{"t": {"try": [{"rest": {"wait": "PT2H"}}], "catch": catch, "timeout": {"after": "P1D"}}}],
        timeout={"after": "P2D"},
    )
    ended = await cancelled(service, started, at="/do/0/t/try/0/rest")
    assert ended.status is ExecutionStatus.CANCELLED
