"""How far histories have reached the sink, kept with peewee beside each execution."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import peewee

from biz.history.cloud_event import Subject
from biz.history.relay import UnsentHistory
from data.database import Database
from data.live import PeeweeLiveHistoryRepo
from data.models import ExecutionRow
from data.query import all_rows


def note_unsent(db: peewee.Database, execution_id: str, last_sequence: int) -> None:
    """Notes, within the unit of work that writes events, that they are to be sent."""
    _note(db, last_sequence, ExecutionRow.id == execution_id)


def note_more_unsent(db: peewee.Database, execution_id: str, last_sequence: int) -> None:
    """Likewise, where earlier events of the execution were to be sent as well."""
    is_told = (ExecutionRow.sent_sequence > 0) | ExecutionRow.unsent_sequence.is_null(False)
    _note(db, last_sequence, ExecutionRow.id == execution_id, is_told)


def _note(db: peewee.Database, last_sequence: int, *conditions: Any) -> None:
    known = ExecutionRow.unsent_sequence
    is_later = peewee.fn.COALESCE(known, 0) < last_sequence
    last = peewee.Case(None, [(is_later, last_sequence)], known)
    is_unsent = ExecutionRow.sent_sequence < last_sequence
    ExecutionRow.update(unsent_sequence=last).where(*conditions, is_unsent).execute(db)


class PeeweeRelayRepo(PeeweeLiveHistoryRepo):
    """`biz.history.relay.RelayRepo`. Every method may raise DatabaseUnavailable as well."""

    def __init__(self, *, database: Database) -> None:
        super().__init__(database=database)
        self._database = database

    async def list_unsent(self, *, after_id: str, limit: int) -> Sequence[UnsentHistory]:
        query = (
            ExecutionRow.select(
                ExecutionRow.id,
                ExecutionRow.namespace,
                ExecutionRow.template_name,
                ExecutionRow.template_version,
                ExecutionRow.sent_sequence,
                ExecutionRow.unsent_sequence,
            )
            .where(ExecutionRow.unsent_sequence.is_null(False), ExecutionRow.id > after_id)
            .order_by(ExecutionRow.id)
            .limit(limit)
        )
        return [
            UnsentHistory(
                subject=Subject(
                    execution_id=row.id,
                    namespace=row.namespace,
                    template_name=row.template_name,
                    template_version=row.template_version,
                ),
                sent_sequence=row.sent_sequence,
                last_sequence=row.unsent_sequence or 0,
            )
            for row in await self._database.read(lambda db: all_rows(db, query))
        ]

    async def mark_sent(self, execution_id: str, sequence: int, *, through: int) -> None:
        known = ExecutionRow.unsent_sequence
        left = peewee.Case(None, [(known > through, known)], None)
        query = ExecutionRow.update(sent_sequence=sequence, unsent_sequence=left).where(
            ExecutionRow.id == execution_id
        )
        await self._database.write_statement(query.execute)
