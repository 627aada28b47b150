"""Publishes and receives messages (DSL reference, "AsyncAPI Call")."""

import asyncio
from functools import partial
from typing import Any

from temporalio import activity

from biz.dsl.calls.asyncapi_call import (
    AsyncApiPublication,
    AsyncApiReception,
    AsyncApiTarget,
)
from biz.dsl.calls.http_call import pairs
from biz.dsl.credentials import Credentials
from biz.dsl.errors import TaskFault, WorkflowError
from biz.logs.log import LogLevel
from workflows.activities.asyncapi.asyncapi_document import (
    Channel,
    MissingParameter,
    address_of,
    find_channel,
)
from workflows.activities.asyncapi.asyncapi_http import HttpMessages
from workflows.activities.asyncapi.subscriptions import Batch, Pump, Subscriptions
from workflows.activities.call_log import log_line, logged_request
from workflows.activities.documents import Documents
from workflows.activities.performer import CallContext, Performer

_HTTP = ("http", "https")
_NATS = "nats"


class PublishActivities:
    """Publishes the messages of `call: asyncapi` tasks."""

    def __init__(self, *, performer: Performer, documents: Documents, http: HttpMessages) -> None:
        self._performer = performer
        self._documents = documents
        self._http = http

    @activity.defn(name=AsyncApiPublication.KIND)
    async def call(self, call: AsyncApiPublication, context: CallContext) -> None:
        """Returns when the message was taken."""
        await self._performer.perform(call, context, self._publish)

    async def _publish(self, call: AsyncApiPublication) -> None:
        channel = await _find(self._documents, call.target, publishes=True)
        headers = pairs("headers", call.headers)
        address = _address(channel, call.payload, dict(headers))
        if channel.protocol in _HTTP:
            await self._http.publish(
                channel,
                address,
                call.payload,
                headers,
                call.authentication,
                call.idempotency_key,
            )
        else:
            nats = _nats()
            with logged_request(f"publication at {address}"):
                await nats.publish(channel, address, call.payload, headers, call.authentication)


class ReceiveActivities:
    """Receives the messages of `call: asyncapi` tasks, a batch at a time."""

    def __init__(
        self,
        *,
        performer: Performer,
        documents: Documents,
        http: HttpMessages,
        subscriptions: Subscriptions,
    ) -> None:
        self._performer = performer
        self._documents = documents
        self._http = http
        self._subscriptions = subscriptions

    @activity.defn(name=AsyncApiReception.KIND)
    async def call(self, call: AsyncApiReception, context: CallContext) -> Any:
        """The next batch."""
        return await self._performer.perform(call, context, self._receive)

    async def _receive(self, call: AsyncApiReception) -> Batch:
        if not call.limit:
            await self._subscriptions.end(call.subscription)
            return Batch(ended=True)
        channel = await _find(self._documents, call.target, publishes=False)
        batch = await self._subscriptions.receive(
            call.subscription,
            self._pump(channel, call.authentication, call.position),
            limit=call.limit,
            seconds=call.wait_seconds,
            position=call.position,
        )
        count = len(batch.messages)
        log_line(LogLevel.INFO, f"messages at {channel.address}: {count}", {"messages": count})
        return batch

    def _pump(
        self, channel: Channel, credentials: Credentials | None, position: str | None
    ) -> Pump:
        address = _address(channel, None, None)
        if channel.protocol in _HTTP:
            return partial(self._http.pump, channel, address, credentials, position)
        return partial(_nats().pump, channel, address, credentials)


async def _find(documents: Documents, target: AsyncApiTarget, *, publishes: bool) -> Channel:
    """The channel of a target, over a protocol that is spoken here."""
    document = await documents.fetch(target.document)
    value = await document.value()
    # Beside the event loop: a large document takes a while.
    channel = await asyncio.to_thread(find_channel, document, value, target, publishes=publishes)
    if channel.protocol in (*_HTTP, _NATS):
        return channel
    spoken = ", ".join((*_HTTP, _NATS))
    raise document.fault(
        f"has a server of {channel.protocol or 'no protocol'}; spoken are {spoken}"
    )


def _address(channel: Channel, payload: Any, headers: Any) -> str:
    try:
        return address_of(channel, payload, headers)
    except MissingParameter as missing:
        detail = f'the channel {channel.address} needs a value for "{missing}"'
        raise _configuration(detail) from None


def _nats() -> Any:
    """The module that speaks NATS, where its client is installed."""
    try:
        from workflows.activities.asyncapi import asyncapi_nats
    except ImportError:
        raise _configuration("NATS needs the extra nats: workflow-engine[nats]") from None
    return asyncapi_nats


def _configuration(detail: str) -> TaskFault:
    return TaskFault(WorkflowError.standard("configuration", detail))
