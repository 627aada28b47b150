"""Tells the log of a call of each HTTP request that goes out for it."""

import re
import time
from types import TracebackType
from typing import Self
from urllib.parse import unquote_plus

import httpx

from biz.logs.log import LogLevel
from workflows.activities.call_log import failing, is_call_logged, log_line, since

_REDACTED = "***"
_SECRET_NAME = re.compile(
    r"auth|cookie|token|secret|key|passw|pwd|credential|session|signature|\bsig\b", re.IGNORECASE
)
_OPEN_NAMES = frozenset({"idempotency-key"})
_LONGEST_URL = 2_000
_LONGEST_VALUE = 200
_MOST_HEADERS = 30


class LoggedTransport(httpx.AsyncBaseTransport):
    """Sends by another transport."""

    def __init__(self, transport: httpx.AsyncBaseTransport) -> None:
        self._transport = transport

    async def __aenter__(self) -> Self:
        await self._transport.__aenter__()
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None = None,
        exc_value: BaseException | None = None,
        traceback: TracebackType | None = None,
    ) -> None:
        await self._transport.__aexit__(exc_type, exc_value, traceback)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """See httpx's transports; the duration is that until the answer's head is there."""
        if not is_call_logged():
            return await self._transport.handle_async_request(request)
        began = time.perf_counter()
        try:
            response = await self._transport.handle_async_request(request)
        except BaseException as error:
            _tell(request, LogLevel.WARNING, failing(error), began)
            raise
        status = response.status_code
        level = LogLevel.WARNING if status >= httpx.codes.BAD_REQUEST else LogLevel.INFO
        _tell(request, level, f"answered {status}", began, status)
        return response


def _tell(
    request: httpx.Request, level: LogLevel, ending: str, began: float, status: int | None = None
) -> None:
    url = redacted_url(request.url)
    fields = {
        "method": request.method,
        "url": url,
        "status": status,
        "duration_ms": since(began),
        "request_headers": redacted_headers(request.headers),
    }
    log_line(level, f"{request.method} {url} {ending}", fields)


def redacted_url(url: httpx.URL) -> str:
    """A URL without credentials, and without the values of parameters whose names tell secrets."""
    query = "&".join(_redacted_parameter(part) for part in url.query.decode("ascii").split("&"))
    shown = str(url.copy_with(userinfo=b"", query=None, fragment=None))
    return (f"{shown}?{query}" if query else shown)[:_LONGEST_URL]


def redacted_headers(headers: httpx.Headers) -> dict[str, str]:
    """Headers without the values of those whose names tell secrets."""
    return {
        name: _REDACTED if _is_secret(name) else value[:_LONGEST_VALUE]
        for name, value in list(headers.items())[:_MOST_HEADERS]
    }


def _redacted_parameter(part: str) -> str:
    name, equals, _ = part.partition("=")
    return f"{name}={_REDACTED}" if equals and _is_secret(unquote_plus(name)) else part


def _is_secret(name: str) -> bool:
    return name.lower() not in _OPEN_NAMES and _SECRET_NAME.search(name) is not None
