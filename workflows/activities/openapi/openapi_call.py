"""Calls operations of OpenAPI documents (DSL reference, "OpenAPI Call")."""

import asyncio
from typing import Any

from temporalio import activity

from biz.dsl.calls.openapi_call import OpenApiCall
from workflows.activities.documents import Documents, FetchedDocument
from workflows.activities.http_calls.sender import HttpRequest, HttpSender
from workflows.activities.openapi import v2, v3
from workflows.activities.openapi.openapi_document import Described
from workflows.activities.openapi.operation import Operation
from workflows.activities.openapi.request import request_of
from workflows.activities.performer import CallContext, Performer


class OpenApiActivities:
    """Makes the calls of `call: openapi` tasks."""

    def __init__(self, *, performer: Performer, sender: HttpSender, documents: Documents) -> None:
        self._performer = performer
        self._sender = sender
        self._documents = documents

    @activity.defn(name=OpenApiCall.KIND)
    async def call(self, call: OpenApiCall, context: CallContext) -> Any:
        """The call's output."""
        return await self._performer.perform(call, context, self._send)

    async def _send(self, call: OpenApiCall) -> Any:
        """The call's output; raises TaskFault."""
        document = await self._documents.fetch(call.document)
        value = await document.value()
        # Beside the event loop: a large document takes a while.
        request = await asyncio.to_thread(_request, document, value, call)
        return await self._sender.call(request, call.output)


def _request(document: FetchedDocument, value: Any, call: OpenApiCall) -> HttpRequest:
    return request_of(operation_of(document, value, call.operation_id), call)


def operation_of(document: FetchedDocument, value: Any, operation_id: str) -> Operation:
    """An operation of a document with this value; raises TaskFault, a configuration error."""
    described = Described(document, value)
    version = described.mapping(value, "document")
    if str(version.get("swagger")) == "2.0":
        return v2.read_operation(described, value, operation_id)
    if str(version.get("openapi")).startswith("3."):
        return v3.read_operation(described, value, operation_id)
    raise document.fault("is no OpenAPI document of version 2.0 or 3")
