"""The key that signs page tokens: made once, in the database that all servers share."""

import secrets

import peewee

from data.database import Database
from data.models import SigningKeyRow
from data.query import all_rows


class PeeweeSigningKey:
    """`biz.paging.SigningKey`, read once."""

    def __init__(self, *, database: Database) -> None:
        self._database = database
        self._key: str | None = None

    async def get(self) -> str:
        """Raises DatabaseUnavailable."""
        if self._key is None:
            self._key = await self._database.write(_get_or_make, repeatable=True)
        return self._key


def _get_or_make(db: peewee.Database) -> str:
    SigningKeyRow.insert(id=1, key=secrets.token_urlsafe(32)).on_conflict(
        action="nothing", conflict_target=[SigningKeyRow.id]
    ).as_rowcount().execute(db)
    (row,) = all_rows(db, SigningKeyRow.select())
    return row.key
