"""PeeweeWishRepo and PeeweeHistoryEndRepo, on both databases."""

from dataclasses import replace
from typing import Any

import pytest

from biz.dsl.lifecycle import LifecycleType
from biz.engine import Verb
from biz.errors import ExecutionNotFound
from biz.executions.execution import ExecutionEnd, ExecutionProgress, ExecutionStatus
from biz.executions.history_batch import NO_HISTORY, HistoryBatch
from data.database import Database
from data.execution import PeeweeExecutionRepo
from data.execution_control import PeeweeWishRepo
from data.history import PeeweeHistoryRepo
from data.history_end import PeeweeHistoryEndRepo
from tests.fixtures.entities import EVENT
from tests.fixtures.repos import NOW, first, new_execution

S = ExecutionStatus
END = ExecutionEnd(status=S.FAULTED, output=None, error=None, ended_at=NOW)


@pytest.fixture
def wishes(database: Database) -> PeeweeWishRepo:
    return PeeweeWishRepo(database=database)


@pytest.fixture
def ends(database: Database) -> PeeweeHistoryEndRepo:
    return PeeweeHistoryEndRepo(database=database)


@pytest.fixture(autouse=True)
async def execution(executions: PeeweeExecutionRepo) -> None:
    await executions.create(new_execution("e"), None)


async def ask(wishes: PeeweeWishRepo, verb: Verb, reason: str = "") -> tuple[Any, ...]:
    """What was asked last, and how the execution stands."""
    wish = await wishes.ask("e", verb, reason=reason, now=NOW)
    order = wish.order
    return order.sequence, order.verb, order.reason, wish.execution.status


def progress(sequence: int, status: ExecutionStatus, order: int = 0) -> ExecutionProgress:
    return ExecutionProgress(
        sequence=sequence, status=status, current_tasks=[f"/do/{sequence}/x"], at=NOW, order=order
    )


async def test_each_wish_has_the_next_number_and_a_repeated_one_is_the_same(
    wishes: PeeweeWishRepo,
) -> None:
    assert await ask(wishes, Verb.RESUME) == (0, Verb.RESUME, "", S.PENDING)
    assert await ask(wishes, Verb.SUSPEND, "why") == (1, Verb.SUSPEND, "why", S.SUSPENDED)
    assert await ask(wishes, Verb.SUSPEND, "again") == (1, Verb.SUSPEND, "why", S.SUSPENDED)
    assert await ask(wishes, Verb.RESUME) == (2, Verb.RESUME, "", S.PENDING)
    with pytest.raises(ExecutionNotFound):
        await wishes.ask("nobody", Verb.SUSPEND, reason="", now=NOW)


async def test_after_a_cancellation_nothing_but_a_termination_counts(
    executions: PeeweeExecutionRepo, wishes: PeeweeWishRepo
) -> None:
    await executions.record_progress("e", progress(1, S.WAITING))
    assert await ask(wishes, Verb.CANCEL, "enough") == (1, Verb.CANCEL, "enough", S.WAITING)
    for verb in (Verb.SUSPEND, Verb.RESUME, Verb.CANCEL):
        assert await ask(wishes, verb) == (1, Verb.CANCEL, "enough", S.WAITING)
    assert await ask(wishes, Verb.TERMINATE, "now") == (2, Verb.TERMINATE, "now", S.TERMINATED)


async def test_a_termination_ends_the_execution_with_its_reason(
    executions: PeeweeExecutionRepo, wishes: PeeweeWishRepo
) -> None:
    await ask(wishes, Verb.TERMINATE, "no use")
    ended = await executions.get("e")
    assert (ended.status, ended.ended_at) == (S.TERMINATED, NOW)
    assert ended.error is not None
    assert ended.error.detail == "the run was terminated: no use"
    await executions.record_end("e", END)
    assert await executions.get("e") == ended
    assert (await ask(wishes, Verb.SUSPEND))[3] is S.TERMINATED


async def test_a_run_that_hasnt_heard_the_newest_wish_changes_no_suspension(
    executions: PeeweeExecutionRepo, wishes: PeeweeWishRepo
) -> None:
    async def after(number: int, status: ExecutionStatus, order: int) -> tuple[Any, Any]:
        await executions.record_progress("e", progress(number, status, order))
        found = await executions.get("e")
        return found.status, list(found.current_tasks)

    await ask(wishes, Verb.SUSPEND)
    assert await after(1, S.RUNNING, 0) == (S.SUSPENDED, ["/do/1/x"])
    assert await after(2, S.SUSPENDED, 1) == (S.SUSPENDED, ["/do/2/x"])
    assert (await ask(wishes, Verb.RESUME))[3] is S.RUNNING
    assert await after(3, S.SUSPENDED, 1) == (S.RUNNING, ["/do/3/x"])
    assert await after(4, S.WAITING, 1) == (S.WAITING, ["/do/4/x"])
    # Held by the run around it, of which nobody asked anything here.
    assert await after(5, S.SUSPENDED, 2) == (S.SUSPENDED, ["/do/5/x"])
    assert await after(6, S.WAITING, 2) == (S.WAITING, ["/do/6/x"])


async def test_wishes_are_unsent_until_they_are_marked(
    executions: PeeweeExecutionRepo, wishes: PeeweeWishRepo
) -> None:
    await ask(wishes, Verb.SUSPEND)
    await ask(wishes, Verb.RESUME)
    await wishes.mark_sent("e", 1)
    assert await executions.list_pending(created_before=NOW.replace(year=2030), limit=9) == []
    [wish] = await wishes.list_unsent(after_id="", limit=10)
    assert (wish.order.sequence, wish.is_sent, wish.was_started) == (2, False, False)
    assert await wishes.list_unsent(after_id="e", limit=10) == []
    await wishes.mark_sent("e", 2)
    await wishes.mark_sent("e", 1)
    assert await wishes.list_unsent(after_id="", limit=10) == []
    [pending] = await executions.list_pending(created_before=NOW.replace(year=2030), limit=9)
    assert pending.id == "e"


async def test_a_history_is_open_from_an_end_outside_until_it_is_closed(
    executions: PeeweeExecutionRepo, database: Database, ends: PeeweeHistoryEndRepo
) -> None:
    history = PeeweeHistoryRepo(database=database)
    started = replace(EVENT, sequence=1, type=LifecycleType.TASK_STARTED, error=None)
    await executions.record_events("e", HistoryBatch.of([started]))
    assert await ends.list_open(after_id="", limit=10) == []
    await executions.record_end_from_outside("e", END)
    [found] = await ends.list_open(after_id="", limit=10)
    assert await ends.list_open(after_id="e", limit=10) == []
    missed = replace(started, sequence=2, task="/do/1/b")
    await ends.close(found, HistoryBatch.of([started, missed]), "")
    await ends.close(found, NO_HISTORY, "")
    rows = await history.list("e", after_sequence=0, slice=first(by="sequence"))
    assert [(e.sequence, e.type.split(".", 2)[2], e.task) for e in rows.items] == [
        (1, "task.started.v1", EVENT.task),
        (2, "task.started.v1", "/do/1/b"),
        (3, "task.cancelled.v1", "/do/1/b"),
        (4, "task.cancelled.v1", EVENT.task),
        (5, "workflow.faulted.v1", ""),
    ]
    assert await ends.list_open(after_id="", limit=10) == []


async def test_a_history_isnt_closed_before_the_engine_knows_of_the_end(
    wishes: PeeweeWishRepo, ends: PeeweeHistoryEndRepo
) -> None:
    await ask(wishes, Verb.TERMINATE)
    assert await ends.list_open(after_id="", limit=10) == []
    await wishes.mark_sent("e", 1)
    assert len(await ends.list_open(after_id="", limit=10)) == 1
