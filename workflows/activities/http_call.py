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
from biz.dsl.runtime import Basic, HttpCall
from biz.errors import DatabaseUnavailable
from biz.execution import ExecutionProgress, ExecutionRecorder
from workflows.activities.heartbeats import heartbeats
from workflows.activities.http_response import (
    ACCEPTED_ENCODINGS,
    UnreadableResponse,
    media_type,
    output_of,
    read_body,
)

_LONGEST_CALL_SECONDS = 300
_MOST_REDIRECTS = 20
_UNSENDABLE = (httpx.UnsupportedProtocol, httpx.LocalProtocolError)
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
        headers={"User-Agent": "workflow-engine", "Accept-Encoding": ACCEPTED_ENCODINGS},
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
        """What a service answers is final, and so is what can't be sent or read."""
        try:
            async with asyncio.timeout(_LONGEST_CALL_SECONDS):
                return await self._exchange(call)
        except ApplicationError:
            raise
        except UnreadableResponse as error:
            raise _fault("communication", f"{_name(call)} {error}") from None
        except (TimeoutError, httpx.TimeoutException):
            raise _fault("timeout", f"{_name(call)} didn't answer in time") from None
        except httpx.HTTPError as error:
            kind = "configuration" if isinstance(error, _UNSENDABLE) else "communication"
            detail = f"{_name(call)} failed: {error or type(error).__name__}"
            raise _fault(kind, detail) from None
        except Exception as error:
            # What the libraries say of an odd address or header, each in its own way.
            raise _fault("configuration", f"{_name(call)} can't be called: {error}") from None

    async def _exchange(self, call: HttpCall) -> Any:
        """The call's output; an unsuccessful answer is a fault, and isn't read."""
        request = self._request(call)
        for _ in range(_MOST_REDIRECTS if call.redirect else 1):
            response = await self._client.send(request, stream=True)
            try:
                if call.redirect and response.next_request is not None:
                    request = response.next_request
                    continue
                if not response.is_success:
                    phrase = _phrase(response.status_code)
                    detail = f"{_name(call)} answered {response.status_code} {phrase}".rstrip()
                    raise _fault("communication", detail, status=response.status_code)
                content = await read_body(response, limit=self._max_response_bytes)
                return output_of(response, content, call.output)
            finally:
                await response.aclose()
        raise UnreadableResponse(f"answered more than {_MOST_REDIRECTS} redirects")

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


def _body(body: Any, headers: httpx.Headers) -> bytes | None:
    """What is sent: a string as it is, a form where the content type says so, else JSON."""
    if body is None:
        return None
    if isinstance(body, str):
        headers.setdefault("Content-Type", "text/plain; charset=utf-8")
        return body.encode()
    if isinstance(body, dict) and media_type(headers) == "application/x-www-form-urlencoded":
        return str(httpx.QueryParams(body)).encode()
    headers.setdefault("Content-Type", "application/json")
    return json.dumps(body).encode()


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""


def _name(call: HttpCall) -> str:
    """The call as errors name it, without credentials and query."""
    try:
        url = httpx.URL(call.uri)
    except Exception:
        return call.method
    return f"{call.method} {url.copy_with(userinfo=b'', query=None, fragment=None)}"


def _fault(kind: str, detail: str, *, status: int | None = None) -> ApplicationError:
    error = WorkflowError.standard(kind, detail, status=status)
    return ApplicationError(
        detail,
        error.to_json(),
        type=error.type,
        non_retryable=True,
        category=ApplicationErrorCategory.BENIGN,
    )
