"""Which names of templates were changed, until what hangs on them has been settled.

It is written in the transaction of the change, so that a crash after it loses nothing.
"""

from __future__ import annotations

from collections.abc import Sequence

import peewee
from peewee import fn

from biz.schedules.schedule import TemplateChanged
from data.models import TemplateChangeRow
from data.query import all_rows, first_row


def note_change(db: peewee.Database, namespace: str, *names: str) -> None:
    """Notes that versions of these names were changed."""
    for name in sorted(set(names)):
        TemplateChangeRow.insert(namespace=namespace, name=name).execute(db)


def list_changes(db: peewee.Database, limit: int) -> Sequence[TemplateChanged]:
    """The last one of each name, oldest first."""
    last = fn.MAX(TemplateChangeRow.sequence)
    query = (
        TemplateChangeRow.select(
            last.alias("sequence"), TemplateChangeRow.namespace, TemplateChangeRow.name
        )
        .group_by(TemplateChangeRow.namespace, TemplateChangeRow.name)
        .order_by(last)
        .limit(limit)
    )
    return [_from_row(row) for row in all_rows(db, query)]


def find_change(db: peewee.Database, namespace: str, name: str) -> TemplateChanged | None:
    """The last one of a name."""
    query = TemplateChangeRow.select().where(
        TemplateChangeRow.namespace == namespace, TemplateChangeRow.name == name
    )
    row = first_row(db, query.order_by(TemplateChangeRow.sequence.desc()))
    return None if row is None else _from_row(row)


def claim_change(db: peewee.Database, change: TemplateChanged) -> bool:
    """Removes a change and those of its name before it; False where another has done so.

    Another transaction that is about to do so is waited for.
    """
    query = TemplateChangeRow.delete().where(TemplateChangeRow.sequence == change.sequence)
    if not query.execute(db):
        return False
    TemplateChangeRow.delete().where(
        TemplateChangeRow.namespace == change.namespace,
        TemplateChangeRow.name == change.name,
        TemplateChangeRow.sequence < change.sequence,
    ).execute(db)
    return True


def _from_row(row: TemplateChangeRow) -> TemplateChanged:
    return TemplateChanged(sequence=row.sequence, namespace=row.namespace, name=row.name)
