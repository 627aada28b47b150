"""The relay of lifecycle events, on both databases."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import timedelta
from typing import Any

import pytest
from cloudevents.core.v1.event import CloudEvent

from biz.dsl.lifecycle import LifecycleEvent, LifecycleType
from biz.executions.execution import ExecutionEnd, ExecutionStatus
from biz.executions.history_batch import HistoryBatch
from biz.history.relay import EventRefused, HistoryRelay, SinkUnavailable
from biz.lease import Lease
from data.database import Database
from data.execution import PeeweeExecutionRepo
from data.history_end import PeeweeHistoryEndRepo
from data.history_relay import PeeweeRelayRepo
from data.lease import PeeweeLeaseRepo
from tests.fixtures.polling import until
from tests.fixtures.repos import NOW, Clock, new_execution

INTERVAL = timedelta(seconds=0.01)


class Sink:
    """Takes events, unless it is `down`, or `refuses` their sequence number."""

    def __init__(self) -> None:
        self.taken: list[tuple[str, int]] = []
        self.down = False
        self.refuses = 0
        self.breaks_after: int | None = None

    async def send(self, event: CloudEvent) -> None:
        await asyncio.sleep(0)
        if self.down or self.breaks_after == len(self.taken):
            raise SinkUnavailable("down")
        sequence = int(event.get_id())
        if sequence == self.refuses:
            raise EventRefused("no")
        self.taken.append((event.get_source().rpartition("/")[2], sequence))

    def of(self, id: str) -> list[int]:
        """What it has of an execution, in the order of arrival."""
        return [sequence for taken, sequence in self.taken if taken == id]


@pytest.fixture
def sink() -> Sink:
    return Sink()


@pytest.fixture
def recorder(database: Database, clock: Clock) -> PeeweeExecutionRepo:
    return PeeweeExecutionRepo(database=database, clock=clock, has_history_sink=True)


def new_relay(database: Database, clock: Clock, sink: Sink) -> HistoryRelay:
    lease = Lease(repo=PeeweeLeaseRepo(database=database), name="relay", clock=clock)
    return HistoryRelay(
        repo=PeeweeRelayRepo(database=database),
        sink=sink,
        lease=lease,
        clock=clock,
        interval=INTERVAL,
    )


@pytest.fixture
async def relay(database: Database, clock: Clock, sink: Sink) -> AsyncIterator[HistoryRelay]:
    return new_relay(database, clock, sink)


def events(numbers: Sequence[int], *, ends: bool = False) -> HistoryBatch:
    types = [LifecycleType.TASK_STARTED] * len(numbers)
    if ends:
        types[-1] = LifecycleType.WORKFLOW_COMPLETED
    return HistoryBatch.of(
        LifecycleEvent(sequence=number, type=type, time=NOW)
        for number, type in zip(numbers, types, strict=True)
    )


def end(**changes: Any) -> ExecutionEnd:
    known = {
        "status": ExecutionStatus.COMPLETED, "output": None, "error": None, "ended_at": NOW,
    }  # fmt: skip
    return ExecutionEnd(**{**known, **changes})


async def unsent(database: Database) -> list[str]:
    """The executions that wait."""
    repo = PeeweeRelayRepo(database=database)
    return [each.subject.execution_id for each in await repo.list_unsent(after_id="", limit=100)]


async def test_all_events_go_once_and_in_order(
    database: Database, recorder: PeeweeExecutionRepo, relay: HistoryRelay, sink: Sink
) -> None:
    for id in ("a", "b", "c"):
        await recorder.create(new_execution(id), None)
        await recorder.record_events(id, events([1, 2]))
    await relay.send_all()
    for id in ("a", "b", "c"):
        await recorder.record_end(id, end(), events([*range(3, 251)], ends=True))
    await relay.send_all()
    await relay.send_all()
    assert [sink.of(id) for id in ("a", "b", "c")] == [[*range(1, 251)]] * 3
    assert await unsent(database) == []


async def test_what_is_written_out_of_order_is_waited_for(
    database: Database, recorder: PeeweeExecutionRepo, relay: HistoryRelay, sink: Sink
) -> None:
    await recorder.create(new_execution("a"), None)
    await recorder.record_events("a", events([3]))
    await recorder.record_events("a", events([1]))
    await relay.send_all()
    assert sink.of("a") == [1]
    assert await unsent(database) == ["a"]
    await recorder.record_events("a", events([2]))
    await relay.send_all()
    assert sink.of("a") == [1, 2, 3]
    assert await unsent(database) == []


async def test_what_never_comes_is_given_up_after_the_end(
    database: Database,
    recorder: PeeweeExecutionRepo,
    relay: HistoryRelay,
    sink: Sink,
    clock: Clock,
) -> None:
    await recorder.create(new_execution("a"), None)
    await recorder.record_end("a", end(status=ExecutionStatus.TERMINATED), events([1, 3]))
    await relay.send_all()
    assert sink.of("a") == [1]
    clock.now += timedelta(seconds=61)
    await relay.send_all()
    assert sink.of("a") == [1, 3]
    assert await unsent(database) == []
    await recorder.record_events("a", events([4], ends=True))
    await relay.send_all()
    assert sink.of("a") == [1, 3, 4]


async def test_a_sink_that_is_down_gets_all_later(
    recorder: PeeweeExecutionRepo, relay: HistoryRelay, sink: Sink
) -> None:
    await recorder.create(new_execution("a"), None)
    await recorder.record_events("a", events([1, 2, 3]))
    sink.breaks_after = 2
    with pytest.raises(SinkUnavailable):
        await relay.send_all()
    sink.breaks_after = None
    await relay.send_all()
    assert sink.of("a") == [1, 2, 3]


async def test_an_event_that_is_refused_holds_up_no_other(
    recorder: PeeweeExecutionRepo, relay: HistoryRelay, sink: Sink
) -> None:
    await recorder.create(new_execution("a"), None)
    await recorder.record_events("a", events([1, 2, 3]))
    sink.refuses = 2
    await relay.send_all()
    assert sink.of("a") == [1, 3]


async def test_one_server_sends_at_a_time_and_another_takes_over(
    database: Database, recorder: PeeweeExecutionRepo, clock: Clock, sink: Sink
) -> None:
    await recorder.create(new_execution("a"), None)
    first, second = (new_relay(database, clock, sink) for _ in range(2))
    running = asyncio.create_task(first.run())
    await recorder.record_events("a", events([1]))
    await until(lambda: sink.of("a") == [1])
    sink.down = True
    await recorder.record_events("a", events([2]))
    await second.send_all()  # raises nothing, since it doesn't send

    running.cancel()
    await asyncio.wait([running])
    sink.down = False
    await second.send_all()
    assert sink.of("a") == [1, 2]


async def test_it_goes_on_after_whatever_went_wrong(
    recorder: PeeweeExecutionRepo, relay: HistoryRelay, sink: Sink, monkeypatch: pytest.MonkeyPatch
) -> None:
    await recorder.create(new_execution("a"), None)
    sink.down = True
    running = asyncio.create_task(relay.run())
    try:
        await recorder.record_events("a", events([1]))
        await asyncio.sleep(0.05)
        with monkeypatch.context() as broken:
            broken.setattr(sink, "down", False)
            broken.setattr(sink, "refuses", "not comparable")
            broken.setattr(sink, "taken", None)
            await asyncio.sleep(0.05)
        sink.down = False
        await until(lambda: sink.of("a") == [1])
    finally:
        running.cancel()
        await asyncio.wait([running])


async def test_an_end_that_was_made_up_later_is_sent_as_well(
    database: Database, recorder: PeeweeExecutionRepo, relay: HistoryRelay, sink: Sink
) -> None:
    await recorder.create(new_execution("a"), None)
    await recorder.record_end("a", end(status=ExecutionStatus.TERMINATED), events([1]))
    await relay.send_all()
    closing = PeeweeHistoryEndRepo(database=database)
    await closing.close(await recorder.get("a"), events([2]), "")
    await relay.send_all()
    sent = sink.of("a")
    assert sent == [*range(1, len(sent) + 1)]
    assert len(sent) > 2
    assert await unsent(database) == []


async def test_without_a_sink_nothing_is_noted(
    database: Database, executions: PeeweeExecutionRepo
) -> None:
    await executions.create(new_execution("a"), None)
    await executions.record_events("a", events([1]))
    assert await unsent(database) == []
