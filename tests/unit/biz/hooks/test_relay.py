"""When hooks are told of faults, tried again and given up, in memory."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from biz.dsl.fault_hooks import HttpHook
from biz.errors import DatabaseUnavailable
from biz.hooks import relay as relaying
from biz.hooks.relay import (
    MAX_ATTEMPTS,
    DeliveryState,
    FaultHookRelay,
    HookClaim,
    NotTold,
)
from biz.logs.log import ExecutionLog, LogLevel
from tests.fixtures.entities import FAULTED
from tests.fixtures.polling import until
from tests.fixtures.repos import NOW, Clock

HOOK = HttpHook(endpoint="https://alerts.example.com")
LONG = timedelta(hours=1)


class FakeFaultHookRepo:
    """`biz.hooks.relay.FaultHookRepo`: what is due at which time, and how it ended."""

    def __init__(self) -> None:
        self.due: dict[str, tuple[datetime, int]] = {}
        self.ends: dict[str, DeliveryState] = {}
        self.failures: list[Exception] = []

    async def next_due(self) -> datetime | None:
        if self.failures:
            raise self.failures.pop()
        return min((at for at, _ in self.due.values()), default=None)

    async def claim(self, *, now: datetime, until: datetime, limit: int) -> Sequence[HookClaim]:
        claims = [
            HookClaim(
                execution=replace(FAULTED, id=id), position=0, hook=HOOK, attempt=attempts + 1
            )
            for id, (at, attempts) in self.due.items()
            if at <= now
        ][:limit]
        for claim in claims:
            self.due[claim.execution.id] = (until, claim.attempt)
        return claims

    async def settle(
        self, claim: HookClaim, state: DeliveryState, *, due_at: datetime | None = None
    ) -> None:
        if due_at is not None:
            self.due[claim.execution.id] = (due_at, claim.attempt)
            return
        del self.due[claim.execution.id]
        self.ends[claim.execution.id] = state


class Bench:
    """A relay on fakes. `answers` are what the next attempts end with; None is success."""

    def __init__(self) -> None:
        self.repo, self.clock = FakeFaultHookRepo(), Clock()
        self.answers: list[Exception | None] = []
        self.told: list[str] = []
        self.lines: list[ExecutionLog] = []
        self.hanging = False
        self.relay = FaultHookRelay(
            repo=self.repo, teller=self, log=self, clock=self.clock, interval=LONG
        )

    async def tell(self, claim: HookClaim) -> None:
        """See Teller."""
        self.told.append(claim.execution.id)
        if self.hanging:
            await asyncio.Event().wait()
        answer = self.answers.pop(0) if self.answers else None
        if answer:
            raise answer

    def write(self, line: ExecutionLog) -> None:
        """See LogSink."""
        self.lines.append(line)

    def fault(self, *ids: str) -> None:
        """Has executions with a hook fault, and says so."""
        self.repo.due |= {id: (self.clock(), 0) for id in ids}
        self.relay.wake()

    def pass_on(self) -> None:
        """Lets the time pass until the next attempt is due."""
        self.clock.now = min(at for at, _ in self.repo.due.values())
        self.relay.wake()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[asyncio.Task[None]]:
        task = asyncio.create_task(self.relay.run())
        try:
            yield task
        finally:
            task.cancel()
            await asyncio.wait([task])


@pytest.fixture
async def bench() -> Bench:
    return Bench()


async def test_faults_are_told_when_they_are_written(bench: Bench) -> None:
    async with bench.running():
        for id in ("a", "b"):
            bench.fault(id)
            await until(lambda id=id: bench.repo.ends.get(id) is DeliveryState.DELIVERED)
    assert bench.told == ["a", "b"]
    assert [(line.execution_id, line.level, line.message) for line in bench.lines] == [
        ("a", LogLevel.INFO, "hook 0 was told of the fault"),
        ("b", LogLevel.INFO, "hook 0 was told of the fault"),
    ]


async def test_what_faulted_while_nothing_ran_is_told_at_the_start(bench: Bench) -> None:
    bench.fault("a")
    async with bench.running():
        await until(lambda: bench.repo.ends == {"a": DeliveryState.DELIVERED})


async def test_the_pause_doubles_up_to_an_hour_then_it_is_given_up(bench: Bench) -> None:
    bench.answers = [NotTold("it answered 503")] * MAX_ATTEMPTS
    pauses = []
    bench.fault("a")
    async with bench.running():
        for attempt in range(1, MAX_ATTEMPTS):
            await until(lambda attempt=attempt: len(bench.lines) == attempt)
            pauses.append((bench.repo.due["a"][0] - bench.clock.now).total_seconds())
            bench.pass_on()
        await until(lambda: bench.repo.ends == {"a": DeliveryState.FAILED})
    assert pauses == [*(2**n for n in range(12)), *[3600] * 7]
    assert len(bench.told) == MAX_ATTEMPTS
    assert bench.lines[0].level is LogLevel.WARNING
    assert bench.lines[0].message == (
        "hook 0 couldn't be told of the fault: it answered 503; again in 1 s"
    )
    last = bench.lines[-1]
    assert (last.level, last.fields) == (LogLevel.ERROR, {"hook": 0, "attempt": MAX_ATTEMPTS})
    assert last.message == "hook 0 will not be told of the fault: it answered 503"


async def test_a_refusal_for_good_is_given_up_at_once(bench: Bench) -> None:
    bench.answers = [NotTold("it answered 400", is_final=True)]
    bench.fault("a")
    async with bench.running():
        await until(lambda: bench.repo.ends == {"a": DeliveryState.FAILED})
    assert bench.told == ["a"]


async def test_an_attempt_that_takes_too_long_is_tried_again(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(relaying, "_PATIENCE", timedelta(seconds=0.01))
    bench.hanging = True
    bench.fault("a")
    async with bench.running():
        await until(lambda: len(bench.lines) == 1)
        bench.hanging = False
        bench.pass_on()
        await until(lambda: bench.repo.ends == {"a": DeliveryState.DELIVERED})
    assert "it took longer than" in bench.lines[0].message


async def test_a_hook_that_hangs_holds_up_no_other(bench: Bench) -> None:
    bench.hanging = True
    async with bench.running():
        bench.fault("a")
        await until(lambda: bench.told == ["a"])
        bench.hanging = False
        bench.fault("b")
        await until(lambda: bench.repo.ends == {"b": DeliveryState.DELIVERED})


async def test_so_many_are_told_at_once_and_the_others_then(bench: Bench) -> None:
    ids = [f"e{number:02}" for number in range(40)]
    bench.fault(*ids)
    async with bench.running():
        await until(lambda: len(bench.repo.ends) == len(ids))
    assert sorted(bench.told) == ids


async def test_no_more_are_begun_while_all_hang(bench: Bench) -> None:
    bench.hanging = True
    bench.fault(*(f"e{number:02}" for number in range(40)))
    async with bench.running():
        await until(lambda: len(bench.told) == 16)
        bench.relay.wake()
        await asyncio.sleep(0.05)
        assert len(bench.told) == 16


@pytest.mark.parametrize("error", [DatabaseUnavailable("down"), RuntimeError("?")])
async def test_it_goes_on_after_whatever_went_wrong(bench: Bench, error: Exception) -> None:
    async with bench.running():
        bench.repo.failures = [error]
        bench.fault("a")
        await until(lambda: not bench.repo.failures)
        bench.relay.wake()
        await until(lambda: bench.repo.ends == {"a": DeliveryState.DELIVERED})


async def test_while_the_database_is_down_no_attempt_is_judged(bench: Bench) -> None:
    bench.answers = [DatabaseUnavailable("down")]
    bench.fault("a")
    async with bench.running():
        await until(lambda: bench.told == ["a"])
        assert bench.repo.due["a"] == (NOW + timedelta(minutes=1), 1)
        bench.pass_on()
        await until(lambda: bench.repo.ends == {"a": DeliveryState.DELIVERED})
    assert len(bench.lines) == 1


async def test_what_breaks_at_each_attempt_is_given_up_as_well(bench: Bench) -> None:
    bench.answers = [RuntimeError("secret")] * MAX_ATTEMPTS
    bench.fault("a")
    async with bench.running():
        for attempt in range(1, MAX_ATTEMPTS):
            await until(lambda attempt=attempt: len(bench.lines) == attempt)
            bench.pass_on()
        await until(lambda: bench.repo.ends == {"a": DeliveryState.FAILED})
    assert "the service failed" in bench.lines[-1].message
    assert "secret" not in str(bench.lines)


async def test_one_whose_attempts_never_end_is_given_up_without_another(bench: Bench) -> None:
    bench.repo.due["a"] = (NOW, MAX_ATTEMPTS)
    async with bench.running():
        await until(lambda: bench.repo.ends == {"a": DeliveryState.FAILED})
    assert bench.told == []


async def test_it_stops_when_it_is_cancelled(bench: Bench) -> None:
    bench.hanging = True
    bench.fault("a")
    async with bench.running() as task:
        await until(lambda: bench.told == ["a"])
        task.cancel()
        await asyncio.wait([task], timeout=5)
        assert task.cancelled()
    assert bench.repo.due["a"] == (NOW + timedelta(minutes=1), 1)
