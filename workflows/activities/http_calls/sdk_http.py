"""The HTTP of SDKs that bring a client of their own: it goes by the worker's, within its bounds."""

from collections.abc import AsyncIterator, Sequence

import httpx

from biz.dsl.credentials import Credentials
from biz.dsl.errors import TaskFault, WorkflowError
from workflows.activities.authentication.authenticator import Authenticator
from workflows.activities.http_calls.sender import shown_url


class SdkHttp:
    """What the transport of an SDK sends by."""

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
        self._client = client
        self._authenticator = authenticator
        self._authentication = authentication
        self._max_response_bytes = max_response_bytes
        self._timeout = httpx.Timeout(**{**client.timeout.as_dict(), "read": silence_seconds})

    async def open(
        self, method: str, url: str, headers: Sequence[tuple[bytes, bytes]], content: bytes
    ) -> httpx.Response:
        """The answer, of which the body isn't read; raises httpx's errors, and TaskFault."""
        request = self._client.build_request(
            method, url, headers=list(headers), content=content, timeout=self._timeout
        )
        request.headers["Accept-Encoding"] = "identity"
        return await self._authenticator.send(self._client, request, self._authentication)

    async def chunks(self, response: httpx.Response) -> AsyncIterator[bytes]:
        """The body of an answer; raises TaskFault where it is too large."""
        size = 0
        async for chunk in response.aiter_raw():
            size += len(chunk)
            if size > self._max_response_bytes:
                raise answer_fault(response, f"answered more than {self._max_response_bytes} bytes")
            yield chunk

    async def read(self, response: httpx.Response) -> bytes:
        """All of a body; closes the answer."""
        try:
            return b"".join([chunk async for chunk in self.chunks(response)])
        finally:
            await response.aclose()


def answer_fault(response: httpx.Response, what: str, *, status: int | None = None) -> TaskFault:
    """A communication error of an answer."""
    detail = f"{shown_url(str(response.request.url))} {what}"
    return TaskFault(WorkflowError.standard("communication", detail, status=status))
