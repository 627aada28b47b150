"""Calls HTTP services (DSL reference, "HTTP Call")."""

import asyncio
import base64
import json
from contextlib import suppress
from dataclasses import dataclass
from http import HTTPStatus
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any

import httpx
from temporalio import activity
from temporalio.exceptions import ApplicationError, ApplicationErrorCategory

from biz.dsl.errors import WorkflowError
from biz.dsl.runtime import Basic, HttpCall, HttpOutput
from biz.dsl.sizes import MAX_JSON_BYTES, json_size
from biz.errors import DatabaseUnavailable
from biz.execution import ExecutionProgress, ExecutionRecorder
from workflows.activities.heartbeats import heartbeats

_LARGEST_EXACT = 2**53
_LONGEST_CALL_SECONDS = 300
_LARGEST_OUTPUT = 2 * MAX_JSON_BYTES
_UNSENDABLE = (httpx.InvalidURL, httpx.UnsupportedProtocol, httpx.LocalProtocolError)
_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpCallRequest:
    """A call of an execution, and where the run stands with it."""

    execution_id: str
    call: HttpCall
    progress: ExecutionProgress


def new_http_client(*, timeout_seconds: float) -> httpx.AsyncClient:
    """A client for all calls of a worker. It keeps no cookies: runs share nothing."""
    jar = CookieJar(policy=DefaultCookiePolicy(allowed_domains=()))
    return httpx.AsyncClient(
        timeout=timeout_seconds,
        cookies=jar,
        trust_env=False,
        limits=httpx.Limits(max_connections=None, max_keepalive_connections=100),
        headers={"User-Agent": "workflow-engine"},
    )


class HttpActivities:
    """Makes the calls of `call: http` tasks.

    A call may be repeated when its worker is lost; `Idempotency-Key` is the same then.
    """

    def __init__(
        self, *, client: httpx.AsyncClient, recorder: ExecutionRecorder, max_response_bytes: int
    ) -> None:
        self._client = client
        self._recorder = recorder
        self._max_response_bytes = max_response_bytes

    @activity.defn(name="http_call")
    async def call(self, request: HttpCallRequest) -> Any:
        """The call's output; raises an ApplicationError with the problem details."""
        async with heartbeats():
            with suppress(DatabaseUnavailable):  # progress is for show: no call waits for it
                await self._recorder.record_progress(request.execution_id, request.progress)
            return await self._send(request.call)

    async def _send(self, call: HttpCall) -> Any:
        try:
            async with asyncio.timeout(_LONGEST_CALL_SECONDS):
                response, content = await self._exchange(call)
        except (TimeoutError, httpx.TimeoutException):
            raise _fault("timeout", f"{_name(call)} didn't answer in time") from None
        except (*_UNSENDABLE, ValueError) as error:
            raise _fault("configuration", f"{_name(call)} can't be called: {error}") from None
        except httpx.HTTPError as error:
            detail = f"{_name(call)} failed: {error or type(error).__name__}"
            raise _fault("communication", detail) from None
        if not response.is_success:
            phrase = _phrase(response.status_code)
            detail = f"{_name(call)} answered {response.status_code} {phrase}".rstrip()
            raise _fault("communication", detail, status=response.status_code)
        output = _output(call, response, content)
        if json_size(output) > _LARGEST_OUTPUT:
            detail = f"{_name(call)} answered what takes more than {_LARGEST_OUTPUT} bytes as JSON"
            raise _fault("communication", detail)
        return output

    async def _exchange(self, call: HttpCall) -> tuple[httpx.Response, bytes]:
        """Sends the request, and gives the response with its whole body."""
        response = await self._client.send(
            self._request(call), stream=True, follow_redirects=call.redirect
        )
        try:
            return response, await self._read(response, call)
        finally:
            await response.aclose()

    def _request(self, call: HttpCall) -> httpx.Request:
        headers = httpx.Headers([(n.encode(), value.encode()) for n, value in call.headers])
        content = _body(call.body, headers)
        if call.method not in _SAFE_METHODS:
            headers.setdefault("Idempotency-Key", call.idempotency_key)
        auth = call.authentication
        if auth is not None and not isinstance(auth, Basic):
            headers["Authorization"] = f"Bearer {auth.token}"
        url = httpx.URL(call.uri)
        request = self._client.build_request(
            call.method,
            url.copy_merge_params(list(call.query)) if call.query else url,
            headers=headers,
            content=content,
        )
        if isinstance(auth, Basic):
            login = base64.b64encode(f"{auth.username}:{auth.password}".encode()).decode()
            request.headers["Authorization"] = f"Basic {login}"
        return request

    async def _read(self, response: httpx.Response, call: HttpCall) -> bytes:
        """The body, decompressed, as long as it is within bounds."""
        content = bytearray()
        async for chunk in response.aiter_bytes():
            content += chunk
            if len(content) > self._max_response_bytes:
                detail = f"{_name(call)} answered more than {self._max_response_bytes} bytes"
                raise _fault("communication", detail)
        return bytes(content)


def _body(body: Any, headers: httpx.Headers) -> bytes | None:
    """What is sent: a string as it is, a form where the content type says so, else JSON."""
    if body is None:
        return None
    if isinstance(body, str):
        headers.setdefault("Content-Type", "text/plain; charset=utf-8")
        return body.encode()
    if isinstance(body, dict) and _media_type(headers) == "application/x-www-form-urlencoded":
        return str(httpx.QueryParams(body)).encode()
    headers.setdefault("Content-Type", "application/json")
    return json.dumps(body).encode()


def _output(call: HttpCall, response: httpx.Response, content: bytes) -> Any:
    match call.output:
        case HttpOutput.RAW:
            return base64.b64encode(content).decode()
        case HttpOutput.CONTENT:
            return _content(call, response, content)
        case HttpOutput.RESPONSE:
            return {
                "request": {
                    "method": response.request.method.lower(),
                    "uri": str(response.request.url.copy_with(userinfo=b"")),
                    "headers": _shown(response.request.headers),
                },
                "statusCode": response.status_code,
                "headers": _shown(response.headers),
                "content": _content(call, response, content),
            }


def _content(call: HttpCall, response: httpx.Response, content: bytes) -> Any:
    """JSON as its value, text as a string, all else in base64; null where there is nothing."""
    media_type = _media_type(response.headers)
    if not content:
        return None
    if media_type == "application/json" or media_type.endswith("+json"):
        try:
            return json.loads(content, parse_int=_number, parse_constant=_no_constant)
        except (ValueError, RecursionError):
            detail = f"{_name(call)} answered something else than JSON as {media_type}"
            raise _fault("communication", detail) from None
    if media_type.startswith("text/") or media_type.endswith(("/xml", "+xml", "/yaml", "+yaml")):
        return content.decode(response.encoding or "utf-8", errors="replace")
    return base64.b64encode(content).decode()


def _shown(headers: httpx.Headers) -> dict[str, str]:
    """Headers as they may be stored; credentials stay out."""
    return {
        name: value
        for name, value in headers.items()
        if name not in ("authorization", "proxy-authorization")
    }


def _media_type(headers: httpx.Headers) -> str:
    return str(headers.get("content-type", "")).partition(";")[0].strip().lower()


def _number(text: str) -> int | float:
    """Numbers are doubles in the language; whole ones that are exact stay whole."""
    return int(text) if abs(float(text)) < _LARGEST_EXACT else float(text)


def _no_constant(name: str) -> Any:
    raise ValueError(name)


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""


def _name(call: HttpCall) -> str:
    """The call as errors name it, without credentials and query."""
    uri = call.uri.partition("?")[0]
    scheme, separator, rest = uri.partition("://")
    host, slash, path = rest.partition("/")
    return f"{call.method} {scheme}{separator}{host.rpartition('@')[2]}{slash}{path}"


def _fault(kind: str, detail: str, *, status: int | None = None) -> ApplicationError:
    error = WorkflowError.standard(kind, detail, status=status)
    return ApplicationError(
        detail,
        error.to_json(),
        type=error.type,
        non_retryable=True,
        category=ApplicationErrorCategory.BENIGN,
    )
