"""PeeweeExecutionRepo, on both databases."""

import asyncio
from contextlib import suppress
from dataclasses import fields, replace
from datetime import timedelta
from typing import Any

import pytest

from biz.dsl.errors import WorkflowError
from biz.errors import BusinessKeyInUse, ExecutionNotFound, InvalidArgument, RequestIdReused
from biz.executions.execution import (
    ExecutionEnd,
    ExecutionProgress,
    ExecutionQuery,
    ExecutionStatus,
    NewExecution,
)
from biz.idempotency import REQUEST_ID_LIFETIME
from data.database import Database
from data.execution import PeeweeExecutionRepo
from data.models import RequestRow
from tests.fixtures.repos import NOW, Clock, first, ids, new_execution, request

SECOND = timedelta(seconds=1)
ERROR = WorkflowError(type="https://example.com/gone", status=410, detail="no \0 pet \ud800")
COMPLETED = ExecutionEnd(
    status=ExecutionStatus.COMPLETED, output={"a": [1]}, error=None, ended_at=NOW + 2 * SECOND
)
FAULTED = ExecutionEnd(
    status=ExecutionStatus.FAULTED, output=None, error=ERROR, ended_at=NOW + 2 * SECOND
)


def progress(sequence: int, *, status: ExecutionStatus = ExecutionStatus.RUNNING) -> Any:
    return ExecutionProgress(
        sequence=sequence,
        status=status,
        current_tasks=[f"/do/{sequence}/x"],
        at=NOW + (sequence + 1) * SECOND,
    )


@pytest.mark.parametrize(
    "input",
    [None, {}, [], "", 0, False, 1.5, 2**60, {"a": {"b": [None, "x"]}}, "a\0b", "\ud800", "漢🐈"],
    ids=repr,
)
async def test_what_is_stored_comes_back_whole(executions: PeeweeExecutionRepo, input: Any) -> None:
    new = new_execution(
        "e1", input=input, labels={"a.b/c": 'it\'s "x"'}, business_key="k", parent_id="p"
    )

    created = await executions.create(new, None)

    for field in fields(NewExecution):
        if field.name in {"hooks", "hook_of"}:
            continue  # test_fault_hooks.py has them
        assert getattr(created, field.name) == getattr(new, field.name), field.name
    assert created.status is ExecutionStatus.PENDING
    assert (created.output, created.error) == (None, None)
    assert (created.started_at, created.ended_at) == (None, None)
    assert list(created.current_tasks) == []
    assert await executions.get("e1") == created


async def test_an_unknown_id_is_not_found(executions: PeeweeExecutionRepo) -> None:
    with pytest.raises(ExecutionNotFound):
        await executions.get("unknown")


async def test_storing_one_twice_makes_one(executions: PeeweeExecutionRepo) -> None:
    new = new_execution("e1", business_key="k")
    created = await executions.create(new, None)

    assert await executions.create(new, None) == created
    assert await executions.create(new, request()) == created
    assert await executions.create(new, request()) == created


async def test_the_same_request_makes_one_execution(executions: PeeweeExecutionRepo) -> None:
    created = await executions.create(new_execution("e1"), request())

    assert await executions.create(new_execution("e2"), request()) == created
    assert await executions.find_by_request(request()) == created
    assert ids(await executions.list(ExecutionQuery(), first())) == ["e1"]


async def test_a_new_request_made_nothing(executions: PeeweeExecutionRepo) -> None:
    await executions.create(new_execution("e1"), request("r1"))

    assert await executions.find_by_request(request("r2")) is None
    assert await executions.find_by_request(request("r1", rpc="Other")) is None
    other = replace(request("r1"), namespace="other")
    assert await executions.find_by_request(other) is None


async def test_a_request_id_with_another_content_is_refused(
    executions: PeeweeExecutionRepo,
) -> None:
    await executions.create(new_execution("e1"), request())

    with pytest.raises(RequestIdReused):
        await executions.create(new_execution("e2"), request(digest="b"))
    with pytest.raises(RequestIdReused):
        await executions.find_by_request(request(digest="b"))


async def test_a_request_id_is_free_again_after_its_lifetime(
    executions: PeeweeExecutionRepo, clock: Clock
) -> None:
    await executions.create(new_execution("e1", age=REQUEST_ID_LIFETIME), request())

    assert await executions.find_by_request(request(digest="b")) is None
    created = await executions.create(new_execution("e2"), request(digest="b"))

    assert created.id == "e2"
    assert await executions.find_by_request(request(digest="b")) == created
    clock.now += REQUEST_ID_LIFETIME
    assert await executions.find_by_request(request(digest="b")) is None


async def test_a_request_id_holds_until_its_lifetime_ends(
    executions: PeeweeExecutionRepo, clock: Clock
) -> None:
    created = await executions.create(new_execution("e1"), request())
    clock.now += REQUEST_ID_LIFETIME - timedelta(microseconds=1)

    assert await executions.find_by_request(request()) == created


async def test_expired_requests_are_removed_when_new_ones_come(
    executions: PeeweeExecutionRepo, database: Database
) -> None:
    for number in range(15):
        old = new_execution(f"old{number}", age=REQUEST_ID_LIFETIME)
        await executions.create(old, request(f"old{number}"))
    for number in range(3):
        await executions.create(new_execution(f"new{number}"), request(f"new{number}"))

    query = RequestRow.select(RequestRow.request_id)
    kept = await database.read(lambda db: {row.request_id for row in list(query.execute(db))})
    assert kept == {"new0", "new1", "new2"}


async def test_equal_requests_at_once_make_one_execution(executions: PeeweeExecutionRepo) -> None:
    made = await asyncio.gather(
        *(executions.create(new_execution(f"e{i}"), request()) for i in range(50))
    )

    assert len({execution.id for execution in made}) == 1
    assert len((await executions.list(ExecutionQuery(), first())).items) == 1


@pytest.mark.parametrize("with_request", [False, True])
async def test_of_a_business_key_one_is_live(
    executions: PeeweeExecutionRepo, with_request: bool
) -> None:
    made = await asyncio.gather(
        *(
            executions.create(
                new_execution(f"e{i}", business_key="k"),
                request(f"r{i}") if with_request else None,
            )
            for i in range(50)
        ),
        return_exceptions=True,
    )

    (created,) = [one for one in made if not isinstance(one, BaseException)]
    refused = [one for one in made if isinstance(one, BusinessKeyInUse)]
    assert len(refused) == 49
    assert {error.execution_id for error in refused} == {created.id}
    assert ids(await executions.list(ExecutionQuery(), first())) == [created.id]


async def test_a_business_key_counts_within_a_namespace_and_only_where_given(
    executions: PeeweeExecutionRepo,
) -> None:
    await executions.create(new_execution("e1", business_key="k"), None)
    await executions.create(new_execution("e2", business_key="k", namespace="other"), None)
    await executions.create(new_execution("e3", business_key="K"), None)
    await executions.create(new_execution("e4"), None)
    await executions.create(new_execution("e5"), None)


async def test_a_business_key_is_free_when_its_execution_has_ended(
    executions: PeeweeExecutionRepo,
) -> None:
    await executions.create(new_execution("e1", business_key="k"), None)
    await executions.record_end("e1", COMPLETED)

    await executions.create(new_execution("e2", business_key="k"), None)

    with pytest.raises(BusinessKeyInUse) as refused:
        await executions.create(new_execution("e3", business_key="k"), None)
    assert refused.value.execution_id == "e2"


async def test_a_business_key_that_becomes_free_meanwhile_is_taken(
    executions: PeeweeExecutionRepo,
) -> None:
    held: list[str] = []

    async def hold(number: int) -> None:
        for turn in range(10):
            execution = new_execution(f"{number}-{turn}", business_key="k")
            with suppress(BusinessKeyInUse):
                await executions.create(execution, None)
                held.append(execution.id)
                await executions.record_end(execution.id, COMPLETED)

    await asyncio.gather(*(hold(number) for number in range(5)))

    assert len(held) >= 10


async def test_progress_is_recorded_in_its_order(executions: PeeweeExecutionRepo) -> None:
    await executions.create(new_execution("e1"), None)

    await executions.record_progress("e1", progress(0))
    started = await executions.get("e1")
    assert started.status is ExecutionStatus.RUNNING
    assert list(started.current_tasks) == ["/do/0/x"]
    assert started.started_at == NOW + SECOND

    await executions.record_progress("e1", progress(2, status=ExecutionStatus.WAITING))
    for late in (0, 1, 2):
        await executions.record_progress("e1", progress(late, status=ExecutionStatus.SUSPENDED))

    current = await executions.get("e1")
    assert current.status is ExecutionStatus.WAITING
    assert list(current.current_tasks) == ["/do/2/x"]
    assert current.started_at == NOW + SECOND


@pytest.mark.parametrize("end", [COMPLETED, FAULTED], ids=["completed", "faulted"])
async def test_an_end_is_recorded_once(executions: PeeweeExecutionRepo, end: ExecutionEnd) -> None:
    created = await executions.create(new_execution("e1", input={"x": 1}), None)
    await executions.record_progress("e1", progress(0))

    await executions.record_end("e1", end)
    ended = await executions.get("e1")
    assert ended == replace(
        created,
        status=end.status,
        output=end.output,
        error=end.error,
        started_at=NOW + SECOND,
        ended_at=end.ended_at,
    )

    await executions.record_end("e1", replace(end, status=ExecutionStatus.TERMINATED))
    await executions.record_progress("e1", progress(5))
    assert await executions.get("e1") == ended


async def test_one_that_ends_before_it_was_seen_to_start_started_when_made(
    executions: PeeweeExecutionRepo,
) -> None:
    created = await executions.create(new_execution("e1"), None)

    await executions.record_end("e1", COMPLETED)

    assert (await executions.get("e1")).started_at == created.created_at


async def test_records_of_an_unknown_execution_are_left(executions: PeeweeExecutionRepo) -> None:
    await executions.record_progress("unknown", progress(0))
    await executions.record_end("unknown", COMPLETED)


async def test_pending_ones_are_listed_oldest_first(executions: PeeweeExecutionRepo) -> None:
    for number in range(1, 6):
        await executions.create(new_execution(f"e{number}", age=number * SECOND), None)
    await executions.record_progress("e4", progress(0))
    await executions.record_end("e3", COMPLETED)
    await executions.create(new_execution("child", parent_id="e1", age=9 * SECOND), None)

    pending = await executions.list_pending(created_before=NOW - SECOND, limit=10)
    assert [execution.id for execution in pending] == ["e5", "e2"]
    assert pending[0] == await executions.get("e5")
    (oldest,) = await executions.list_pending(created_before=NOW, limit=1)
    assert oldest.id == "e5"


async def test_live_ones_are_listed_by_id(executions: PeeweeExecutionRepo) -> None:
    for number in range(5):
        await executions.create(new_execution(f"e{number}"), None)
    await executions.record_progress("e1", progress(0))
    await executions.record_end("e2", COMPLETED)

    assert await executions.list_live(after_id="", limit=3) == ["e0", "e1", "e3"]
    assert await executions.list_live(after_id="e3", limit=3) == ["e4"]
    assert await executions.list_live(after_id="e4", limit=3) == []


async def test_lists_hold_the_heavy_values_only_in_full(executions: PeeweeExecutionRepo) -> None:
    await executions.create(new_execution("e1", input={"a": 1}), None)
    await executions.record_end("e1", FAULTED)
    await executions.create(new_execution("e2", input={"a": 1}), None)
    await executions.record_end("e2", COMPLETED)
    stored = [await executions.get("e1"), await executions.get("e2")]

    light = await executions.list(ExecutionQuery(), first())
    full = await executions.list(ExecutionQuery(full=True), first())

    assert list(light.items) == [
        replace(execution, definition="", input=None, output=None) for execution in stored
    ]
    assert list(full.items) == stored


async def test_each_filter_matches_what_it_says(executions: PeeweeExecutionRepo) -> None:
    await executions.create(
        new_execution(
            "e1", template_id=1, template_name="a", business_key="k", labels={"team": "x"}
        ),
        None,
    )
    await executions.create(
        new_execution("e2", namespace="other", parent_id="e1", age=SECOND), None
    )
    await executions.record_progress("e2", progress(0))
    await executions.create(new_execution("e3", age=2 * SECOND), None)
    await executions.record_end("e3", COMPLETED)

    async def found(**filters: Any) -> Any:
        rows = await executions.list(ExecutionQuery(**filters), first(by="id", count=True))
        assert rows.total == len(rows.items)
        return ids(rows)

    assert await found() == ["e1", "e2", "e3"]
    assert await found(namespace="other") == ["e2"]
    assert await found(template_id=1) == ["e1"]
    assert await found(template_name="a") == ["e1"]
    assert await found(business_key="k") == ["e1"]
    assert await found(parent_id="e1") == ["e2"]
    assert await found(labels={"team": "x"}) == ["e1"]
    assert await found(statuses=[ExecutionStatus.RUNNING]) == ["e2"]
    assert await found(statuses=[ExecutionStatus.RUNNING, ExecutionStatus.COMPLETED]) == [
        "e2",
        "e3",
    ]
    assert await found(created_after=NOW - SECOND) == ["e1"]
    assert await found(created_before=NOW - SECOND) == ["e3"]
    assert await found(namespace="shop", statuses=[ExecutionStatus.PENDING]) == ["e1"]


async def test_a_label_is_matched_by_its_exact_key_and_value(
    executions: PeeweeExecutionRepo,
) -> None:
    labels = {
        "plain": {"a": "1", "b": "2"},
        "dotted": {"a.b": "1"},
        "slashed": {"a/b": "1"},
        "quoted": {"a": '"1"', 'a"b': "x", "a\\b": "y", "it's": "z"},
        "empty": {"a": ""},
        "foreign": {"a": "漢🐈\n%s?", "ключ": "v"},
        "none": {},
    }
    for id, own in labels.items():
        await executions.create(new_execution(id, labels=own), None)

    for id, own in labels.items():
        if own:
            rows = await executions.list(ExecutionQuery(labels=own), first())
            assert ids(rows) == [id], own
        for key, value in own.items():
            rows = await executions.list(ExecutionQuery(labels={key: value}), first())
            assert ids(rows) == [id], (key, value)
    for absent in ({"a": "1", "b": "1"}, {"A": "1"}, {"1": "a"}, {"a": "null"}):
        assert ids(await executions.list(ExecutionQuery(labels=absent), first())) == []


async def test_a_text_that_cannot_be_stored_is_an_invalid_argument(
    executions: PeeweeExecutionRepo,
) -> None:
    with pytest.raises(InvalidArgument):
        await executions.create(new_execution("e1", business_key="\ud800"), None)


async def test_a_request_is_bound_to_an_execution_that_is_there_once(
    executions: PeeweeExecutionRepo,
) -> None:
    one = await executions.create(new_execution("e1"), None)
    await executions.create(new_execution("e2"), None)

    assert await executions.bind_request(request(), "e1") == one
    assert await executions.bind_request(request(), "e2") == one
    assert await executions.find_by_request(request()) == one
    with pytest.raises(RequestIdReused):
        await executions.bind_request(request(digest="b"), "e2")
