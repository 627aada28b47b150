"""Leases, kept with peewee."""

from __future__ import annotations

from datetime import datetime

import peewee

from data.database import Database
from data.models import LeaseRow, to_microseconds


class PeeweeLeaseRepo:
    """`biz.lease.LeaseRepo`. Every method may raise DatabaseUnavailable as well."""

    def __init__(self, *, database: Database) -> None:
        self._database = database

    async def take(self, name: str, *, holder: str, now: datetime, until: datetime) -> bool:
        insert = LeaseRow.insert(
            name=name, holder=holder, expires_at=to_microseconds(until)
        ).on_conflict(
            conflict_target=[LeaseRow.name],
            preserve=[LeaseRow.holder, LeaseRow.expires_at],
            where=(LeaseRow.holder == holder) | (LeaseRow.expires_at <= to_microseconds(now)),
        )

        def take(db: peewee.Database) -> bool:
            return bool(insert.as_rowcount().execute(db))

        return await self._database.write_statement(take)

    async def give_back(self, name: str, *, holder: str) -> None:
        query = LeaseRow.delete().where(LeaseRow.name == name, LeaseRow.holder == holder)
        await self._database.write_statement(query.execute)
