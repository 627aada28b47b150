import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from threading import Thread

import pytest
import structlog

from biz.errors import DatabaseUnavailable
from biz.logs.log import ExecutionLog, LogLevel, LogQuery
from biz.logs.writer import LogWriter
from biz.paging import Rows, Slice
from tests.fixtures.entities import AT, LOG
from tests.patience import PATIENCE_SECONDS

PATIENCE = timedelta(seconds=5)


class FakeLogRepo:
    """`biz.logs.log.LogRepo`, which answers while it is `up`."""

    def __init__(self) -> None:
        self.up = asyncio.Event()
        self.up.set()
        self.batches: list[Sequence[ExecutionLog]] = []
        self.refuses: Callable[[ExecutionLog], bool] = lambda line: False

    @property
    def messages(self) -> list[str]:
        return [line.message for batch in self.batches for line in batch]

    async def add(self, lines: Sequence[ExecutionLog]) -> None:
        await self.up.wait()
        if any(map(self.refuses, lines)):
            raise ValueError("odd")
        self.batches.append(lines)

    async def list(self, query: LogQuery, slice: Slice) -> Rows[ExecutionLog]:
        raise NotImplementedError


def line(message: str, execution_id: str = "e1") -> ExecutionLog:
    return ExecutionLog(
        execution_id=execution_id, time=AT, level=LogLevel.INFO, message=message, task="/do/0/x"
    )


@pytest.fixture
async def repo() -> FakeLogRepo:
    return FakeLogRepo()


@asynccontextmanager
async def running(
    repo: FakeLogRepo, *, within: timedelta = PATIENCE, **bounds: int
) -> AsyncIterator[LogWriter]:
    """A writer that is closed after the block."""
    writer = LogWriter(repo=repo, clock=lambda: AT, **bounds)
    task = asyncio.create_task(writer.run())
    yield writer
    await writer.close(task, within=within)


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not holds():  # noqa: ASYNC110 - no Event tells it
            await asyncio.sleep(0.01)


async def test_lines_are_written_together_soon(repo: FakeLogRepo) -> None:
    async with running(repo) as writer:
        writer.write(LOG)
        writer.write(line("b"))
        await until(lambda: bool(repo.batches))
        assert repo.batches == [[LOG, line("b")]]
        writer.write(line("c"))
        await until(lambda: len(repo.batches) == 2)


async def test_what_waits_is_written_at_the_end(repo: FakeLogRepo) -> None:
    async with running(repo) as writer:
        for number in range(1200):
            writer.write(line(str(number)))
    assert repo.messages == [str(number) for number in range(1200)]
    assert max(map(len, repo.batches)) == 500


async def test_lines_come_from_any_thread(repo: FakeLogRepo) -> None:
    async with running(repo) as writer:
        threads = [Thread(target=writer.write, args=[line("x")]) for _ in range(20)]
        for thread in threads:
            thread.start()
        for thread in threads:
            await asyncio.to_thread(thread.join)
        await until(lambda: len(repo.messages) == 20)


@pytest.mark.parametrize("bounds", [{"most_lines": 3}, {"most_characters": 4}])
async def test_what_comes_too_fast_is_lost_and_told_of(
    repo: FakeLogRepo, bounds: dict[str, int]
) -> None:
    async with running(repo, **bounds) as writer:
        for number in range(6):
            writer.write(line(f"{number}", execution_id=f"e{number % 2}"))
        if "most_characters" in bounds:
            writer.write(line("12345"))
    notices = [line for batch in repo.batches for line in batch if line.fields]
    kept = len(repo.messages) - len(notices)
    assert kept == (3 if "most_lines" in bounds else 4)
    assert {notice.level for notice in notices} == {LogLevel.WARNING}
    assert sum(notice.fields["lost"] for notice in notices) == 3
    assert repo.batches[-1][-1].fields


async def test_a_database_that_is_down_only_delays(
    repo: FakeLogRepo, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("biz.logs.writer._PATIENCE_SECONDS", 0.01)
    failures = iter([True, True, False])

    def fail(line: ExecutionLog) -> bool:
        if next(failures, False):
            raise DatabaseUnavailable("the database doesn't answer")
        return False

    repo.refuses = fail
    async with running(repo) as writer:
        writer.write(line("a"))
        await until(lambda: repo.messages == ["a"])


async def test_what_a_database_refuses_is_left_out(repo: FakeLogRepo) -> None:
    repo.refuses = lambda line: line.message == "odd"
    with structlog.testing.capture_logs() as logs:
        async with running(repo) as writer:
            writer.write(line("odd"))
            await until(lambda: bool(logs))
            writer.write(line("good"))
    assert repo.messages == ["good"]
    assert logs[0]["lines"] == 1


async def test_closing_waits_no_longer_than_it_may(repo: FakeLogRepo) -> None:
    repo.up.clear()
    with structlog.testing.capture_logs() as logs:
        async with running(repo, within=timedelta(seconds=0.3)) as writer:
            writer.write(line("a"))
            await asyncio.sleep(0.2)
            writer.write(line("b"))
    assert repo.messages == []
    assert [log["event"] for log in logs] == ["log lines of executions are lost"]
