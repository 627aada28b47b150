import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from biz.dsl.lifecycle import LifecycleEvent, LifecycleType
from biz.errors import ExecutionNotFound, InvalidArgument, ServerStopping, TooManyWatchers
from biz.executions.execution import ExecutionStatus
from biz.history import live
from biz.history.live import LiveHistory
from biz.history.live_topic import KEPT, KEPT_BYTES
from biz.history.steps import HistoryEnd
from tests.fakes.live_history_repo import FakeHistoryChanges, FakeLiveHistoryRepo
from tests.fixtures.polling import until
from tests.patience import PATIENCE_SECONDS

NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)
_PATIENCE = timedelta(seconds=0.2)

Watcher = AsyncGenerator[LifecycleEvent | HistoryEnd]


def event(sequence: int, type: LifecycleType = LifecycleType.TASK_STARTED) -> LifecycleEvent:
    return LifecycleEvent(sequence=sequence, type=type, time=NOW)


def last_event(sequence: int) -> LifecycleEvent:
    return event(sequence, LifecycleType.WORKFLOW_COMPLETED)


class Live:
    """Live histories over fakes."""

    def __init__(self) -> None:
        self.now = NOW
        self.repo = FakeLiveHistoryRepo()
        self.changes = FakeHistoryChanges()
        self.histories = LiveHistory(
            repo=self.repo,
            changes=self.changes,
            clock=lambda: self.now,
            max_watchers=50,
            patience=_PATIENCE,
        )

    def record(self, id: str, *events: LifecycleEvent) -> None:
        """Writes events, and tells of it."""
        self.repo.add(id, *events)
        self.changes.tell(id)

    def end(self, id: str, *events: LifecycleEvent, at: datetime = NOW) -> None:
        """Ends an execution with these events, and tells of it."""
        self.repo.end(id, ExecutionStatus.COMPLETED, at)
        self.record(id, *events)

    def watch(self, id: str, after_sequence: int = 0) -> Watcher:
        return self.histories.watch(id, after_sequence=after_sequence)

    async def followed(self) -> None:
        """Returns when what has grown so far was found."""
        await until(lambda: bool(self.changes.followers))
        await asyncio.sleep(0.01)


@pytest.fixture
async def alive() -> AsyncIterator[Live]:
    made = Live()
    yield made
    await made.histories.close()


async def next_of(watcher: Watcher) -> Any:
    """The sequence number of what comes next, or the end."""
    record = await asyncio.wait_for(anext(watcher), PATIENCE_SECONDS)
    return record.sequence if isinstance(record, LifecycleEvent) else record


async def rest_of(watcher: Watcher) -> list[Any]:
    """All that comes, as `next_of` gives it."""
    found = []
    async with asyncio.timeout(PATIENCE_SECONDS):
        async for record in watcher:
            found.append(record.sequence if isinstance(record, LifecycleEvent) else record)
    return found


async def comes_nothing(watcher: Watcher) -> asyncio.Task[Any]:
    """What waits for the next record, after a while in which there was none."""
    waiting = asyncio.create_task(next_of(watcher))
    await asyncio.sleep(0.05)
    assert not waiting.done()
    return waiting


def completed(last_sequence: int) -> HistoryEnd:
    return HistoryEnd(status=ExecutionStatus.COMPLETED, last_sequence=last_sequence)


async def test_history_comes_first_then_what_is_recorded_then_the_end(alive: Live) -> None:
    alive.record("e", event(1), event(2))
    watcher = alive.watch("e")
    assert [await next_of(watcher), await next_of(watcher)] == [1, 2]
    waiting = await comes_nothing(watcher)

    alive.record("e", event(3))
    assert await waiting == 3
    alive.end("e", event(4), last_event(5))
    assert await rest_of(watcher) == [4, 5, completed(5)]


async def test_a_long_history_comes_whole(alive: Live) -> None:
    alive.repo.page = 7
    alive.end("e", *(event(n) for n in range(1, 50)), last_event(50))
    assert await rest_of(alive.watch("e")) == [*range(1, 51), completed(50)]
    assert not alive.changes.followers


@pytest.mark.parametrize(("after", "shown"), [(0, [1, 2, 3]), (2, [3]), (3, []), (99, [])], ids=str)
async def test_an_ended_run_gives_what_comes_after_the_place_asked_for(
    alive: Live, after: int, shown: list[int]
) -> None:
    alive.end("e", event(1), event(2), last_event(3))
    assert await rest_of(alive.watch("e", after)) == [*shown, completed(3)]


async def test_who_asks_for_what_comes_later_waits_for_it(alive: Live) -> None:
    alive.record("e", event(1))
    watcher = alive.watch("e", 3)
    waiting = await comes_nothing(watcher)
    for n in (2, 3):
        alive.record("e", event(n))
    await asyncio.sleep(0.02)
    assert not waiting.done()
    alive.record("e", event(4))
    assert await waiting == 4


async def test_what_is_written_out_of_order_comes_in_order(alive: Live) -> None:
    alive.record("e", event(1), event(4))
    watcher = alive.watch("e")
    assert await next_of(watcher) == 1
    waiting = await comes_nothing(watcher)
    alive.record("e", event(3))
    await asyncio.sleep(0.02)
    assert not waiting.done()

    alive.record("e", event(2))
    assert await waiting == 2
    assert [await next_of(watcher), await next_of(watcher)] == [3, 4]


async def test_the_end_waits_for_the_execution_to_have_ended(alive: Live) -> None:
    alive.record("e", last_event(1))
    watcher = alive.watch("e")
    assert await next_of(watcher) == 1
    waiting = await comes_nothing(watcher)
    alive.end("e")
    assert await waiting == completed(1)


async def test_the_end_of_a_run_that_was_cut_off_waits_for_its_last_event(alive: Live) -> None:
    alive.record("e", event(1))
    watcher = alive.watch("e")
    assert await next_of(watcher) == 1
    waiting = await comes_nothing(watcher)
    alive.end("e")
    await asyncio.sleep(_PATIENCE.total_seconds() / 4)
    assert not waiting.done()
    alive.record("e", last_event(2))
    assert [await waiting, await next_of(watcher)] == [2, completed(2)]


@pytest.mark.parametrize("late", [True, False])
async def test_the_end_comes_without_a_last_event_in_the_end(alive: Live, late: bool) -> None:
    alive.record("e", event(1), event(3))
    alive.end("e", at=NOW if late else NOW - _PATIENCE)
    watcher = alive.watch("e")
    assert await next_of(watcher) == 1
    if late:
        alive.now += _PATIENCE
    assert await rest_of(watcher) == [3, completed(3)]


async def test_the_clocks_of_two_machines_may_differ(alive: Live) -> None:
    alive.end("e", event(1), at=NOW + timedelta(days=1))
    watcher = alive.watch("e")
    assert await next_of(watcher) == 1
    waiting = await comes_nothing(watcher)
    alive.now += timedelta(days=2)
    assert await waiting == completed(1)


async def test_watchers_of_one_execution_share_what_is_read(alive: Live) -> None:
    alive.record("e", event(1))
    watchers = [alive.watch("e") for _ in range(20)]
    assert [await next_of(each) for each in watchers] == [1] * 20
    waiting = [await comes_nothing(each) for each in watchers]
    alive.repo.reads.clear()

    alive.end("e", *(event(n) for n in range(2, 11)), last_event(11))

    assert await asyncio.gather(*waiting) == [2] * 20
    for each in watchers:
        assert await rest_of(each) == [*range(3, 12), completed(11)]
    assert alive.repo.reads["e"] == 1
    assert alive.histories.watchers == alive.histories.watched == 0


async def test_a_slow_watcher_misses_nothing_and_holds_up_nobody(alive: Live) -> None:
    many = 3 * KEPT
    alive.record("e", event(1))
    slow, fast = alive.watch("e"), alive.watch("e")
    assert [await next_of(slow), await next_of(fast)] == [1, 1]
    for n in range(2, many):
        waiting = asyncio.create_task(next_of(fast))
        await asyncio.sleep(0)
        alive.record("e", event(n))
        assert await waiting == n
    alive.end("e", last_event(many))
    assert await rest_of(fast) == [many, completed(many)]

    assert await rest_of(slow) == [*range(2, many + 1), completed(many)]


async def test_large_values_are_read_again_rather_than_kept(alive: Live) -> None:
    alive.record("e", event(1))
    slow, fast = alive.watch("e"), alive.watch("e")
    assert [await next_of(slow), await next_of(fast)] == [1, 1]
    waiting = await comes_nothing(fast)
    large = "x" * (KEPT_BYTES // 2)
    alive.record("e", *(replace(event(n), output=large) for n in range(2, 6)))
    assert await waiting == 2
    alive.repo.reads.clear()
    assert [await next_of(slow) for _ in range(4)] == [2, 3, 4, 5]
    assert alive.repo.reads["e"] == 1


async def test_what_was_recorded_while_nobody_listened_is_found(alive: Live) -> None:
    alive.record("e", event(1))
    watcher = alive.watch("e")
    assert await next_of(watcher) == 1
    waiting = await comes_nothing(watcher)
    alive.repo.add("e", event(2))
    alive.changes.tell(None)
    assert await waiting == 2


async def test_what_is_told_of_others_is_left(alive: Live) -> None:
    alive.record("e", event(1))
    watcher = alive.watch("e")
    assert await next_of(watcher) == 1
    await comes_nothing(watcher)
    alive.repo.reads.clear()
    alive.record("other", event(1))
    await asyncio.sleep(0.02)
    assert not alive.repo.reads


async def test_it_follows_only_while_somebody_watches(alive: Live) -> None:
    alive.record("e", event(1))
    for _ in range(2):
        async with aclosing(alive.watch("e")) as watcher:
            assert await next_of(watcher) == 1
            waiting = await comes_nothing(watcher)
            assert len(alive.changes.followers) == 1
            waiting.cancel()
            await asyncio.wait([waiting])
        await until(lambda: not alive.changes.followers)


@pytest.mark.parametrize("told", ["e", None])
async def test_a_database_that_was_away_delays_watchers(
    alive: Live, told: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "_PAUSE_SECONDS", 0.01)
    alive.record("e", event(1))
    watcher = alive.watch("e")
    assert await next_of(watcher) == 1
    waiting = await comes_nothing(watcher)
    alive.repo.down = True
    alive.repo.add("e", event(2))
    alive.changes.tell(told)
    await asyncio.sleep(0.05)
    assert not waiting.done()
    alive.repo.down = False
    assert await waiting == 2


async def test_what_breaks_is_tried_again(alive: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "_PAUSE_SECONDS", 0.01)
    alive.record("e", event(1))
    watcher = alive.watch("e")
    assert await next_of(watcher) == 1
    waiting = await comes_nothing(watcher)
    with monkeypatch.context() as broken:
        broken.delattr(alive.repo, "_ends")
        alive.record("e", event(2))
        await asyncio.sleep(0.05)
        assert not waiting.done()
    assert await waiting == 2


async def test_an_execution_that_is_deleted_ends_with_an_error(alive: Live) -> None:
    alive.record("e", event(1))
    watcher = alive.watch("e")
    assert await next_of(watcher) == 1
    waiting = await comes_nothing(watcher)
    alive.repo.delete("e")
    alive.changes.tell(None)
    with pytest.raises(ExecutionNotFound):
        await waiting


async def test_an_unknown_execution_is_refused(alive: Live) -> None:
    with pytest.raises(ExecutionNotFound):
        await next_of(alive.watch("e"))
    assert alive.histories.watchers == 0


async def test_a_place_before_the_beginning_is_refused(alive: Live) -> None:
    with pytest.raises(InvalidArgument):
        await next_of(alive.watch("e", -1))


async def test_there_is_a_limit_of_watchers(alive: Live) -> None:
    alive.record("e", event(1))
    watchers = [alive.watch("e") for _ in range(50)]
    for each in watchers:
        assert await next_of(each) == 1
    with pytest.raises(TooManyWatchers) as refused:
        await next_of(alive.watch("e"))
    assert refused.value.metadata == {"limit": "50"}

    await watchers[0].aclose()
    assert await next_of(alive.watch("e")) == 1


async def test_a_server_that_stops_says_where_to_go_on(alive: Live) -> None:
    alive.record("e", event(1))
    watcher = alive.watch("e")
    assert await next_of(watcher) == 1
    waiting = await comes_nothing(watcher)
    await alive.histories.close()
    with pytest.raises(ServerStopping) as stopped:
        await waiting
    assert stopped.value.metadata == {"after_sequence": "1"}
    with pytest.raises(ServerStopping):
        await next_of(alive.watch("e", 7))
