"""Calls HTTP services (DSL reference, "HTTP Call")."""

import asyncio
import base64
import json
from http import HTTPStatus
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any

import httpx
from temporalio import activity

from biz.dsl.calls.http_call import HttpCall, pairs
from biz.dsl.credentials import Credentials
from biz.dsl.errors import TaskFault, WorkflowError
from workflows.activities.http_response import (
    ACCEPTED_ENCODINGS,
    UnreadableResponse,
    media_type,
    output_of,
    read_body,
)
from workflows.activities.performing import CallContext, Performer

_LONGEST_CALL_SECONDS = 300
_MOST_REDIRECTS = 20
_UNSENDABLE = (httpx.UnsupportedProtocol, httpx.LocalProtocolError)
_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


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
    """Makes the calls of `call: http` tasks."""

    def __init__(
        self, *, performer: Performer, client: httpx.AsyncClient, max_response_bytes: int
    ) -> None:
        self._performer = performer
        self._client = client
        self._max_response_bytes = max_response_bytes

    @activity.defn(name=HttpCall.KIND)
    async def call(self, call: HttpCall, context: CallContext) -> Any:
        """The call's output."""
        return await self._performer.perform(call, context, self._send)

    async def _send(self, call: HttpCall) -> Any:
        """What a service answers is final, and so is what can't be sent or read."""
        try:
            async with asyncio.timeout(_LONGEST_CALL_SECONDS):
                return await self._exchange(call)
        except TaskFault:
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
        headers = httpx.Headers(
            [(name.encode(), value.encode()) for name, value in pairs("headers", call.headers)]
        )
        content = _body(call.body, headers)
        if call.method.upper() not in _SAFE_METHODS:
            headers.setdefault("Idempotency-Key", call.idempotency_key)
        query = pairs("query", call.query)
        url = httpx.URL(call.uri)
        request = self._client.build_request(
            call.method.upper(),
            url.copy_merge_params(list(query)) if query else url,
            headers=headers,
            content=content,
        )
        if call.authentication is not None:
            request.headers["Authorization"] = _authorization(call.authentication)
        return request


def _authorization(credentials: Credentials) -> str:
    properties = credentials.properties
    if credentials.scheme == "bearer":
        return f"Bearer {properties['token']}"
    login = f"{properties['username']}:{properties['password']}"
    return f"Basic {base64.b64encode(login.encode()).decode()}"


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
        return str(call.method).upper()
    return f"{call.method.upper()} {url.copy_with(userinfo=b'', query=None, fragment=None)}"


def _fault(kind: str, detail: str, *, status: int | None = None) -> TaskFault:
    return TaskFault(WorkflowError.standard(kind, detail, status=status))
