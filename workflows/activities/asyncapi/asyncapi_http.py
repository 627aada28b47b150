"""Messages over HTTP (AsyncAPI's bindings of HTTP): requests, and server-sent events."""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from typing import Any

import httpx

from biz.dsl.credentials import Credentials
from biz.dsl.errors import TaskFault, WorkflowError
from workflows.activities.asyncapi.asyncapi_document import Channel, located_in
from workflows.activities.asyncapi.subscriptions import LARGEST_MESSAGE, Message, Put
from workflows.activities.authentication.authenticator import Authenticator
from workflows.activities.http_calls.body import encode_body, media_type_of
from workflows.activities.http_calls.response import media_type
from workflows.activities.http_calls.sender import HttpRequest, HttpSender, shown_url

_EVENT_STREAM = "text/event-stream"
_SECONDS_BETWEEN = 1.0
_LONGEST_BETWEEN = 60.0
_MOST_FAILURES = 60


class HttpMessages:
    """Publishes by requests, and subscribes to server-sent events."""

    def __init__(
        self, *, sender: HttpSender, client: httpx.AsyncClient, authenticator: Authenticator
    ) -> None:
        self._sender = sender
        self._client = client
        self._authenticator = authenticator

    async def publish(
        self,
        channel: Channel,
        path: str,
        payload: Any,
        headers: Sequence[tuple[str, str]],
        credentials: Credentials | None,
        idempotency_key: str,
    ) -> None:
        """Sends a message as a request; by default a POST. Raises TaskFault."""
        content, content_type = encode_body(payload, media_type_of(headers))
        await self._sender.send(
            HttpRequest(
                method=channel.method or "POST",
                url=_url(channel, path),
                headers=headers,
                content=content,
                content_type=content_type,
                authentication=credentials,
                idempotency_key=idempotency_key,
            )
        )

    async def pump(
        self,
        channel: Channel,
        path: str,
        credentials: Credentials | None,
        position: str | None,
        put: Put,
    ) -> None:
        """Passes on server-sent events, and goes on after the last one when a connection ends.

        `position` is the id of the last event that was taken. Raises TaskFault.
        """
        source = _EventSource(_url(channel, path), position, channel.correlation)
        failures = 0
        while True:
            try:
                response = await self._open(source, credentials)
                if response is None:
                    return
                try:
                    failures = 0
                    async for message in source.read(response):
                        await put(message)
                finally:
                    await response.aclose()
            except httpx.HTTPError as error:
                failures += 1
                if failures > _MOST_FAILURES or source.is_new:
                    detail = f"{source.name} failed: {error or type(error).__name__}"
                    raise _fault(detail) from None
            await asyncio.sleep(source.seconds_between)

    async def _open(
        self, source: "_EventSource", credentials: Credentials | None
    ) -> httpx.Response | None:
        """The answer with the events, None where the server says that there are no more."""
        headers = {"Accept": _EVENT_STREAM, "Cache-Control": "no-store"}
        if source.position:
            headers["Last-Event-ID"] = source.position
        timeout = httpx.Timeout(**{**self._client.timeout.as_dict(), "read": None})
        try:
            request = self._client.build_request(
                "GET", source.url, headers=headers, timeout=timeout
            )
        except Exception as error:
            detail = f"{source.name} can't be called: {error}"
            raise TaskFault(WorkflowError.standard("configuration", detail)) from None
        request.headers["Accept-Encoding"] = "identity"
        response = await self._authenticator.send(self._client, request, credentials)
        status, kind = response.status_code, media_type(response.headers)
        if status == httpx.codes.OK and kind == _EVENT_STREAM:
            source.is_new = False
            return response
        await response.aclose()
        if status == httpx.codes.NO_CONTENT:
            return None
        if response.is_success:
            raise _fault(f"{source.name} answered {kind or 'nothing'}, not {_EVENT_STREAM}")
        raise _fault(f"{source.name} answered {status}", status=status)


class _EventSource:
    """Reads an event stream (WHATWG, "Server-sent events"), from one connection to the next."""

    def __init__(self, url: str, position: str | None, correlation: str) -> None:
        self.url = url
        self.position = position
        self.seconds_between = _SECONDS_BETWEEN
        self.is_new = True
        self._correlation = correlation

    @property
    def name(self) -> str:
        """As errors name it."""
        return f"GET {shown_url(self.url)}"

    async def read(self, response: httpx.Response) -> AsyncIterator[Message]:
        """The events of one connection."""
        data: list[str] = []
        kind = "message"
        async for line in self._lines(response):
            if not line:
                if data:
                    yield self._message("\n".join(data), kind)
                data, kind = [], "message"
                continue
            name, _, value = line.partition(":")
            value = value.removeprefix(" ")
            match name:
                case "data":
                    data.append(value)
                case "event":
                    kind = value
                case "id" if "\0" not in value:
                    self.position = value
                case "retry" if value.isdecimal():
                    self.seconds_between = min(int(value) / 1000, _LONGEST_BETWEEN)

    async def _lines(self, response: httpx.Response) -> AsyncIterator[str]:
        """Lines of bounded length; an event may have as many characters in all."""
        rest = b""
        size = 0
        async for chunk in response.aiter_raw():
            rest += chunk.replace(b"\r\n", b"\n")
            *lines, rest = rest.split(b"\n")
            for line in lines:
                size = size + len(line) if line else 0
                if size > LARGEST_MESSAGE:
                    raise _fault(f"{self.name} sent an event of more than {LARGEST_MESSAGE} bytes")
                yield line.removesuffix(b"\r").decode("utf-8", errors="replace")
            if len(rest) > LARGEST_MESSAGE:
                raise _fault(f"{self.name} sent an event of more than {LARGEST_MESSAGE} bytes")

    def _message(self, data: str, kind: str) -> Message:
        payload: Any
        try:
            payload = json.loads(data)
        except (ValueError, RecursionError):
            payload = data
        headers = {"event": kind}
        if self.position:
            headers["id"] = self.position
        value = {"payload": payload, "headers": headers}
        identifier = located_in(self._correlation, payload, headers)
        if identifier is not None:
            value["correlationId"] = str(identifier)
        return Message(value, self.position)


def _url(channel: Channel, path: str) -> str:
    return f"{channel.server.rstrip('/')}/{path.lstrip('/')}"


def _fault(detail: str, *, status: int | None = None) -> TaskFault:
    return TaskFault(WorkflowError.standard("communication", detail, status=status))
