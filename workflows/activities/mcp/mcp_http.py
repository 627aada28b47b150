"""Carries what the MCP SDK sends over HTTP by the worker's own client."""

import json
from collections.abc import AsyncIterator

import httpx
import httpx2

from workflows.activities.http_calls.sdk_http import SdkHttp, answer_fault

_DENIED = (401, 403)


class McpHttpTransport(httpx2.AsyncBaseTransport):
    """What the SDK's client sends by.

    An unsuccessful answer to a request is a fault, unless it explains itself in JSON-RPC. The SDK
    keeps some failures to itself: `failure` is the first one of a request.
    """

    def __init__(self, http: SdkHttp) -> None:
        self.failure: Exception | None = None
        self._http = http

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """See the SDK's transports."""
        if request.method != "POST":  # by other methods it listens and says goodbye
            response = await self._open(request)
            return _passed_on(response, self._http.chunks(response))
        try:
            response = await self._open(request)
            if not response.is_error:
                return _passed_on(response, self._noting(response))
            content = await self._http.read(response)
            if response.status_code in _DENIED or not _is_json_rpc(content):
                status = response.status_code
                raise answer_fault(response, f"answered {status}", status=status)
        except Exception as error:
            self._note(error)
            raise
        return httpx2.Response(response.status_code, headers=response.headers.raw, content=content)

    async def _open(self, request: httpx2.Request) -> httpx.Response:
        content = await request.aread()
        return await self._http.open(request.method, str(request.url), request.headers.raw, content)

    async def _noting(self, response: httpx.Response) -> AsyncIterator[bytes]:
        try:
            async for chunk in self._http.chunks(response):
                yield chunk
        except Exception as error:
            self._note(error)
            raise

    def _note(self, failure: Exception) -> None:
        self.failure = self.failure or failure


class _Body(httpx2.AsyncByteStream):
    """The body of an answer while it comes."""

    def __init__(self, response: httpx.Response, chunks: AsyncIterator[bytes]) -> None:
        self._response = response
        self._chunks = chunks

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for chunk in self._chunks:
            yield chunk

    async def aclose(self) -> None:
        await self._response.aclose()


def _passed_on(response: httpx.Response, chunks: AsyncIterator[bytes]) -> httpx2.Response:
    return httpx2.Response(
        response.status_code, headers=response.headers.raw, stream=_Body(response, chunks)
    )


def _is_json_rpc(content: bytes) -> bool:
    try:
        answer = json.loads(content)
    except (ValueError, RecursionError):
        return False
    return isinstance(answer, dict) and "jsonrpc" in answer and "error" in answer
