"""Fetches functions and schemas for runs (DSL reference, "External Resource")."""

import asyncio
from typing import Any

from temporalio import activity

from biz.dsl.calls.fetch_call import FetchCall
from biz.dsl.external.external_documents import document_fault
from workflows.activities.documents import Documents
from workflows.activities.performer import CallContext, Performer

MAX_BYTES = 256 * 1024
"""A run carries the document in its history, and reads it at once."""


class FetchActivities:
    """Makes the calls for documents; each is checked before a run gets it."""

    def __init__(self, *, performer: Performer, documents: Documents) -> None:
        self._performer = performer
        self._documents = documents

    @activity.defn(name=FetchCall.KIND)
    async def call(self, call: FetchCall, context: CallContext) -> Any:
        """The document's JSON value."""
        return await self._performer.perform(call, context, self._send)

    async def _send(self, call: FetchCall) -> Any:
        document = await self._documents.fetch(call.resource)
        if len(document.content) > MAX_BYTES:
            raise document.fault(f"has more than {MAX_BYTES} bytes")
        value = await document.value()
        fault = await asyncio.to_thread(document_fault, value, call.purpose)
        if fault is not None:
            raise document.fault(fault)
        return value
