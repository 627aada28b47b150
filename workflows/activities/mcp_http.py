"""Carries what the MCP SDK sends over HTTP by the worker's own client, within its bounds."""

import json
from collections.abc import AsyncIterator

import httpx
import httpx2

from biz.dsl.credentials import Credentials
from biz.dsl.errors import TaskFault, WorkflowError
from workflows.activities.authentication import Authenticator
from workflows.activities.http_sender import shown_url

_DENIED = (401, 403)


class WorkerTransport(httpx2.AsyncBaseTransport):
    """What the SDK's client sends by; all that an HTTP call is held to holds here too.

    An unsuccessful answer to a request is a fault, unless it explains itself in JSON-RPC. The SDK
    keeps some failures to itself: `failure` is the first one of a request.
    """

    def __init__(
        self,
        *,
        client: httpx.AsyncClient,
        authenticator: Authenticator,
        authentication: Credentials | None,
        max_response_bytes: int,
        silence_seconds: float | None,
    ) -> None:
        """`silence_seconds` is how long an answer may pause; None leaves that to the caller."""
        self.failure: Exception | None = None
        self._client = client
        self._authenticator = authenticator
        self._authentication = authentication
        self._max_response_bytes = max_response_bytes
        self._timeout = httpx.Timeout(**{**client.timeout.as_dict(), "read": silence_seconds})

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """See the SDK's transports."""
        is_request = request.method == "POST"  # by other methods it listens and says goodbye
        try:
            response = await self._send(request)
            body = _Body(response, self, self._max_response_bytes, is_noted=is_request)
            if not is_request or not response.is_error:
                return httpx2.Response(
                    response.status_code, headers=response.headers.raw, stream=body
                )
            content = await body.read()
            if response.status_code in _DENIED or not _is_json_rpc(content):
                raise _fault(response, f"answered {response.status_code}", response.status_code)
            return httpx2.Response(
                response.status_code, headers=response.headers.raw, content=content
            )
        except Exception as error:
            if is_request:
                self.note(error)
            raise

    def note(self, failure: Exception) -> None:
        """Keeps the first failure."""
        self.failure = self.failure or failure

    async def _send(self, request: httpx2.Request) -> httpx.Response:
        sent = self._client.build_request(
            request.method,
            str(request.url),
            headers=request.headers.raw,
            content=await request.aread(),
            timeout=self._timeout,
        )
        sent.headers["Accept-Encoding"] = "identity"
        return await self._authenticator.send(self._client, sent, self._authentication)


class _Body(httpx2.AsyncByteStream):
    """The body of an answer, up to a limit."""

    def __init__(
        self, response: httpx.Response, transport: WorkerTransport, limit: int, *, is_noted: bool
    ) -> None:
        self._response = response
        self._transport = transport
        self._limit = limit
        self._is_noted = is_noted

    async def __aiter__(self) -> AsyncIterator[bytes]:
        size = 0
        try:
            async for chunk in self._response.aiter_raw():
                size += len(chunk)
                if size > self._limit:
                    raise _fault(self._response, f"answered more than {self._limit} bytes")
                yield chunk
        except Exception as error:
            if self._is_noted:
                self._transport.note(error)
            raise

    async def read(self) -> bytes:
        """All of it."""
        try:
            return b"".join([chunk async for chunk in self])
        finally:
            await self.aclose()

    async def aclose(self) -> None:
        await self._response.aclose()


def _is_json_rpc(content: bytes) -> bool:
    try:
        answer = json.loads(content)
    except (ValueError, RecursionError):
        return False
    return isinstance(answer, dict) and "jsonrpc" in answer and "error" in answer


def _fault(response: httpx.Response, what: str, status: int | None = None) -> TaskFault:
    detail = f"the MCP server at {shown_url(str(response.request.url))} {what}"
    return TaskFault(WorkflowError.standard("communication", detail, status=status))
