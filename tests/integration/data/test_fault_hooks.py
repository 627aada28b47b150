"""Who is still to be told of faults, on both databases."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from biz.dsl.errors import WorkflowError
from biz.dsl.fault_hooks import HttpHook, WorkflowHook
from biz.executions.checkpoints import CheckpointRepo
from biz.executions.execution import ExecutionEnd, ExecutionStatus
from biz.hooks.relay import DeliveryState, HookClaim
from data.checkpoint import PeeweeCheckpointRepo
from data.database import Database
from data.execution import PeeweeExecutionRepo
from data.fault_hooks import PeeweeFaultHookRepo
from data.models import HookDeliveryRow
from data.query import all_rows
from data.removal import PeeweeRemovalRepo
from tests.fixtures.repos import NOW, Clock, new_execution

HTTP = HttpHook(endpoint="https://alerts.example.com/faults")
WORKFLOW = WorkflowHook(name="alert", namespace="ops", version="prod")
FAULT = ExecutionEnd(
    status=ExecutionStatus.FAULTED,
    output=None,
    error=WorkflowError.standard("timeout", "it took too long"),
    ended_at=NOW + timedelta(seconds=1),
)
LATER = NOW + timedelta(seconds=5)
MUCH_LATER = NOW + timedelta(seconds=65)


@pytest.fixture
def hooks(database: Database) -> PeeweeFaultHookRepo:
    return PeeweeFaultHookRepo(database=database)


@pytest.fixture
def checkpoints(database: Database, clock: Clock) -> CheckpointRepo:
    return PeeweeCheckpointRepo(database=database, clock=clock)


async def claim(hooks: PeeweeFaultHookRepo, limit: int = 10) -> list[HookClaim]:
    return list(await hooks.claim(now=LATER, until=MUCH_LATER, limit=limit))


async def fault(executions: PeeweeExecutionRepo, id: str, **fields: Any) -> None:
    """Stores an execution with a hook, which has faulted."""
    await executions.create(new_execution(id, **{"hooks": [HTTP], **fields}), None)
    await executions.record_end(id, FAULT)


async def test_each_hook_of_a_fault_is_claimed_once(
    executions: PeeweeExecutionRepo, hooks: PeeweeFaultHookRepo
) -> None:
    await fault(executions, "e1", hooks=[HTTP, WORKFLOW], input={"n": 1})
    assert await hooks.next_due() == FAULT.ended_at
    claims = sorted(await claim(hooks), key=lambda each: each.position)
    assert [(each.position, each.hook, each.attempt) for each in claims] == [
        (0, HTTP, 1),
        (1, WORKFLOW, 1),
    ]
    told = claims[0].execution
    assert (told.id, told.input, told.error) == ("e1", {"n": 1}, FAULT.error)
    assert (told.ended_at, told.template_name) == (FAULT.ended_at, "order")
    assert await claim(hooks) == []
    assert await hooks.next_due() == MUCH_LATER


async def test_whoever_writes_a_fault_has_its_hooks_told(
    executions: PeeweeExecutionRepo, hooks: PeeweeFaultHookRepo
) -> None:
    await executions.create(new_execution("e1", hooks=[HTTP]), None)
    await executions.record_end_from_outside("e1", FAULT)
    await executions.record_end_from_outside("e1", FAULT)
    assert [each.execution.id for each in await claim(hooks)] == ["e1"]
    await executions.record_end("e1", FAULT)
    assert await claim(hooks) == []


@pytest.mark.parametrize("status", [s for s in ExecutionStatus if s.is_end and s != FAULT.status])
async def test_another_end_is_no_fault(
    executions: PeeweeExecutionRepo, hooks: PeeweeFaultHookRepo, status: ExecutionStatus
) -> None:
    await executions.create(new_execution("e1", hooks=[HTTP]), None)
    end = ExecutionEnd(status=status, output=None, error=None, ended_at=NOW)
    await executions.record_end("e1", end)
    assert await hooks.next_due() is None
    assert await claim(hooks) == []


async def test_one_without_hooks_tells_nobody(
    executions: PeeweeExecutionRepo, hooks: PeeweeFaultHookRepo
) -> None:
    await fault(executions, "e1", hooks=())
    assert await hooks.next_due() is None
    assert await claim(hooks) == []


async def test_a_hooks_own_run_and_what_comes_of_it_tell_nobody(
    executions: PeeweeExecutionRepo, hooks: PeeweeFaultHookRepo, checkpoints: CheckpointRepo
) -> None:
    await fault(executions, "hook", hook_of="e1")
    await fault(executions, "child", parent_id="hook")
    await fault(executions, "grandchild", parent_id="child")
    retry = new_execution("retry", retry_of="hook", hooks=[HTTP])
    await checkpoints.create_retry(retry, "{}", None)
    await executions.record_end("retry", FAULT)
    assert await hooks.next_due() is None
    assert await claim(hooks) == []


async def test_a_child_and_a_retry_of_others_tell(
    executions: PeeweeExecutionRepo, hooks: PeeweeFaultHookRepo, checkpoints: CheckpointRepo
) -> None:
    await fault(executions, "e1")
    await fault(executions, "child", parent_id="e1")
    await fault(executions, "orphan", parent_id="never-there")
    await checkpoints.create_retry(new_execution("retry", retry_of="e1", hooks=[HTTP]), "{}", None)
    await executions.record_end("retry", FAULT)
    told = sorted(each.execution.id for each in await claim(hooks))
    assert told == ["child", "e1", "orphan", "retry"]


async def test_one_that_was_put_off_comes_again_at_its_time(
    executions: PeeweeExecutionRepo, hooks: PeeweeFaultHookRepo
) -> None:
    await fault(executions, "e1")
    [first] = await claim(hooks)
    again = LATER + timedelta(seconds=1)
    await hooks.settle(first, DeliveryState.PENDING, due_at=again)
    assert await hooks.next_due() == again
    assert await claim(hooks) == []
    [second] = await hooks.claim(now=again, until=MUCH_LATER, limit=10)
    assert (second.attempt, second.hook) == (2, HTTP)


@pytest.mark.parametrize("state", [DeliveryState.DELIVERED, DeliveryState.FAILED])
async def test_one_that_has_ended_never_comes_again(
    database: Database,
    executions: PeeweeExecutionRepo,
    hooks: PeeweeFaultHookRepo,
    state: DeliveryState,
) -> None:
    await fault(executions, "e1")
    [only] = await claim(hooks)
    await hooks.settle(only, state)
    await hooks.settle(only, DeliveryState.PENDING, due_at=NOW)
    assert await hooks.next_due() is None
    [row] = await database.read(lambda db: all_rows(db, HookDeliveryRow.select()))
    assert (row.state, row.attempts) == (state.value, 1)


async def test_a_claim_that_ran_out_is_anothers_who_has_the_last_word(
    executions: PeeweeExecutionRepo, hooks: PeeweeFaultHookRepo
) -> None:
    await fault(executions, "e1")
    [first] = await claim(hooks)
    [second] = await hooks.claim(now=MUCH_LATER, until=MUCH_LATER + timedelta(minutes=1), limit=10)
    await hooks.settle(first, DeliveryState.FAILED)
    assert await hooks.next_due() == MUCH_LATER + timedelta(minutes=1)
    await hooks.settle(second, DeliveryState.DELIVERED)
    assert await hooks.next_due() is None


async def test_several_servers_never_claim_the_same(
    executions: PeeweeExecutionRepo, hooks: PeeweeFaultHookRepo
) -> None:
    ids = [f"e{number:02}" for number in range(30)]
    for id in ids:
        await fault(executions, id, hooks=[HTTP, WORKFLOW])
    claims: list[HookClaim] = []
    while found := await asyncio.gather(*(claim(hooks, limit=4) for _ in range(5))):
        claims += [each for some in found for each in some]
        if not any(found):
            break
    told = [(each.execution.id, each.position) for each in claims]
    assert sorted(told) == [(id, position) for id in ids for position in (0, 1)]


async def test_an_execution_that_was_deleted_tells_nobody(
    database: Database, executions: PeeweeExecutionRepo, hooks: PeeweeFaultHookRepo, clock: Clock
) -> None:
    removal = PeeweeRemovalRepo(database=database, clock=clock)
    for id in ("e1", "e2"):
        await fault(executions, id)
    await removal.delete("e1")
    [only] = await claim(hooks)
    assert only.execution.id == "e2"
    await removal.delete("e2")
    await hooks.settle(only, DeliveryState.PENDING, due_at=NOW)
    assert await hooks.next_due() is None


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_a_look_reads_no_other_executions(
    database: Database, hooks: PeeweeFaultHookRepo
) -> None:
    statements: list[tuple[str, Any]] = []
    await database.read(
        lambda db: db.query_hooks.append(lambda event: statements.append((event.sql, event.params)))
    )
    await hooks.next_due()
    plans = [
        str(await database.read(lambda db, sql=sql, p=p: db.execute_sql(sql, p).fetchall()))
        for sql, p in [(f"EXPLAIN QUERY PLAN {sql}", params) for sql, params in statements[:2]]
    ]
    assert "INDEX execution_hooks" in plans[0]
    assert "INDEX hook_delivery_due" in plans[1]
