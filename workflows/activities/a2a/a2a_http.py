"""Carries what the A2A SDK sends over HTTP by the worker's own client."""

from collections.abc import AsyncIterator

import httpx

from workflows.activities.http_calls.sdk_http import SdkHttp, answer_fault


class A2aHttpTransport(httpx.AsyncBaseTransport):
    """What the SDK's client sends by; an unsuccessful answer is a fault."""

    def __init__(self, http: SdkHttp) -> None:
        self._http = http

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """See httpx's transports."""
        content = await request.aread()
        response = await self._http.open(
            request.method, str(request.url), request.headers.raw, content
        )
        if not response.is_success:
            await response.aclose()
            status = response.status_code
            raise answer_fault(response, f"answered {status}", status=status)
        return httpx.Response(
            response.status_code,
            headers=response.headers.raw,
            stream=_Body(response, self._http),
        )


class _Body(httpx.AsyncByteStream):
    """The body of an answer while it comes."""

    def __init__(self, response: httpx.Response, http: SdkHttp) -> None:
        self._response = response
        self._http = http

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for chunk in self._http.chunks(self._response):
            yield chunk

    async def aclose(self) -> None:
        await self._response.aclose()
