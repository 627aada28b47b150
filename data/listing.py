"""Pages of rows, by their place in an order (keyset paging)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import peewee
from peewee import Tuple, fn

from biz.paging import Rows, Slice
from data.query import byte_length

R = TypeVar("R", bound=peewee.Model)
T = TypeVar("T")


def fetch(
    db: peewee.Database,
    select: peewee.ModelSelect[R],
    slice: Slice,
    *,
    where: Sequence[Any],
    order: peewee.Field[Any],
    key: peewee.Field[Any],
    texts: Sequence[peewee.Field[Any]],
    decode: Callable[[R], T],
) -> Rows[T]:
    """The rows of `select` that `where` lets through, in the place that `slice` names.

    `order` is the column that is ordered by, `key` one that tells the rows of `where` apart;
    `texts` are the columns that count towards `max_bytes`. One statement chooses the rows by the
    lengths of their texts before it reads the texts themselves, so what is left out costs no
    memory.
    """
    direction = peewee.Desc if slice.order.descending else peewee.Asc
    candidates = select.model.select(
        key.alias("key"), order.alias("place"), byte_length(db, texts).alias("size")
    )
    conditions = [*where, *_beyond(slice, order, key)]
    if conditions:
        candidates = candidates.where(*conditions)
    candidates = candidates.order_by(direction(order), direction(key)).limit(slice.limit + 1)

    sized = candidates.alias("sized")
    read_so_far = fn.SUM(sized.c.size).over(
        order_by=[direction(sized.c.place), direction(sized.c.key)]
    )
    chosen = (
        peewee.Select(
            [sized],
            [
                sized.c.key,
                sized.c.place,
                (read_so_far - sized.c.size).alias("read_before"),
                fn.COUNT(peewee.SQL("*")).over().alias("found"),
            ],
        )
    ).alias("chosen")

    query = (
        select.select_extend(chosen.c.place, chosen.c.found)
        .join_from(select.model, chosen, on=(chosen.c.key == key))
        .where(chosen.c.read_before <= slice.max_bytes, *where)
        .order_by(direction(chosen.c.place), direction(chosen.c.key))
        .limit(slice.limit)
        .objects()
    )
    rows: list[Any] = list(query.execute(db))
    more = bool(rows) and rows[-1].found > len(rows)
    return Rows(
        items=[decode(row) for row in rows],
        place=(rows[-1].place, getattr(rows[-1], key.name)) if more else None,
        total=_count(db, select.model, where) if slice.count else None,
    )


def _beyond(slice: Slice, order: peewee.Field[Any], key: peewee.Field[Any]) -> list[Any]:
    if slice.after is None:
        return []
    here, there = Tuple(order, key), Tuple(*slice.after)
    return [here < there if slice.order.descending else here > there]


def _count(db: peewee.Database, model: type[peewee.Model], where: Sequence[Any]) -> int:
    query = model.select()
    return (query.where(*where) if where else query).count(db)
