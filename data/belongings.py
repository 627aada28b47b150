"""What is kept of an execution beside its own row: the one place that lists these tables.

A new table with an `execution_id` comes in here, and what removes executions removes its rows too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import peewee

from data.models import (
    EventListenerRow,
    EventRow,
    ExecutionCheckpointRow,
    ExecutionEventRow,
    ExecutionLogRow,
    ExecutionValueRow,
    HookDeliveryRow,
)


@dataclass(frozen=True, slots=True)
class Belonging:
    """A table whose column `owner` is an execution's id; `key` tells an owner's rows apart."""

    owner: peewee.Field[str]
    key: peewee.Field[Any]

    def delete_some(self, db: peewee.Database, execution_id: str, limit: int) -> int:
        """Deletes rows of an execution; answers how many they were, `limit` at most."""
        model = self.owner.model
        some = model.select(self.key).where(self.owner == execution_id).limit(limit)
        query = model.delete().where(self.owner == execution_id, self.key.in_(some))
        return int(query.execute(db))

    def delete_all(self, db: peewee.Database, execution_id: str) -> None:
        """Deletes all rows of an execution."""
        self.owner.model.delete().where(self.owner == execution_id).execute(db)


HISTORY: Sequence[Belonging] = (
    Belonging(ExecutionEventRow.execution_id, ExecutionEventRow.sequence),
    Belonging(ExecutionValueRow.execution_id, ExecutionValueRow.digest),
    Belonging(ExecutionCheckpointRow.execution_id, ExecutionCheckpointRow.execution_id),
    Belonging(ExecutionLogRow.execution_id, ExecutionLogRow.id),
)
"""What tells how it went: it can go before the execution does."""

BELONGINGS: Sequence[Belonging] = (
    *HISTORY,
    Belonging(EventListenerRow.execution_id, EventListenerRow.id),
    Belonging(EventRow.target, EventRow.sequence),
    Belonging(HookDeliveryRow.execution_id, HookDeliveryRow.position),
)
