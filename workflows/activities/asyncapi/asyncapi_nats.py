"""Messages over NATS, by its client (AsyncAPI's bindings of NATS).

Core NATS keeps no messages: a subscriber gets those that are published while it is there, each at
most once.
"""

import asyncio
import base64
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.errors import Error, SlowConsumerError

from biz.dsl.credentials import Credentials
from biz.dsl.errors import TaskFault, WorkflowError
from workflows.activities.asyncapi.asyncapi_document import Channel, located_in
from workflows.activities.asyncapi.subscriptions import LARGEST_MESSAGE, Message, Put

_CONNECT_SECONDS = 5
_RECONNECTS = 60
_SECONDS_BETWEEN = 1
_MOST_PENDING = 10_000
_MOST_PENDING_BYTES = 16 * LARGEST_MESSAGE


async def publish(
    channel: Channel,
    subject: str,
    payload: Any,
    headers: Sequence[tuple[str, str]],
    credentials: Credentials | None,
) -> None:
    """Publishes a message, and sees that the server has taken it. Raises TaskFault."""
    content = b"" if payload is None else json.dumps(payload).encode()
    async with _connected(channel, credentials) as client:
        await client.publish(subject, content, headers=dict(headers) or None)
        await client.flush(_CONNECT_SECONDS)


async def pump(channel: Channel, subject: str, credentials: Credentials | None, put: Put) -> None:
    """Passes on what is published at a subject. Raises TaskFault."""
    async with _connected(channel, credentials) as client:
        subscription = await client.subscribe(
            subject,
            queue=channel.queue,
            pending_msgs_limit=_MOST_PENDING,
            pending_bytes_limit=_MOST_PENDING_BYTES,
        )
        async for received in subscription.messages:
            if isinstance(client.last_error, SlowConsumerError):
                raise _fault("messages came faster than they were taken, and some were lost")
            await put(_message(received, channel.correlation))
    raise _fault("the connection to the NATS server was lost")


@asynccontextmanager
async def _connected(channel: Channel, credentials: Credentials | None) -> AsyncIterator[Client]:
    """A client, closed after its block; what goes wrong with it is raised as TaskFault."""
    login = _login(credentials)
    client = Client()
    try:
        try:
            await _connect(client, channel.server, login)
            yield client
        finally:
            await client.close()
    except (Error, OSError, TimeoutError) as error:
        raise _fault(f"the NATS server failed: {error or type(error).__name__}") from None
    except ValueError as error:
        detail = f"the NATS server can't be called: {error}"
        raise TaskFault(WorkflowError.standard("configuration", detail)) from None


async def _connect(client: Client, server: str, login: dict[str, Any]) -> None:
    """Connects, or raises the first error; a connection that is lost later is mended."""
    failed: asyncio.Future[Exception] = asyncio.get_running_loop().create_future()

    async def note(error: Exception) -> None:
        if not failed.done():
            failed.set_result(error)

    connecting = asyncio.create_task(
        client.connect(
            server,
            connect_timeout=_CONNECT_SECONDS,
            max_reconnect_attempts=_RECONNECTS,
            reconnect_time_wait=_SECONDS_BETWEEN,
            error_cb=note,
            **login,
        )
    )
    try:
        await asyncio.wait((connecting, failed), return_when=asyncio.FIRST_COMPLETED)
        if not connecting.done():
            raise failed.result()
        await connecting
    finally:
        connecting.cancel()
        await asyncio.gather(connecting, return_exceptions=True)


def _login(credentials: Credentials | None) -> dict[str, Any]:
    """What NATS takes: a name and password, or a token."""
    if credentials is None:
        return {}
    properties = credentials.properties
    if credentials.scheme == "basic":
        return {"user": properties["username"], "password": properties["password"]}
    if credentials.scheme == "bearer":
        return {"token": properties["token"]}
    detail = f"NATS takes basic and bearer authentication, not {credentials.scheme}"
    raise TaskFault(WorkflowError.standard("configuration", detail))


def _message(received: Msg, correlation: str) -> Message:
    """JSON as its value, other text as a string, all else in base64."""
    headers = dict(received.headers or {})
    payload: Any
    try:
        payload = json.loads(received.data) if received.data else None
    except (ValueError, RecursionError):
        try:
            payload = received.data.decode()
        except UnicodeDecodeError:
            payload = base64.b64encode(received.data).decode()
    value = {"payload": payload, "headers": headers}
    identifier = located_in(correlation, payload, headers)
    return Message(value if identifier is None else {**value, "correlationId": str(identifier)})


def _fault(detail: str) -> TaskFault:
    return TaskFault(WorkflowError.standard("communication", detail))
