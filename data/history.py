"""Histories of executions, kept with peewee."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import peewee

from biz.dsl.lifecycle import RUN_ENDS, LifecycleEvent
from biz.errors import PayloadNotFound
from biz.executions.history_batch import HistoryBatch, HistoryEntry
from biz.history.history import MAX_INLINE_BYTES, PayloadReference
from biz.paging import Rows, Slice
from data.database import Database
from data.listing import fetch
from data.models import ExecutionEventRow, ExecutionValueRow, from_json, to_json
from data.query import all_rows, first_row

_IN_A_STATEMENT = 100
_KEY = (ExecutionEventRow.execution_id, ExecutionEventRow.sequence)
_ENDS = sorted(type.value for type in RUN_ENDS)
_WHAT_IS_TOLD = [
    getattr(ExecutionEventRow, name) for name in HistoryEntry._fields if name != "sequence"
]


class PeeweeHistoryRepo:
    """`biz.history.history.HistoryRepo`. Every method may raise DatabaseUnavailable as well."""

    def __init__(self, *, database: Database) -> None:
        self._database = database

    async def list(
        self, execution_id: str, *, after_sequence: int, slice: Slice
    ) -> Rows[LifecycleEvent]:
        return await self._database.read(
            lambda db: list_events(db, execution_id, after_sequence, slice)
        )

    async def get_payload(self, execution_id: str, digest: str) -> str:
        return await self._database.read(lambda db: _get_payload(db, execution_id, digest))


def insert_events(db: peewee.Database, execution_id: str, batch: HistoryBatch) -> None:
    """Adds to a history what isn't there yet, within a unit of work; `announcing` is to follow.

    Where its worker was lost, a run goes back to where Temporal knows it to be, and may go on in
    another way, at a later time: what the lost worker has told beyond that gives way to it. An end
    that was told stays.
    """
    if not batch.entries or _is_outdated(db, execution_id, batch.entries):
        return
    last = max(batch.entries)
    ExecutionEventRow.delete().where(
        ExecutionEventRow.execution_id == execution_id,
        ExecutionEventRow.sequence > last.sequence,
        ExecutionEventRow.time < last.time,
    ).execute(db)
    for digest, text in batch.values.items():
        ExecutionValueRow.insert(
            execution_id=execution_id, digest=digest, length=len(text), content=text
        ).on_conflict(action="nothing").execute(db)
    for start in range(0, len(batch.entries), _IN_A_STATEMENT):
        entries = batch.entries[start : start + _IN_A_STATEMENT]
        rows = [_to_columns(execution_id, entry) for entry in entries]
        ExecutionEventRow.insert_many(rows).on_conflict(
            conflict_target=_KEY,
            preserve=_WHAT_IS_TOLD,
            where=peewee.EXCLUDED.time > ExecutionEventRow.time,
        ).execute(db)


def _is_outdated(db: peewee.Database, execution_id: str, entries: Sequence[HistoryEntry]) -> bool:
    """Whether the run has told anew what stands in their place, or the end of its history."""
    last = max(entries)
    told_anew = (ExecutionEventRow.sequence <= last.sequence) & (ExecutionEventRow.time > last.time)
    found = ExecutionEventRow.select(ExecutionEventRow.sequence).where(
        ExecutionEventRow.execution_id == execution_id,
        ExecutionEventRow.sequence >= min(entries).sequence,
        told_anew | ExecutionEventRow.type.in_(_ENDS),
    )
    return first_row(db, found) is not None


def list_events(
    db: peewee.Database, execution_id: str, after_sequence: int, slice: Slice
) -> Rows[LifecycleEvent]:
    """A slice of a history, within a unit of work."""
    rows = fetch(
        db,
        ExecutionEventRow.select(),
        slice,
        where=[
            ExecutionEventRow.execution_id == execution_id,
            ExecutionEventRow.sequence > after_sequence,
        ],
        order=ExecutionEventRow.sequence,
        key=ExecutionEventRow.sequence,
        texts=[
            ExecutionEventRow.task,
            ExecutionEventRow.error,
            ExecutionEventRow.input,
            ExecutionEventRow.output,
        ],
        decode=entry_from_row,
    )
    lengths = _lengths(db, execution_id, {d for entry in rows.items for d in entry.digests()})
    kept = _that_fit(rows.items, lengths, slice.max_bytes)
    values = _values(db, execution_id, kept, lengths)
    is_cut = len(kept) < len(rows.items)
    return Rows(
        items=[entry.event(values) for entry in kept],
        place=(kept[-1].sequence, kept[-1].sequence) if is_cut else rows.place,
        total=rows.total,
    )


def _lengths(db: peewee.Database, execution_id: str, digests: set[str]) -> Mapping[str, int]:
    return {
        row.digest: row.length
        for some in _portions(digests)
        for row in all_rows(
            db,
            ExecutionValueRow.select(ExecutionValueRow.digest, ExecutionValueRow.length).where(
                ExecutionValueRow.execution_id == execution_id, ExecutionValueRow.digest.in_(some)
            ),
        )
    }


def _that_fit(
    entries: Sequence[HistoryEntry], lengths: Mapping[str, int], max_bytes: int
) -> Sequence[HistoryEntry]:
    """Those from the first on whose large values take no more than `max_bytes`; one at least."""
    total = 0
    for count, entry in enumerate(entries):
        sizes = (lengths.get(digest, 0) for digest in entry.digests())
        total += sum(size for size in sizes if size <= MAX_INLINE_BYTES)
        if total > max_bytes and count:
            return entries[:count]
    return entries


def _values(
    db: peewee.Database,
    execution_id: str,
    entries: Sequence[HistoryEntry],
    lengths: Mapping[str, int],
) -> Mapping[str, Any]:
    """What the digests of entries stand for: values, and references to those that are too large."""
    wanted = {d for entry in entries for d in entry.digests() if d in lengths}
    small = {digest for digest in wanted if lengths[digest] <= MAX_INLINE_BYTES}
    values: dict[str, Any] = {
        digest: PayloadReference(digest, lengths[digest]) for digest in wanted - small
    }
    for some in _portions(small):
        query = ExecutionValueRow.select().where(
            ExecutionValueRow.execution_id == execution_id, ExecutionValueRow.digest.in_(some)
        )
        values.update({row.digest: from_json(row.content) for row in all_rows(db, query)})
    return values


def _portions(digests: Iterable[str]) -> Iterable[Sequence[str]]:
    ordered = sorted(digests)
    for start in range(0, len(ordered), _IN_A_STATEMENT):
        yield ordered[start : start + _IN_A_STATEMENT]


def _get_payload(db: peewee.Database, execution_id: str, digest: str) -> str:
    query = ExecutionValueRow.select().where(
        ExecutionValueRow.execution_id == execution_id, ExecutionValueRow.digest == digest
    )
    row = first_row(db, query)
    if row is None:
        raise PayloadNotFound(execution_id, digest)
    return str(row.content)


def _to_columns(execution_id: str, entry: HistoryEntry) -> dict[str, Any]:
    return {"execution_id": execution_id, **entry._asdict(), "task": to_json(entry.task)}


def entry_from_row(row: ExecutionEventRow) -> HistoryEntry:
    """The entry of a row."""
    return HistoryEntry(
        sequence=row.sequence,
        time=row.time,
        type=row.type,
        task=from_json(row.task),
        attempt=row.attempt,
        error=row.error,
        started_at=row.started_at,
        input=row.input,
        output=row.output,
        context=row.context,
        iterations=row.iterations,
    )
