"""Activities and workflows of a worker in another language, called by `…@temporal`."""

import asyncio
import uuid
from typing import Any

import pytest

from biz.executions.execution import ExecutionStatus
from tests.fixtures.run_service import Service, until
from tests.fixtures.workflows import Json, standard
from tests.patience import PATIENCE

ORDER = {"id": "o-1"}

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
"""What is told of other workers is Temporal's: the kind of database makes no difference."""


def activity(queue: str, *arguments: Any, name: str = "Charge", **properties: Any) -> Json:
    timeouts = {"startToClose": "PT10S"}
    values = {"name": name, "taskQueue": queue, "arguments": list(arguments), "timeouts": timeouts}
    return {"call": {"call": "activity:1.0.0@temporal", "with": {**values, **properties}}}


def child(queue: str, *arguments: Any, **properties: Any) -> Json:
    values = {"name": "Ship", "taskQueue": queue, "arguments": list(arguments)}
    return {"call": {"call": "workflow:1.0.0@temporal", "with": {**values, **properties}}}


async def test_an_activity_takes_arguments_and_gives_a_result(
    service: Service, team_queue: str
) -> None:
    ended = await service.run([activity(team_queue, "${ .order }", "${ .amount }")], {
        "order": ORDER, "amount": 12.5,
    })  # fmt: skip
    assert ended.status is ExecutionStatus.COMPLETED, ended.error
    receipt = {"orderId": "o-1", "amount": 12.5, "attempt": 1, "workflow": ended.id}
    assert ended.output == receipt


async def test_a_workflow_is_a_child_of_the_run(service: Service, team_queue: str) -> None:
    id = f"ship-{uuid.uuid4()}"
    ended = await service.run([child(team_queue, ORDER, id=id)])
    assert ended.status is ExecutionStatus.COMPLETED, ended.error
    assert ended.output == {
        "id": id,
        "charged": {"orderId": "o-1", "amount": 5, "attempt": 1, "workflow": id},
    }
    described = await service.temporal.get_workflow_handle(id).describe()
    assert described.parent_id == ended.id


async def test_a_workflow_gets_an_id_where_it_has_none(service: Service, team_queue: str) -> None:
    branches = [{name: child(team_queue, ORDER)["call"]} for name in ("a", "b")]
    ended = await service.run([{"both": {"fork": {"branches": branches}}}])
    assert ended.status is ExecutionStatus.COMPLETED, ended.error
    assert len({shipped["id"] for shipped in ended.output}) == 2


@pytest.mark.parametrize(
    ("name", "arguments"), [("Forget", []), ("Charge", [{**ORDER, "kind": "nothing"}, 1])]
)
async def test_what_gives_nothing_gives_null(
    service: Service, team_queue: str, name: str, arguments: list[Any]
) -> None:
    ended = await service.run([activity(team_queue, *arguments, name=name)])
    assert (ended.status, ended.output) == (ExecutionStatus.COMPLETED, None)


@pytest.mark.parametrize(
    ("kind", "title", "detail"),
    [
        ("declined", "Declined", "no money"),
        ("broken", "Runtime Error", "out of order"),
        ("busy", "Busy", "try later"),
        ("bytes", "Runtime Error", "the activity Charge gave something else than JSON"),
    ],
)
async def test_an_activity_that_fails_is_a_runtime_error_with_its_type(
    service: Service, team_queue: str, kind: str, title: str, detail: str
) -> None:
    ended = await service.run([activity(team_queue, {**ORDER, "kind": kind}, 1)])
    assert ended.error is not None
    error = ended.error
    assert (error.type, error.status, error.instance) == (standard("runtime"), 500, "/do/0/call")
    assert (error.title, error.detail) == (title, detail)


async def test_a_workflow_fails_with_what_its_activity_failed_with(
    service: Service, team_queue: str
) -> None:
    ended = await service.run([child(team_queue, {**ORDER, "kind": "declined"})])
    assert ended.error is not None
    assert (ended.error.title, ended.error.detail) == ("Declined", "no money")


async def test_a_failure_is_caught_by_its_type(service: Service, team_queue: str) -> None:
    attempt = activity(team_queue, {**ORDER, "kind": "declined"}, 1)
    catch = {
        "errors": {"with": {"title": "Declined"}},
        "do": [{"note": {"set": {"why": "${ $error.detail }"}}}],
    }
    ended = await service.run([{"try": {"try": [attempt], "catch": catch}}])
    assert ended.output == {"why": "no money"}


async def test_temporal_tries_again_where_it_is_told(service: Service, team_queue: str) -> None:
    retry = {"maximumAttempts": 3, "initialInterval": "PT0.01S", "backoffCoefficient": 1}
    busy = activity(team_queue, {**ORDER, "kind": "busy"}, 1, retry=retry)
    ended = await service.run([busy])
    assert ended.output["attempt"] == 3
    fatal = activity(
        team_queue, {**ORDER, "kind": "busy"}, 1, retry={"nonRetryableErrorTypes": ["Busy"]}
    )
    ended = await service.run([fatal])
    assert ended.error is not None
    assert ended.error.title == "Busy"


@pytest.mark.parametrize(
    "timeouts",
    [
        {"startToClose": "PT0.3S"},
        {"scheduleToClose": "PT0.3S"},
        {"startToClose": "PT1M", "heartbeat": "PT0.3S"},
    ],
)
async def test_an_activity_that_takes_too_long_is_a_timeout_error(
    service: Service, team_queue: str, timeouts: Json
) -> None:
    slow = activity(team_queue, {**ORDER, "kind": "slow"}, 1, timeouts=timeouts)
    ended = await service.run([slow])
    assert ended.error is not None
    assert (ended.error.type, ended.error.status) == (standard("timeout"), 408)
    assert ended.error.detail.startswith("the activity Charge took too long (")


async def test_an_activity_that_nobody_does_times_out(service: Service) -> None:
    lonely = activity("nobody-is-here", timeouts={"scheduleToClose": "PT0.3S"})
    ended = await service.run([lonely])
    assert ended.error is not None
    assert ended.error.type == standard("timeout")


async def test_a_workflow_that_takes_too_long_is_a_timeout_error(
    service: Service, team_queue: str
) -> None:
    waiting = child(team_queue, {**ORDER, "kind": "waiting"}, timeouts={"execution": "PT1S"})
    ended = await service.run([waiting])
    assert ended.error is not None
    assert ended.error.type == standard("timeout")


async def test_a_tasks_timeout_gives_up_the_workflow_it_called(
    service: Service, team_queue: str
) -> None:
    id = f"ship-{uuid.uuid4()}"
    task = child(team_queue, {**ORDER, "kind": "waiting"}, id=id)
    task["call"]["timeout"] = {"after": {"seconds": 1}}
    ended = await service.run([task])
    assert ended.error is not None
    assert (ended.error.type, ended.error.instance) == (standard("timeout"), "/do/0/call")
    assert await _end_of(service, id) == "CANCELED"


async def test_cancelling_a_run_cancels_what_it_called(service: Service, team_queue: str) -> None:
    id = f"ship-{uuid.uuid4()}"
    started = await service.start([child(team_queue, {**ORDER, "kind": "waiting"}, id=id)])
    await _started(service, id)
    await service.temporal.get_workflow_handle(started.id).cancel()
    ended = await service.executions.get(started.id, wait=PATIENCE)
    assert ended.status is ExecutionStatus.CANCELLED
    assert await _end_of(service, id) == "CANCELED"


@pytest.mark.parametrize(
    ("verb", "detail"),
    [
        ("cancel", "the workflow Ship was cancelled"),
        ("terminate", "the workflow Ship was terminated"),
    ],
)
async def test_a_workflow_that_is_ended_from_outside_is_a_runtime_error(
    service: Service, team_queue: str, verb: str, detail: str
) -> None:
    id = f"ship-{uuid.uuid4()}"
    started = await service.start([child(team_queue, {**ORDER, "kind": "waiting"}, id=id)])
    await _started(service, id)
    await getattr(service.temporal.get_workflow_handle(id), verb)()
    ended = await service.executions.get(started.id, wait=PATIENCE)
    assert ended.error is not None
    assert (ended.error.type, ended.error.detail) == (standard("runtime"), detail)


async def test_an_id_that_is_running_is_a_runtime_error(service: Service, team_queue: str) -> None:
    id = f"ship-{uuid.uuid4()}"
    first = await service.start([child(team_queue, {**ORDER, "kind": "waiting"}, id=id)])
    await _started(service, id)
    second = await service.run([child(team_queue, ORDER, id=id)])
    assert second.error is not None
    assert second.error.detail == f"the workflow Ship can't start: one with the id {id} is running"
    await service.temporal.get_workflow_handle(first.id).cancel()


async def test_the_engines_own_queue_is_refused(service: Service) -> None:
    for task in (activity(service.task_queue), child(service.task_queue)):
        ended = await service.run([task])
        assert ended.error is not None
        assert (ended.error.type, ended.error.status) == (standard("authorization"), 403)


async def test_arguments_that_are_too_large_fault(service: Service, team_queue: str) -> None:
    ended = await service.run([activity(team_queue, "${ . }", "${ . }")], "x" * 600_000)
    assert ended.error is not None
    assert ended.error.type == standard("runtime")
    assert ended.error.detail.startswith("the arguments of the activity Charge have more than")


async def test_the_row_shows_the_call_under_way(service: Service, team_queue: str) -> None:
    started = await service.start([activity(team_queue, {**ORDER, "kind": "slow"}, 1)])

    async def look() -> Any:
        return await service.executions.get(started.id)

    calling = await until(look, lambda execution: bool(execution.current_tasks))
    assert calling.current_tasks == ("/do/0/call",)
    await service.temporal.get_workflow_handle(started.id).cancel()


async def _started(service: Service, id: str) -> None:
    for _ in range(100):
        try:
            await service.temporal.get_workflow_handle(id).describe()
        except Exception:
            await asyncio.sleep(0.1)
        else:
            return
    raise AssertionError(f"{id} didn't start")


async def _end_of(service: Service, id: str) -> str:
    """The name of the status in which a workflow has ended."""
    for _ in range(100):
        status = (await service.temporal.get_workflow_handle(id).describe()).status
        assert status is not None
        if status.name != "RUNNING":
            return status.name
        await asyncio.sleep(0.1)
    raise AssertionError(f"{id} is still running")
