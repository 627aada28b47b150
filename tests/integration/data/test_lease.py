"""Leases, on both databases."""

import asyncio
from datetime import timedelta

import pytest

from biz.lease import LEASE_DURATION, Lease
from data.database import Database
from data.lease import PeeweeLeaseRepo
from tests.fixtures.repos import NOW, Clock

MINUTE = timedelta(minutes=1)


@pytest.fixture
def leases(database: Database) -> PeeweeLeaseRepo:
    return PeeweeLeaseRepo(database=database)


async def test_one_at_a_time_has_it_until_it_runs_out(leases: PeeweeLeaseRepo) -> None:
    assert await leases.take("work", holder="a", now=NOW, until=NOW + MINUTE)
    assert not await leases.take("work", holder="b", now=NOW, until=NOW + 2 * MINUTE)
    assert await leases.take("other work", holder="b", now=NOW, until=NOW + MINUTE)
    assert await leases.take("work", holder="a", now=NOW, until=NOW + 2 * MINUTE), "renewed"
    assert not await leases.take("work", holder="b", now=NOW + MINUTE, until=NOW + 3 * MINUTE)
    assert await leases.take("work", holder="b", now=NOW + 2 * MINUTE, until=NOW + 3 * MINUTE)


async def test_of_many_that_ask_at_once_one_gets_it(leases: PeeweeLeaseRepo) -> None:
    asked = [leases.take("work", holder=str(n), now=NOW, until=NOW + MINUTE) for n in range(10)]
    assert (await asyncio.gather(*asked)).count(True) == 1


async def test_what_is_given_back_is_free_at_once(leases: PeeweeLeaseRepo) -> None:
    await leases.take("work", holder="a", now=NOW, until=NOW + MINUTE)
    await leases.give_back("work", holder="b")
    assert not await leases.take("work", holder="b", now=NOW, until=NOW + MINUTE)
    await leases.give_back("work", holder="a")
    assert await leases.take("work", holder="b", now=NOW, until=NOW + MINUTE)


async def test_a_holder_renews_in_time_and_sees_that_it_was_late(
    leases: PeeweeLeaseRepo, clock: Clock
) -> None:
    one, other = (Lease(repo=leases, name="work", clock=clock) for _ in range(2))
    assert await one.hold()
    clock.now += LEASE_DURATION * 0.9
    assert await one.hold()
    clock.now += LEASE_DURATION * 0.9
    assert not await other.hold()
    clock.now += LEASE_DURATION
    assert await other.hold()
    assert not await one.hold()
    await other.give_back()
    assert await one.hold()
