"""History: what happened in an execution, in order."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from biz.dsl.lifecycle import LifecycleEvent
from biz.errors import InvalidArgument, Violation
from biz.executions.execution import ExecutionRepo
from biz.paging import Page, PageRequest, PageTokens, Rows, Slice

MAX_INLINE_BYTES = 1024 * 1024
"""A value that is larger is shown as a reference."""


@dataclass(frozen=True, slots=True)
class PayloadReference:
    """Stands for a value that is too large to be shown in its place."""

    digest: str
    length: int


class HistoryRepo(Protocol):
    """Where histories are kept; runs write them through an `ExecutionRecorder`."""

    async def list(
        self, execution_id: str, *, after_sequence: int, slice: Slice
    ) -> Rows[LifecycleEvent]:
        """Order: sequence. Values over MAX_INLINE_BYTES are PayloadReferences."""
        ...

    async def get_payload(self, execution_id: str, digest: str) -> str:
        """The JSON text of a large value. Raises PayloadNotFound."""
        ...


class HistoryUsecase:
    """How callers look back at executions."""

    def __init__(
        self, *, repo: HistoryRepo, executions: ExecutionRepo, page_tokens: PageTokens
    ) -> None:
        self._repo = repo
        self._executions = executions
        self._page_tokens = page_tokens

    async def list(
        self, request: PageRequest, *, execution_id: str, after_sequence: int
    ) -> Page[LifecycleEvent]:
        """A page of an execution's events, oldest first by default.

        Raises InvalidArgument, ExecutionNotFound.
        """
        if after_sequence < 0:
            message = "must not be negative"
            raise InvalidArgument(
                [Violation(field="after_sequence", code="out-of-range", message=message)]
            )
        content = ["events", execution_id, after_sequence]
        slice = await self._page_tokens.slice(
            request, query=content, orders=("sequence",), default="sequence"
        )
        await self._executions.get(execution_id)
        rows = await self._repo.list(execution_id, after_sequence=after_sequence, slice=slice)
        return await self._page_tokens.page(rows, slice, query=content)

    async def get_payload(self, execution_id: str, digest: str) -> str:
        """The JSON text of a large value. Raises ExecutionNotFound, PayloadNotFound."""
        await self._executions.get(execution_id)
        return await self._repo.get_payload(execution_id, digest)
