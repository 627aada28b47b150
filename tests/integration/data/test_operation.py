"""Operations, from the call to their end, on both databases."""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta

import pytest

from biz.errors import (
    EngineUnavailable,
    ExecutionNotEnded,
    InvalidArgument,
    OperationNotFound,
    RequestIdReused,
    TooManyMatched,
)
from biz.executions.execution import ExecutionQuery
from biz.operations.operation import (
    MAX_FAILURES,
    BatchAction,
    BatchFailure,
    BatchItem,
    BatchRequest,
    Operation,
    OperationUsecase,
)
from biz.operations.runner import BatchStep, OperationRunner
from biz.paging import PageRequest, PageTokens
from data.database import Database
from data.execution import PeeweeExecutionRepo
from data.lease import PeeweeLeaseRepo
from data.operation import PeeweeOperationRepo
from tests.fakes.signing_key import FakeSigningKey
from tests.fixtures.repos import Clock, new_execution
from tests.patience import PATIENCE_SECONDS

ALL = BatchRequest(action=BatchAction.CANCEL, query=ExecutionQuery(), reason="spring clean")
WEEK = timedelta(weeks=1)


class FakeVerb:
    """`biz.operations.runner.BatchVerb`: notes its steps; `answer` may refuse one."""

    def __init__(self) -> None:
        self.steps: list[BatchStep] = []
        self.answer: Callable[[str], Exception | None] = lambda id: None

    @property
    def ids(self) -> list[str]:
        return [step.execution_id for step in self.steps]

    async def __call__(self, step: BatchStep) -> None:
        self.steps.append(step)
        if refusal := self.answer(step.execution_id):
            raise refusal


class Bench:
    """A use case and runners over one database."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self.repo = PeeweeOperationRepo(database=database)
        self.executions = PeeweeExecutionRepo(database=database, clock=clock)
        self.verb = FakeVerb()
        self.runner = self.new_runner(database, clock)
        self.operations = OperationUsecase(
            repo=self.repo,
            wake=self.runner.wake,
            page_tokens=PageTokens(signing_key=FakeSigningKey()),
            clock=clock,
        )

    def new_runner(self, database: Database, clock: Clock) -> OperationRunner:
        return OperationRunner(
            repo=self.repo,
            leases=PeeweeLeaseRepo(database=database),
            verbs={BatchAction.CANCEL: self.verb},
            clock=clock,
            interval=timedelta(hours=1),
            retention=WEEK,
        )

    async def fill(self, count: int, *, namespace: str = "shop") -> Sequence[str]:
        """Stores executions, each a second younger than the one before."""
        ids = [f"{namespace}{number:03}" for number in range(count)]
        for number, id in enumerate(ids):
            age = timedelta(seconds=count - number)
            await self.executions.create(new_execution(id, namespace=namespace, age=age), None)
        return ids


@pytest.fixture
def bench(database: Database, clock: Clock) -> Bench:
    return Bench(database, clock)


def progress(operation: Operation) -> tuple[int, int, int]:
    return operation.matched, operation.succeeded, operation.failed


class TestStart:
    async def test_all_that_match_are_done_once_in_the_order_of_their_creation(
        self, bench: Bench
    ) -> None:
        ids = await bench.fill(45)
        await bench.fill(3, namespace="bank")
        request = replace(ALL, query=ExecutionQuery(namespace="shop"))

        started = await bench.operations.start(request)
        assert progress(started) == (45, 0, 0)
        assert started.ended_at is None
        await bench.executions.create(new_execution("later", namespace="shop"), None)
        await bench.runner.work()

        assert bench.verb.ids == ids
        assert {step.reason for step in bench.verb.steps} == {"spring clean"}
        assert len({step.request_id for step in bench.verb.steps}) == 45
        ended = await bench.operations.get(started.id)
        assert progress(ended) == (45, 45, 0)
        assert (ended.ended_at, ended.is_cancelled) == (started.created_at, False)

    async def test_what_is_only_counted_is_left(self, bench: Bench) -> None:
        await bench.fill(3)
        counted = await bench.operations.start(replace(ALL, validate_only=True))
        assert (counted.id, progress(counted)) == ("", (3, 0, 0))
        await bench.runner.work()
        assert bench.verb.steps == []
        assert (await bench.operations.list(PageRequest(), namespace="")).items == []

    @pytest.mark.parametrize("validate_only", [False, True])
    async def test_more_than_may_match_are_refused_with_their_number(
        self, bench: Bench, validate_only: bool
    ) -> None:
        await bench.fill(5)
        request = replace(ALL, max_count=3, validate_only=validate_only)
        with pytest.raises(TooManyMatched) as refused:
            await bench.operations.start(request)
        assert refused.value.metadata == {"matched": "5", "max_count": "3"}
        assert (await bench.operations.list(PageRequest(), namespace="")).items == []
        exactly = await bench.operations.start(replace(request, max_count=5))
        assert exactly.matched == 5

    async def test_the_same_request_id_starts_one(self, bench: Bench) -> None:
        await bench.fill(2)
        request = replace(ALL, request_id="r1")
        first = await bench.operations.start(request)
        await bench.fill(1, namespace="bank")
        assert (await bench.operations.start(request)).id == first.id
        with pytest.raises(RequestIdReused):
            await bench.operations.start(replace(request, reason="another"))

    async def test_where_nothing_matches_it_ends_at_once(self, bench: Bench) -> None:
        started = await bench.operations.start(ALL)
        await bench.runner.work()
        ended = await bench.operations.get(started.id)
        assert (ended.ended_at is not None, ended.is_cancelled) == (True, False)

    @pytest.mark.parametrize(
        ("fault", "place"),
        [
            ({"max_count": -1}, "max_count"),
            ({"reason": "x" * 1001}, "reason"),
            ({"request_id": "x" * 256}, "request_id"),
            ({"labels": ["team"]}, "filter/labels"),
        ],
    )
    async def test_a_request_that_means_nothing_is_refused(
        self, bench: Bench, fault: dict[str, object], place: str
    ) -> None:
        with pytest.raises(InvalidArgument) as refused:
            await bench.operations.start(replace(ALL, **fault))
        assert [f"{f.field}{f.pointer}" for f in refused.value.violations] == [place]


class TestWork:
    async def test_refusals_are_counted_and_the_first_are_named(self, bench: Bench) -> None:
        ids = await bench.fill(MAX_FAILURES + 30)
        bench.verb.answer = lambda id: None if id == ids[0] else ExecutionNotEnded(id, "RUNNING")
        started = await bench.operations.start(ALL)
        await bench.runner.work()
        ended = await bench.operations.get(started.id)
        assert progress(ended) == (MAX_FAILURES + 30, 1, MAX_FAILURES + 29)
        assert [failure.execution_id for failure in ended.failures] == ids[1 : MAX_FAILURES + 1]
        assert {failure.reason for failure in ended.failures} == {"EXECUTION_NOT_ENDED"}

    async def test_a_fault_of_the_service_isnt_told(self, bench: Bench) -> None:
        await bench.fill(1)
        bench.verb.answer = lambda id: RuntimeError("a secret")
        started = await bench.operations.start(ALL)
        await bench.runner.work()
        [failure] = (await bench.operations.get(started.id)).failures
        assert failure.reason == "INTERNAL"
        assert "secret" not in failure.message

    async def test_while_the_engine_is_away_it_waits(self, bench: Bench) -> None:
        ids = await bench.fill(3)
        bench.verb.answer = lambda id: EngineUnavailable("away") if id == ids[1] else None
        started = await bench.operations.start(ALL)
        with pytest.raises(EngineUnavailable):
            await bench.runner.work()
        assert progress(await bench.operations.get(started.id)) == (3, 2, 0)
        bench.verb.answer = lambda id: None
        await bench.runner.work()
        assert progress(await bench.operations.get(started.id)) == (3, 3, 0)
        assert bench.verb.ids == [*ids, ids[1]]

    async def test_another_server_takes_over_from_one_that_died(
        self, bench: Bench, database: Database, clock: Clock
    ) -> None:
        ids = await bench.fill(30)
        started = await bench.operations.start(ALL)
        bench.verb.answer = lambda id: EngineUnavailable("away") if id == ids[25] else None
        with suppress(EngineUnavailable):
            await bench.runner.work()
        bench.verb.answer = lambda id: None
        other = bench.new_runner(database, clock)

        await other.work()
        assert progress(await bench.operations.get(started.id)) == (30, 29, 0), "it waits its turn"
        clock.now += timedelta(minutes=1)
        await other.work()

        assert progress(await bench.operations.get(started.id)) == (30, 30, 0)

    async def test_an_execution_counts_once_however_often_it_is_recorded(
        self, bench: Bench
    ) -> None:
        ids = await bench.fill(2)
        started = await bench.operations.start(ALL)
        done, refused = await bench.repo.next_items(started.id, limit=10)
        assert [done.execution_id, refused.execution_id] == ids
        failure = BatchFailure(execution_id=ids[1], reason="X", message="x")
        for _ in range(2):
            await bench.repo.record(started.id, {done: None})
            await bench.repo.record(started.id, {done: failure, refused: failure})
        await bench.repo.record("unknown", {BatchItem(position=1, execution_id="x"): None})
        assert progress(await bench.operations.get(started.id)) == (2, 1, 1)

    async def test_operations_take_turns(self, bench: Bench, clock: Clock) -> None:
        await bench.fill(30)
        first = await bench.operations.start(ALL)
        clock.now += timedelta(seconds=1)
        second = await bench.operations.start(ALL)
        await bench.runner.work()
        owners = [step.request_id.split("/")[0] for step in bench.verb.steps]
        assert owners == [first.id] * 20 + [second.id] * 20 + [first.id] * 10 + [second.id] * 10

    async def test_what_is_asked_for_is_done_at_once_beside_the_server(self, bench: Bench) -> None:
        await bench.fill(1)
        running = asyncio.create_task(bench.runner.run())
        await asyncio.sleep(0.05)
        started = await bench.operations.start(ALL)
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not bench.verb.steps:  # noqa: ASYNC110 - no Event tells it
                await asyncio.sleep(0.01)
        assert bench.verb.steps[0].request_id.startswith(started.id)
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running


class TestCancel:
    async def test_it_stops_and_what_is_done_stays(self, bench: Bench) -> None:
        await bench.fill(30)
        started = await bench.operations.start(ALL)
        bench.verb.answer = lambda id: EngineUnavailable("away") if id == "shop020" else None
        with suppress(EngineUnavailable):
            await bench.runner.work()

        cancelled = await bench.operations.cancel(started.id)
        assert (cancelled.ended_at, cancelled.cancel_requested_at) == (None, started.created_at)
        await bench.runner.work()

        ended = await bench.operations.get(started.id)
        assert progress(ended) == (30, 29, 0)
        assert ended.is_cancelled
        assert "shop020" in bench.verb.ids
        assert len(bench.verb.steps) == 30
        assert await bench.repo.next_items(started.id, limit=1) == []

    async def test_one_that_has_ended_is_left(self, bench: Bench) -> None:
        started = await bench.operations.start(ALL)
        await bench.runner.work()
        ended = await bench.operations.get(started.id)
        assert await bench.operations.cancel(started.id) == ended

    async def test_an_unknown_one_is_not_found(self, bench: Bench) -> None:
        for ask in (bench.operations.cancel, bench.operations.get):
            with pytest.raises(OperationNotFound):
                await ask("unknown")


class TestKeep:
    async def test_a_list_is_by_namespace_the_newest_first(
        self, bench: Bench, clock: Clock
    ) -> None:
        made = []
        for namespace in ("shop", "bank", "shop"):
            clock.now += timedelta(seconds=1)
            query = ExecutionQuery(namespace=namespace)
            made.append((await bench.operations.start(replace(ALL, query=query))).id)
        page = await bench.operations.list(PageRequest(size=2), namespace="")
        assert [operation.id for operation in page.items] == [made[2], made[1]]
        rest = await bench.operations.list(PageRequest(size=2, token=page.next_token), namespace="")
        assert [operation.id for operation in rest.items] == [made[0]]
        shop = await bench.operations.list(PageRequest(show_total=True), namespace="shop")
        assert (len(shop.items), shop.total) == (2, 2)

    async def test_an_ended_one_goes_after_its_time(self, bench: Bench, clock: Clock) -> None:
        started = await bench.operations.start(ALL)
        await bench.runner.work()
        await bench.fill(1)
        live = await bench.operations.start(ALL)
        assert await bench.repo.purge(ended_before=clock.now) == 0
        assert await bench.repo.purge(ended_before=clock.now + WEEK) == 1
        with pytest.raises(OperationNotFound):
            await bench.operations.get(started.id)
        assert (await bench.operations.get(live.id)).matched == 1
