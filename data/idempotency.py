"""Which request made what (AIP-155), in the transaction that makes it."""

from datetime import datetime
from typing import Any

import peewee

from biz.errors import RequestIdReused
from biz.idempotency import REQUEST_ID_LIFETIME, RequestKey
from data.models import RequestRow, to_microseconds
from data.query import first_row, for_update

# More than one, so that what has expired goes faster than new ones come; few, so that no request
# pays for many others.
_PURGED_AT_ONCE = 10


def claim(
    db: peewee.Database, request: RequestKey, *, resource_id: str, now: datetime
) -> str | None:
    """None where the key is free; it then stands for `resource_id`.

    Otherwise the id of what the first request made. A request with the same key that is under way
    in another transaction is waited for. Raises RequestIdReused.
    """
    _purge(db, now)
    claimed = (
        RequestRow.insert(
            namespace=request.namespace,
            rpc=request.rpc,
            request_id=request.request_id,
            digest=request.digest,
            resource_id=resource_id,
            created_at=to_microseconds(now),
        )
        .on_conflict(
            conflict_target=[RequestRow.namespace, RequestRow.rpc, RequestRow.request_id],
            preserve=[RequestRow.digest, RequestRow.resource_id, RequestRow.created_at],
            where=RequestRow.created_at <= _expiry(now),
        )
        .as_rowcount()
        .execute(db)
    )
    return None if claimed else find(db, request, now=now)


def name_resource(db: peewee.Database, request: RequestKey, resource_id: str) -> None:
    """Says what a claimed key stands for, where the id wasn't known before."""
    RequestRow.update(resource_id=resource_id).where(*_is(request)).execute(db)


def find(db: peewee.Database, request: RequestKey, *, now: datetime) -> str | None:
    """The id of what the same request made before, None for a new one. Raises RequestIdReused."""
    query = RequestRow.select().where(*_is(request), RequestRow.created_at > _expiry(now))
    row = first_row(db, query)
    if row is None:
        return None
    if row.digest != request.digest:
        raise RequestIdReused(request.request_id)
    return row.resource_id


def _purge(db: peewee.Database, now: datetime) -> None:
    """Removes some of the expired; those that another transaction is removing are left to it."""
    expired = (
        RequestRow.select(RequestRow.id)
        .where(RequestRow.created_at <= _expiry(now))
        .limit(_PURGED_AT_ONCE)
    )
    expired = for_update(db, expired, skip_locked=True)
    RequestRow.delete().where(RequestRow.id.in_(expired)).execute(db)


def _is(request: RequestKey) -> tuple[Any, ...]:
    return (
        RequestRow.namespace == request.namespace,
        RequestRow.rpc == request.rpc,
        RequestRow.request_id == request.request_id,
    )


def _expiry(now: datetime) -> int:
    return to_microseconds(now - REQUEST_ID_LIFETIME)
