"""Events and listeners, on both databases."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest

from biz.dsl.events.arrivals import EventPage, Listener
from biz.events.event import NewEvent, StoredEvent
from biz.executions.execution import ExecutionEnd, ExecutionStatus
from data.database import Database
from data.event import PeeweeEventRepo
from data.execution import PeeweeExecutionRepo
from tests.fixtures.repos import NOW, new_execution

ALL = Listener(id=1, interests=[{}])
ENDED = ExecutionEnd(status=ExecutionStatus.COMPLETED, output=None, error=None, ended_at=NOW)


@pytest.fixture
def events(database: Database) -> PeeweeEventRepo:
    return PeeweeEventRepo(database=database)


def new(
    id: str = "1",
    *,
    type: str = "t",
    namespace: str = "shop",
    target: str = "",
    age: timedelta = timedelta(),
    **attributes: Any,
) -> NewEvent:
    event = {"specversion": "1.0", "id": id, "source": "/x", "type": type, **attributes}
    return NewEvent(namespace=namespace, target=target, event=event, accepted_at=NOW - age)


def ids(page: EventPage) -> Sequence[str]:
    return [arrival.event["id"] for arrival in page.arrivals]


async def listeners(
    events: PeeweeEventRepo, event: StoredEvent, *, asleep: bool = True
) -> Sequence[str]:
    found = await events.list_listeners(event, asleep=asleep, after_id=0, limit=100)
    return [listener.execution_id for listener in found]


class TestAdd:
    async def test_the_same_source_and_id_are_stored_once(self, events: PeeweeEventRepo) -> None:
        first = await events.add(new(data=1))
        again = await events.add(new(data=2))
        assert (first.is_new, again.is_new) == (True, False)
        assert again.sequence == first.sequence
        await events.mark_delivered(first.sequence, NOW)
        assert (await events.add(new())).is_delivered

    async def test_what_differs_is_another_event(self, events: PeeweeEventRepo) -> None:
        long = "x" * 10_000
        different = [new(), new("2"), new(namespace="other"), new(source="/y"), new(long)]
        stored = [await events.add(event) for event in different]
        assert [event.sequence for event in stored] == sorted({e.sequence for e in stored})
        assert all(event.is_new for event in stored)

    async def test_many_at_once_become_visible_in_their_order(
        self, events: PeeweeEventRepo, executions: PeeweeExecutionRepo
    ) -> None:
        await executions.create(new_execution("run"), None)
        adding = asyncio.gather(*(events.add(new(str(number))) for number in range(100)))
        cursor, seen = 0, []
        while not adding.done() or len(seen) < 100:
            page = await events.fetch("run", ALL, cursor)
            cursor = page.cursor
            seen += ids(page)
        await adding
        assert sorted(seen, key=int) == [str(number) for number in range(100)]

    async def test_the_same_event_many_times_at_once(self, events: PeeweeEventRepo) -> None:
        stored = await asyncio.gather(*(events.add(new()) for _ in range(20)))
        assert len({event.sequence for event in stored}) == 1
        assert sum(event.is_new for event in stored) == 1


class TestFetch:
    async def test_from_the_beginning_of_the_execution_on(
        self, events: PeeweeEventRepo, executions: PeeweeExecutionRepo
    ) -> None:
        await events.add(new("before"))
        await executions.create(new_execution("run"), None)
        await executions.create(new_execution("other", namespace="other"), None)
        await events.add(new("after"))
        await events.add(new("elsewhere", namespace="other"))
        page = await events.fetch("run", ALL, 0)
        assert (ids(page), page.has_more) == (["after"], False)
        assert ids(await events.fetch("other", ALL, 0)) == ["elsewhere"]
        assert ids(await events.fetch("run", ALL, page.cursor)) == []
        assert ids(await events.fetch("nobody", ALL, 0)) == []

    @pytest.mark.parametrize(
        ("interests", "found"),
        [
            ([{}], ["1", "2", "3"]),
            ([{"type": "a"}], ["1"]),
            ([{"type": "a"}, {"type": "b"}], ["1", "2", "3"]),
            ([{"type": "b", "subject": "s"}], ["3"]),
            ([{"subject": "s"}, {"type": "a"}], ["1", "3"]),
            ([{"type": "c"}], []),
            ([], []),
        ],
    )
    async def test_what_somebody_is_interested_in(
        self,
        events: PeeweeEventRepo,
        executions: PeeweeExecutionRepo,
        interests: Sequence[dict[str, str]],
        found: Sequence[str],
    ) -> None:
        await executions.create(new_execution("run"), None)
        await events.add(new("1", type="a"))
        await events.add(new("2", type="b"))
        last = await events.add(new("3", type="b", subject="s"))
        page = await events.fetch("run", Listener(id=1, interests=interests), 0)
        assert (ids(page), page.cursor) == (found, last.sequence)

    async def test_events_for_one_execution(
        self, events: PeeweeEventRepo, executions: PeeweeExecutionRepo
    ) -> None:
        await executions.create(new_execution("one"), None)
        await executions.create(new_execution("two"), None)
        await events.add(new("a", target="one"))
        await events.add(new("a"))
        await events.add(new("b"))
        known = await events.add(new("b", target="one"))
        assert not known.is_new
        assert ids(await events.fetch("one", ALL, 0)) == ["a", "b"]
        assert ids(await events.fetch("two", ALL, 0)) == ["a", "b"]

    async def test_an_event_from_before_the_execution_can_be_given_to_it(
        self, events: PeeweeEventRepo, executions: PeeweeExecutionRepo
    ) -> None:
        await events.add(new("a"))
        await executions.create(new_execution("run"), None)
        assert (await events.add(new("a", target="run"))).is_new
        assert ids(await events.fetch("run", ALL, 0)) == ["a"]

    async def test_pages_are_bounded_in_bytes_and_rows(
        self, events: PeeweeEventRepo, executions: PeeweeExecutionRepo
    ) -> None:
        await executions.create(new_execution("run"), None)
        for number in range(5):
            await events.add(new(str(number), data="x" * 100_000))
        await events.add(new("large", data="x" * 900_000))
        cursor, pages = 0, []
        while True:
            page = await events.fetch("run", ALL, cursor)
            pages.append(ids(page))
            cursor = page.cursor
            if not page.has_more:
                break
        assert pages == [["0", "1"], ["2", "3"], ["4"], ["large"]]


class TestListeners:
    async def test_who_fetches_listens_until_it_stops(
        self, events: PeeweeEventRepo, executions: PeeweeExecutionRepo
    ) -> None:
        for id in ("a", "b", "c", "d"):
            await executions.create(new_execution(id), None)
        await executions.create(new_execution("e", namespace="other"), None)
        await events.fetch("a", ALL, 0)
        await events.fetch("b", Listener(id=1, interests=[{"type": "t"}, {"type": "u"}]), 0)
        await events.fetch("c", Listener(id=1, interests=[{"type": "u"}]), 0)
        await events.fetch("d", Listener(id=1, interests=[]), 0)
        await events.fetch("e", ALL, 0)
        event = await events.add(new())
        assert await listeners(events, event) == ["a", "b"]
        assert await listeners(events, await events.add(new("2", target="b"))) == ["b"]
        await events.stop_listening("a", 2)
        await events.stop_listening("b", 1)
        assert await listeners(events, event) == ["a"]
        await events.forget("a")
        assert await listeners(events, event) == []

    async def test_pages_of_listeners(
        self, events: PeeweeEventRepo, executions: PeeweeExecutionRepo
    ) -> None:
        for number in range(5):
            await executions.create(new_execution(f"run-{number}"), None)
            await events.fetch(f"run-{number}", ALL, 0)
        event = await events.add(new())
        after, seen = 0, []
        while found := await events.list_listeners(event, asleep=True, after_id=after, limit=2):
            seen += [listener.execution_id for listener in found]
            after = found[-1].id
        assert seen == [f"run-{number}" for number in range(5)]

    async def test_who_is_claimed_is_awake_until_it_fetches_again(
        self, events: PeeweeEventRepo, executions: PeeweeExecutionRepo
    ) -> None:
        await executions.create(new_execution("run"), None)
        await events.fetch("run", ALL, 0)
        event = await events.add(new())
        found = await events.list_listeners(event, asleep=True, after_id=0, limit=10)
        claims = await asyncio.gather(*(events.claim(found) for _ in range(5)))
        assert sum(len(claim) for claim in claims) == 1
        assert await listeners(events, event) == []
        assert await listeners(events, event, asleep=False) == ["run"]
        await events.fetch("run", ALL, 0)
        assert await listeners(events, event) == ["run"]

    async def test_those_of_ended_executions_are_forgotten(
        self, events: PeeweeEventRepo, executions: PeeweeExecutionRepo
    ) -> None:
        for id in ("ended", "live"):
            await executions.create(new_execution(id), None)
            await events.fetch(id, ALL, 0)
        await executions.record_end("ended", ENDED)
        await events.forget_ended()
        assert await listeners(events, await events.add(new())) == ["live"]


async def test_what_wasnt_delivered_is_listed_oldest_first(events: PeeweeEventRepo) -> None:
    old = await events.add(new("old", age=timedelta(minutes=2)))
    older = await events.add(new("older", age=timedelta(minutes=3)))
    done = await events.add(new("done", age=timedelta(minutes=3)))
    await events.add(new("fresh"))
    await events.mark_delivered(done.sequence, NOW)
    before = NOW - timedelta(minutes=1)
    found = await events.list_undelivered(accepted_before=before, limit=10)
    assert [event.sequence for event in found] == [old.sequence, older.sequence]
    assert len(await events.list_undelivered(accepted_before=before, limit=1)) == 1


async def test_what_is_old_is_purged_once_it_was_delivered(
    events: PeeweeEventRepo, executions: PeeweeExecutionRepo
) -> None:
    await executions.create(new_execution("run"), None)
    for id, age in (("1", 9), ("2", 9), ("3", 9), ("4", 1)):
        stored = await events.add(new(id, age=timedelta(days=age)))
        if id != "3":
            await events.mark_delivered(stored.sequence, NOW)
    before = NOW - timedelta(days=7)
    assert await events.purge(accepted_before=before, limit=1) == 1
    assert await events.purge(accepted_before=before, limit=100) == 1
    assert await events.purge(accepted_before=before, limit=100) == 0
    assert ids(await events.fetch("run", ALL, 0)) == ["3", "4"]


async def test_an_execution_made_when_all_is_purged_sees_later_events(
    events: PeeweeEventRepo, executions: PeeweeExecutionRepo
) -> None:
    stored = await events.add(new("1", age=timedelta(days=9)))
    await events.mark_delivered(stored.sequence, NOW)
    await events.purge(accepted_before=NOW, limit=100)
    await executions.create(new_execution("run"), None)
    await events.add(new("2"))
    assert ids(await events.fetch("run", ALL, 0)) == ["2"]
