"""PeeweeHistoryRepo, on both databases."""

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest

from biz.dsl.lifecycle import LifecycleEvent, LifecycleType
from biz.errors import PayloadNotFound
from biz.executions.execution import ExecutionEnd, ExecutionProgress, ExecutionStatus
from biz.executions.history_batch import LARGE_VALUE_LENGTH, HistoryBatch
from biz.history.history import MAX_INLINE_BYTES
from biz.paging import Order, Slice
from data.database import Database
from data.execution import PeeweeExecutionRepo
from data.history import PeeweeHistoryRepo
from tests.fixtures.entities import EVENT
from tests.fixtures.repos import NOW, new_execution

PROGRESS = ExecutionProgress(
    sequence=1, status=ExecutionStatus.RUNNING, current_tasks=["/do/0/x"], at=NOW
)
LARGE = ["x" * LARGE_VALUE_LENGTH]
HUGE = ["y" * (MAX_INLINE_BYTES + 1)]
END = ExecutionEnd(status=ExecutionStatus.COMPLETED, output=None, error=None, ended_at=NOW)


def told(*sequences: int) -> list[LifecycleEvent]:
    return [
        LifecycleEvent(
            sequence=sequence, type=LifecycleType.TASK_STARTED, time=NOW, task=f"/do/{sequence}/x"
        )
        for sequence in sequences
    ]


def events(*sequences: int) -> HistoryBatch:
    return HistoryBatch.of(told(*sequences))


@pytest.fixture
def history(database: Database) -> PeeweeHistoryRepo:
    return PeeweeHistoryRepo(database=database)


def slice_of(limit: int, *, descending: bool = False, after: int | None = None) -> Slice:
    return Slice(
        order=Order(field="sequence", descending=descending),
        limit=limit,
        after=None if after is None else (after, after),
        count=True,
    )


async def all_of(history: PeeweeHistoryRepo, id: str) -> Sequence[LifecycleEvent]:
    return (await history.list(id, after_sequence=0, slice=slice_of(1000))).items


async def sequences(history: PeeweeHistoryRepo, id: str) -> list[int]:
    return [event.sequence for event in await all_of(history, id)]


@pytest.mark.parametrize(
    "event",
    [EVENT, *told(1), replace(EVENT, iterations=3), replace(EVENT, task="/do/0/a\0b\ud800")],
    ids=repr,
)
async def test_what_is_written_comes_back_whole(
    executions: PeeweeExecutionRepo, history: PeeweeHistoryRepo, event: LifecycleEvent
) -> None:
    await executions.record_events("e1", HistoryBatch.of([event]))

    rows = await history.list("e1", after_sequence=0, slice=slice_of(10))
    assert rows.items == [event]


async def test_writing_again_changes_nothing(
    executions: PeeweeExecutionRepo, history: PeeweeHistoryRepo
) -> None:
    await executions.record_progress("e1", PROGRESS, events(1, 2, 3))
    await executions.record_events("e1", events(2, 3, 4))
    await executions.record_end("e1", END, events(1, 5))

    assert await sequences(history, "e1") == [1, 2, 3, 4, 5]


async def test_what_a_lost_worker_told_gives_way_to_what_happened(
    executions: PeeweeExecutionRepo, history: PeeweeHistoryRepo
) -> None:
    """Temporal has a workflow task done anew where it didn't hear of its end; more may have come
    by then.
    """
    first = told(1, 2, 3)
    lost = [replace(event, time=NOW + timedelta(seconds=1)) for event in told(3, 4, 5, 6)]
    kept = [
        replace(event, time=NOW + timedelta(seconds=11), task=f"/do/{event.sequence}/y")
        for event in told(4, 5)
    ]
    late = [replace(kept[0], sequence=6, time=NOW + timedelta(seconds=12))]
    await executions.record_events("e1", HistoryBatch.of([*first[:2], lost[0]]))
    await executions.record_events("e1", HistoryBatch.of(lost[1:]))

    await executions.record_events("e1", HistoryBatch.of([lost[0], *kept]))
    assert await all_of(history, "e1") == [*first[:2], lost[0], *kept]

    await executions.record_events("e1", HistoryBatch.of(lost))
    assert await all_of(history, "e1") == [*first[:2], lost[0], *kept]

    await executions.record_events("e1", HistoryBatch.of(late))
    await executions.record_events("e1", HistoryBatch.of(kept))
    assert await all_of(history, "e1") == [*first[:2], lost[0], *kept, *late]


async def test_nothing_changes_once_an_end_was_told(
    executions: PeeweeExecutionRepo, history: PeeweeHistoryRepo
) -> None:
    end = LifecycleEvent(sequence=4, type=LifecycleType.WORKFLOW_CANCELLED, time=NOW)
    later = [replace(event, time=NOW + timedelta(seconds=11)) for event in told(3, 4, 5)]
    await executions.record_events("e1", HistoryBatch.of([*told(1, 2, 3), end]))

    await executions.record_events("e1", HistoryBatch.of(later))
    await executions.record_events("e1", HistoryBatch.of(later[:1]))
    assert await all_of(history, "e1") == [*told(1, 2, 3), end]


async def test_progress_and_end_are_written_with_their_events(
    executions: PeeweeExecutionRepo,
) -> None:
    await executions.create(new_execution("e1"), None)

    await executions.record_progress("e1", PROGRESS, events(1))
    assert (await executions.get("e1")).status is ExecutionStatus.RUNNING

    await executions.record_end("e1", END, events(2))
    assert (await executions.get("e1")).status is ExecutionStatus.COMPLETED


async def test_pages_hold_the_events_of_one_execution(
    executions: PeeweeExecutionRepo, history: PeeweeHistoryRepo
) -> None:
    await executions.record_events("e1", events(*range(1, 251)))
    await executions.record_events("e2", events(*range(1, 11)))

    first = await history.list("e2", after_sequence=3, slice=slice_of(4))
    assert [event.sequence for event in first.items] == [4, 5, 6, 7]
    assert (first.place, first.total) == ((7, 7), 7)
    second = await history.list("e2", after_sequence=3, slice=slice_of(4, after=7))
    assert [event.sequence for event in second.items] == [8, 9, 10]
    assert second.place is None
    backwards = await history.list("e1", after_sequence=0, slice=slice_of(2, descending=True))
    assert [event.sequence for event in backwards.items] == [250, 249]


class TestLargeValues:
    async def test_they_are_kept_once_and_come_back(
        self, executions: PeeweeExecutionRepo, history: PeeweeHistoryRepo
    ) -> None:
        event = replace(EVENT, input=LARGE, output=None)
        batch = HistoryBatch.of([event])
        await executions.record_events("e1", batch)
        await executions.record_events("e1", batch)

        rows = await history.list("e1", after_sequence=0, slice=slice_of(10))
        assert rows.items == [event]

    async def test_huge_ones_are_referred_to(
        self, executions: PeeweeExecutionRepo, history: PeeweeHistoryRepo
    ) -> None:
        await executions.record_events("e1", HistoryBatch.of([replace(EVENT, output=HUGE)]))

        rows = await history.list("e1", after_sequence=0, slice=slice_of(10))
        reference = rows.items[0].output
        assert reference.length == MAX_INLINE_BYTES + 5
        assert json.loads(await history.get_payload("e1", reference.digest)) == HUGE
        with pytest.raises(PayloadNotFound):
            await history.get_payload("e2", reference.digest)

    async def test_a_page_ends_before_it_is_too_large(
        self, executions: PeeweeExecutionRepo, history: PeeweeHistoryRepo
    ) -> None:
        large = [replace(e, input=["z" * 500_000, e.sequence]) for e in told(*range(1, 10))]
        await executions.record_events("e1", HistoryBatch.of(large))

        first = await history.list("e1", after_sequence=0, slice=slice_of(1000))
        assert [event.sequence for event in first.items] == [1, 2, 3, 4, 5, 6]
        assert first.place == (6, 6)
        rest = await history.list("e1", after_sequence=0, slice=slice_of(1000, after=6))
        assert [event.sequence for event in rest.items] == [7, 8, 9]
        assert rest.place is None
