"""Lists in pages (AIP-158): keyset paging by an opaque, signed token.

A token carries the place of the last row shown, so a page stays right when rows are added or
removed before it. It is bound to the query that made it.
"""

import hashlib
import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

from itsdangerous import BadSignature, URLSafeSerializer

from biz.errors import InvalidArgument, Violation

DEFAULT_PAGE_SIZE = 50
MAX_PAGE_SIZE = 1000
MAX_PAGE_BYTES = 3 * 1024 * 1024

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class PageRequest:
    """What the caller asks for; zero and empty mean the default."""

    size: int = 0
    token: str = ""
    order_by: str = ""
    show_total: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """One sort key, ties broken by `id` in the same direction."""

    field: str
    descending: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Slice:
    """What a repository is asked for: rows after `after`, in `order`.

    `after` holds the order field's value and the id of the last row seen, as JSON values, as
    `Rows.place` gave them. The repository stops at `limit` rows, or after the row with which the
    texts it has read pass `max_bytes`.
    """

    order: Order
    limit: int
    after: tuple[Any, Any] | None = None
    max_bytes: int = MAX_PAGE_BYTES
    count: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows(Generic[T]):
    """What a repository answers: `place` is where the next slice begins, None after the last row.

    `total` counts all rows of the query, where the slice asked for a count.
    """

    items: Sequence[T]
    place: tuple[Any, Any] | None
    total: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Page(Generic[T]):
    """One page; an empty `next_token` says that it is the last."""

    items: Sequence[T]
    next_token: str
    total: int | None = None


class SigningKey(Protocol):
    """The key that all servers of one database share."""

    async def get(self) -> str: ...


class PageTokens:
    """Turns page requests into slices, and rows into pages."""

    def __init__(self, *, signing_key: SigningKey) -> None:
        self._signing_key = signing_key

    async def slice(
        self, request: PageRequest, *, query: Any, orders: Collection[str], default: str
    ) -> Slice:
        """Checks `request` and reads its token.

        `query` is what the list filters by, as JSON values; `orders` names the fields that can be
        ordered by; `default` is an `order_by` such as "created_at desc".
        """
        violations = []
        if request.size < 0:
            violations.append(
                Violation(field="page_size", code="out-of-range", message="must not be negative")
            )
        order = _parse_order(request.order_by or default)
        if order is None or order.field not in orders:
            known = ", ".join(sorted(orders))
            violations.append(
                Violation(
                    field="order_by",
                    code="unknown-order",
                    message=f'must be one of {known}, each with an optional " desc"',
                )
            )
        if violations or order is None:
            raise InvalidArgument(violations)
        after = None
        if request.token:
            after = await self._read(request.token, _fingerprint(query, order))
        size = min(request.size or DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE)
        return Slice(order=order, limit=size, after=after, count=request.show_total)

    async def page(self, rows: Rows[T], slice: Slice, *, query: Any) -> Page[T]:
        """The page of `rows`, with the token of the next one."""
        token = ""
        if rows.place is not None:
            signer = URLSafeSerializer(await self._signing_key.get(), salt="page")
            fingerprint = _fingerprint(query, slice.order)
            token = str(signer.dumps([fingerprint, *rows.place]))
        return Page(items=rows.items, next_token=token, total=rows.total)

    async def _read(self, token: str, fingerprint: str) -> tuple[Any, Any]:
        signer = URLSafeSerializer(await self._signing_key.get(), salt="page")
        try:
            owner, value, id = signer.loads(token)
        except (BadSignature, ValueError, TypeError):
            raise _bad_token("isn't a token of this service") from None
        if owner != fingerprint:
            raise _bad_token("belongs to a list with other filters or another order")
        return value, id


def _bad_token(what: str) -> InvalidArgument:
    message = f"{what}; pass next_page_token of the previous page unchanged, or none"
    return InvalidArgument([Violation(field="page_token", code="bad-page-token", message=message)])


def _parse_order(text: str) -> Order | None:
    words = text.split()
    if len(words) == 1:
        return Order(field=words[0], descending=False)
    if len(words) == 2 and words[1].lower() in ("asc", "desc"):
        return Order(field=words[0], descending=words[1].lower() == "desc")
    return None


def _fingerprint(query: Any, order: Order) -> str:
    content = json.dumps([query, order.field, order.descending], sort_keys=True, default=str)
    return hashlib.sha256(content.encode()).hexdigest()[:16]
