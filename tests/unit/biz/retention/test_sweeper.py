"""Retention by age and count, on executions in memory."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime, timedelta

import pytest

from biz.errors import DatabaseUnavailable, ExecutionNotFound
from biz.lease import Lease
from biz.retention.sweeper import RetentionPolicy, RetentionSweeper
from tests.fakes.lease_repo import FakeLeaseRepo
from tests.fixtures.repos import NOW, Clock
from tests.patience import PATIENCE_SECONDS

DAY = timedelta(days=1)
FOREVER = RetentionPolicy()


class FakeRetentionRepo:
    """`biz.retention.sweeper.RetentionRepo`: the ends of executions by namespace and id."""

    def __init__(self, **namespaces: dict[str, datetime]) -> None:
        self.ends = namespaces
        self.trimmed: list[str] = []
        self.vanishing: set[str] = set()
        self.failures: list[Exception] = []

    @property
    def ids(self) -> Sequence[str]:
        return sorted(id for ends in self.ends.values() for id in ends)

    async def delete(self, id: str) -> None:
        for ends in self.ends.values():
            ends.pop(id, None)
        if id in self.vanishing:
            raise ExecutionNotFound(id)

    async def delete_history(self, id: str) -> None:
        self.trimmed.append(id)

    async def list_namespaces(self) -> list[str]:
        if self.failures:
            raise self.failures.pop()
        return sorted(self.ends)

    async def list_ended(
        self, namespace: str, *, ended_before: datetime, with_history: bool, limit: int
    ) -> list[str]:
        found = self._oldest(namespace, with_history)
        return [id for id in found if self.ends[namespace][id] < ended_before][:limit]

    async def list_beyond(
        self, namespace: str, *, count: int, with_history: bool, limit: int
    ) -> list[str]:
        last = self._oldest(namespace, False)[-count:]
        return [id for id in self._oldest(namespace, with_history) if id not in last][:limit]

    def _oldest(self, namespace: str, with_history: bool) -> list[str]:
        ends = self.ends[namespace]
        found = sorted(ends, key=lambda id: ends[id])
        return [id for id in found if not (with_history and id in self.trimmed)]


def many(prefix: str, count: int) -> dict[str, datetime]:
    """So many executions, of which the first ended now, and each other one a day before it."""
    return {f"{prefix}{number}": NOW - number * DAY for number in range(count)}


def sweeper(
    repo: FakeRetentionRepo,
    *,
    executions: RetentionPolicy = FOREVER,
    histories: RetentionPolicy = FOREVER,
    leases: FakeLeaseRepo | None = None,
    interval: timedelta = DAY,
) -> RetentionSweeper:
    clock = Clock()
    return RetentionSweeper(
        repo=repo,
        lease=Lease(repo=leases or FakeLeaseRepo(), name="retention", clock=clock),
        clock=clock,
        interval=interval,
        executions=executions,
        histories=histories,
    )


async def test_without_a_policy_all_is_kept() -> None:
    repo = FakeRetentionRepo(shop=many("s", 5))
    await sweeper(repo).sweep()
    assert (len(repo.ids), repo.trimmed) == (5, [])


async def test_what_is_older_than_its_age_goes() -> None:
    repo = FakeRetentionRepo(shop=many("s", 5), bank=many("b", 250))
    await sweeper(repo, executions=RetentionPolicy(age=2 * DAY)).sweep()
    assert repo.ids == ["b0", "b1", "b2", "s0", "s1", "s2"]


async def test_each_namespace_keeps_its_last_ones() -> None:
    repo = FakeRetentionRepo(shop=many("s", 250), bank=many("b", 1))
    await sweeper(repo, executions=RetentionPolicy(count=2)).sweep()
    assert repo.ids == ["b0", "s0", "s1"]


async def test_age_and_count_hold_both() -> None:
    repo = FakeRetentionRepo(shop=many("s", 9), bank=many("b", 3))
    await sweeper(repo, executions=RetentionPolicy(age=5 * DAY, count=4)).sweep()
    assert repo.ids == ["b0", "b1", "b2", "s0", "s1", "s2", "s3"]


async def test_histories_go_before_their_executions() -> None:
    repo = FakeRetentionRepo(shop=many("s", 5))
    policies = {"executions": RetentionPolicy(count=4), "histories": RetentionPolicy(age=DAY)}
    await sweeper(repo, **policies).sweep()
    assert repo.ids == ["s0", "s1", "s2", "s3"]
    assert repo.trimmed == ["s3", "s2"]


async def test_what_somebody_else_deletes_meanwhile_is_no_fault() -> None:
    repo = FakeRetentionRepo(shop=many("s", 5))
    repo.vanishing = {"s3"}
    await sweeper(repo, executions=RetentionPolicy(count=1)).sweep()
    assert repo.ids == ["s0"]


async def test_while_another_server_sweeps_this_one_doesnt() -> None:
    leases = FakeLeaseRepo()
    await leases.take("retention", holder="another", now=NOW, until=NOW + DAY)
    repo = FakeRetentionRepo(shop=many("s", 5))
    policy = RetentionPolicy(count=1)
    await sweeper(repo, executions=policy, histories=policy, leases=leases).sweep()
    assert (len(repo.ids), repo.trimmed) == (5, [])


@pytest.mark.parametrize("failure", [DatabaseUnavailable("gone"), RuntimeError("surprise")])
async def test_a_sweep_that_fails_is_followed_by_another(failure: Exception) -> None:
    repo = FakeRetentionRepo(shop=many("s", 5))
    repo.failures = [failure]
    policy = RetentionPolicy(count=1)
    running = asyncio.create_task(
        sweeper(repo, executions=policy, interval=timedelta(milliseconds=1)).run()
    )
    async with asyncio.timeout(PATIENCE_SECONDS):
        while len(repo.ids) > 1:  # noqa: ASYNC110 - no Event tells it
            await asyncio.sleep(0.001)
    running.cancel()
    with suppress(asyncio.CancelledError):
        await running
