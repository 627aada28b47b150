"""Operations: one thing done to many executions, in the background, with progress."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from biz.errors import InvalidArgument, TooManyMatched, Violation
from biz.executions.execution import ExecutionQuery
from biz.idempotency import MAX_REQUEST_ID_LENGTH, RequestKey, request_key
from biz.labels import parse_label_filter
from biz.limits import MAX_REASON_LENGTH, check_length
from biz.paging import Page, PageRequest, PageTokens, Rows, Slice

MAX_FAILURES = 100
"""So many refusals an operation names; the others it counts."""


class BatchAction(StrEnum):
    """What is done to each execution."""

    SUSPEND = "SUSPEND"
    RESUME = "RESUME"
    CANCEL = "CANCEL"
    TERMINATE = "TERMINATE"
    RETRY = "RETRY"
    DELETE = "DELETE"


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchRequest:
    """What a caller asks to be done to all executions that `query` and `labels` match.

    `labels` are terms "key=value". With `validate_only` they are counted. Where more than
    `max_count` match nothing is done; 0 is no limit.
    """

    action: BatchAction
    query: ExecutionQuery
    labels: Sequence[str] = ()
    validate_only: bool = False
    max_count: int = 0
    reason: str = ""
    request_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewOperation:
    """An operation before it is stored."""

    id: str
    namespace: str
    action: BatchAction
    reason: str
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchFailure:
    """Why one execution refused: the `reason` of an error, and its message."""

    execution_id: str
    reason: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchItem:
    """An execution on the list of an operation, at a place of its own."""

    position: int
    execution_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """How far an operation is. `failures` are the first of those that refused.

    One that only counted has an empty `id`. It ended early where it is cancelled and `succeeded`
    and `failed` are fewer than `matched`.
    """

    id: str
    namespace: str
    action: BatchAction
    reason: str
    created_at: datetime
    ended_at: datetime | None = None
    cancel_requested_at: datetime | None = None
    matched: int = 0
    succeeded: int = 0
    failed: int = 0
    failures: Sequence[BatchFailure] = ()

    @property
    def is_cancelled(self) -> bool:
        """Whether it ended before all was done."""
        return self.ended_at is not None and self.succeeded + self.failed < self.matched


class OperationRepo(Protocol):
    """Where operations are kept, and the executions that each has still to do.

    Every method is one unit of work, but `end`.
    """

    async def count(self, query: ExecutionQuery) -> int:
        """How many executions match."""
        ...

    async def create(
        self,
        operation: NewOperation,
        query: ExecutionQuery,
        *,
        max_count: int,
        request: RequestKey | None,
    ) -> Operation:
        """Stores it with a list of all executions that match now.

        A known `request` answers the operation that it made. Raises TooManyMatched where more than
        `max_count` match, unless that is 0; RequestIdReused.
        """
        ...

    async def get(self, id: str) -> Operation:
        """Raises OperationNotFound."""
        ...

    async def list(self, namespace: str, slice: Slice) -> Rows[Operation]:
        """Of all namespaces where that is empty. Orders: created_at."""
        ...

    async def cancel(self, id: str, at: datetime) -> Operation:
        """Stores the wish, unless it has ended or was cancelled. Raises OperationNotFound."""
        ...

    async def list_unfinished(self, *, limit: int) -> Sequence[str]:
        """Ids of operations that haven't ended, the oldest first."""
        ...

    async def next_items(self, id: str, *, limit: int) -> Sequence[BatchItem]:
        """The first executions that it has still to do, in the order of their creation."""
        ...

    async def record(self, id: str, outcomes: Mapping[BatchItem, BatchFailure | None]) -> None:
        """Takes items off its list and counts how they went; each counts once."""
        ...

    async def end(self, id: str, at: datetime) -> None:
        """Ends it, and drops what it hasn't done; can be repeated."""
        ...

    async def purge(self, *, ended_before: datetime) -> int:
        """Removes operations that ended before; answers how many they were."""
        ...


class OperationUsecase:
    """What callers can do with operations."""

    def __init__(
        self,
        *,
        repo: OperationRepo,
        wake: Callable[[], None],
        page_tokens: PageTokens,
        clock: Callable[[], datetime],
    ) -> None:
        """`wake` has operations looked for."""
        self._repo = repo
        self._wake = wake
        self._page_tokens = page_tokens
        self._clock = clock

    async def start(self, request: BatchRequest) -> Operation:
        """Stores an operation; once stored it will be done, whatever happens to the server.

        Raises InvalidArgument, TooManyMatched, RequestIdReused.
        """
        labels, bad_labels = parse_label_filter(request.labels)
        faults = [replace(fault, field="filter", pointer="/labels") for fault in bad_labels]
        if faults := [*faults, *_faults(request)]:
            raise InvalidArgument(faults)
        query = replace(request.query, labels=labels)
        new = NewOperation(
            id=str(uuid.uuid4()),
            namespace=query.namespace,
            action=request.action,
            reason=request.reason,
            created_at=self._clock(),
        )
        if request.validate_only:
            return await self._counted(new, query, request.max_count)
        content = asdict(replace(request, request_id=""))
        key = request_key("BatchExecutions", query.namespace, request.request_id, content)
        operation = await self._repo.create(new, query, max_count=request.max_count, request=key)
        self._wake()
        return operation

    async def get(self, id: str) -> Operation:
        """Raises OperationNotFound."""
        return await self._repo.get(id)

    async def list(self, request: PageRequest, *, namespace: str) -> Page[Operation]:
        """A page of operations, newest first by default. Raises InvalidArgument."""
        content = ["operations", namespace]
        slice = await self._page_tokens.slice(
            request, query=content, orders=("created_at",), default="created_at desc"
        )
        rows = await self._repo.list(namespace, slice)
        return await self._page_tokens.page(rows, slice, query=content)

    async def cancel(self, id: str) -> Operation:
        """Has an operation stop soon; what it has done stays done. One that has ended is left.

        Raises OperationNotFound.
        """
        operation = await self._repo.cancel(id, self._clock())
        self._wake()
        return operation

    async def _counted(self, new: NewOperation, query: ExecutionQuery, max_count: int) -> Operation:
        matched = await self._repo.count(query)
        if max_count and matched > max_count:
            raise TooManyMatched(matched, max_count)
        return Operation(
            id="",
            namespace=new.namespace,
            action=new.action,
            reason=new.reason,
            created_at=new.created_at,
            ended_at=new.created_at,
            matched=matched,
        )


def _faults(request: BatchRequest) -> Iterator[Violation]:
    if request.max_count < 0:
        message = "must not be negative"
        yield Violation(field="max_count", code="out-of-range", message=message)
    yield from check_length("reason", request.reason, MAX_REASON_LENGTH)
    yield from check_length("request_id", request.request_id, MAX_REQUEST_ID_LENGTH)
