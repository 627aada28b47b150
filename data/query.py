"""Parts of queries: reading to the end, and what SQLite and PostgreSQL say differently."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import reduce
from operator import add
from typing import Any, TypeVar

import peewee

from data.models import to_json

Q = TypeVar("Q", bound=peewee.Select)
R = TypeVar("R", bound=peewee.Model)


def all_rows(db: peewee.Database, query: peewee.ModelSelect[R]) -> list[R]:
    """Reads to the end: a statement left open would hold SQLite's snapshot."""
    return list(query.execute(db))


def first_row(db: peewee.Database, query: peewee.ModelSelect[R]) -> R | None:
    """The first row, None where there is none."""
    return next(iter(all_rows(db, query.limit(1))), None)


def for_update(db: peewee.Database, query: Q, *, skip_locked: bool = False) -> Q:
    """The query, with its rows locked until the transaction ends.

    On SQLite a writing transaction has the whole database to itself.
    """
    return query.for_update(skip_locked=skip_locked) if db.for_update else query


def has_labels(
    db: peewee.Database, column: peewee.Field[str], labels: Mapping[str, str]
) -> Iterator[Any]:
    """Conditions that the JSON object in `column` holds all of `labels`."""
    if isinstance(db, peewee.PostgresqlDatabase):
        if labels:
            yield column != "{}"  # the index, which leaves rows without labels out, asks for it
            wanted = peewee.Value(to_json(dict(labels)))
            yield peewee.NodeList((column.cast("jsonb"), peewee.SQL("@>"), wanted.cast("jsonb")))
        return
    for key, value in labels.items():
        each = "AS label WHERE label.key = ? AND label.value = ?)"
        yield peewee.NodeList(
            (
                peewee.SQL("EXISTS (SELECT 1 FROM json_each("),
                column,
                peewee.SQL(f") {each}", [key, value]),
            )
        )


def byte_length(db: peewee.Database, columns: Sequence[peewee.Field[Any]]) -> Any:
    """How many bytes of UTF-8 the texts in `columns` have together; null has none."""
    on_postgresql = isinstance(db, peewee.PostgresqlDatabase)
    lengths = (
        peewee.fn.OCTET_LENGTH(column) if on_postgresql else peewee.fn.LENGTH(column.cast("BLOB"))
        for column in columns
    )
    return reduce(add, (peewee.fn.COALESCE(length, 0) for length in lengths))
