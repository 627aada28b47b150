"""Sends HTTP requests for activities: authentication, redirects, bounds and faults in one place."""

import asyncio
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any

import httpx

from biz.dsl.calls.http_call import HttpOutput
from biz.dsl.credentials import Credentials
from biz.dsl.errors import TaskFault, WorkflowError
from workflows.activities.authentication.authenticator import Authenticator
from workflows.activities.http_calls.logged_transport import LoggedTransport
from workflows.activities.http_calls.response import (
    ACCEPTED_ENCODINGS,
    UnreadableResponse,
    output_of,
    read_body,
)
from workflows.activities.redaction import holds_secret

_LONGEST_CALL_SECONDS = 300
_MOST_REDIRECTS = 20
_UNSENDABLE = (httpx.UnsupportedProtocol, httpx.LocalProtocolError)
_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


def new_http_client(*, timeout_seconds: float) -> httpx.AsyncClient:
    """A client for all calls of a worker, which logs its requests.

    It keeps no cookies: runs share nothing.
    """
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=100)
    transport = LoggedTransport(httpx.AsyncHTTPTransport(trust_env=False, limits=limits))
    jar = CookieJar(policy=DefaultCookiePolicy(allowed_domains=()))
    return httpx.AsyncClient(
        timeout=timeout_seconds,
        cookies=jar,
        trust_env=False,
        transport=transport,
        headers={"User-Agent": "workflow-engine", "Accept-Encoding": ACCEPTED_ENCODINGS},
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpRequest:
    """A request as it is sent.

    `query` is added to that of the URL. A request that isn't safe carries the `idempotency_key`;
    it and the `content_type` count where `headers` have no such header. `secret_headers` are names
    of headers that no other origin may be told.
    """

    method: str
    url: str
    query: Sequence[tuple[str, str]] = ()
    headers: Sequence[tuple[str, str]] = ()
    secret_headers: Collection[str] = ()
    content: bytes | None = None
    content_type: str = ""
    authentication: Credentials | None = None
    redirect: bool = False
    idempotency_key: str | None = None


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """What a service answered, of which `content` is the body without its encoding."""

    response: httpx.Response
    content: bytes


class HttpSender:
    """Makes HTTP requests by one client, and takes at most so many bytes as an answer."""

    def __init__(
        self, *, client: httpx.AsyncClient, authenticator: Authenticator, max_response_bytes: int
    ) -> None:
        self._client = client
        self._authenticator = authenticator
        self._max_response_bytes = max_response_bytes

    async def call(self, request: HttpRequest, form: HttpOutput) -> Any:
        """The output of a call that makes this request; raises TaskFault."""
        answer = await self.send(request)
        try:
            return output_of(answer.response, answer.content, form)
        except UnreadableResponse as error:
            raise _unreadable(request, error) from None

    async def send(self, request: HttpRequest, *, limit: int | None = None) -> HttpAnswer:
        """The successful answer; `limit` stands for the sender's own bound of bytes.

        Raises TaskFault: what a service answers is final, and so is what can't be sent or read.
        """
        try:
            async with asyncio.timeout(_LONGEST_CALL_SECONDS):
                return await self._exchange(request, limit or self._max_response_bytes)
        except TaskFault:
            raise
        except UnreadableResponse as error:
            raise _unreadable(request, error) from None
        except (TimeoutError, httpx.TimeoutException):
            raise _fault("timeout", f"{_name(request)} didn't answer in time") from None
        except httpx.HTTPError as error:
            kind = "configuration" if isinstance(error, _UNSENDABLE) else "communication"
            detail = f"{_name(request)} failed: {error or type(error).__name__}"
            raise _fault(kind, detail) from None
        except Exception as error:
            # What the libraries say of an odd address or header, each in its own way.
            raise _fault("configuration", f"{_name(request)} can't be called: {error}") from None

    async def _exchange(self, request: HttpRequest, limit: int) -> HttpAnswer:
        """The answer; an unsuccessful one is a fault, and isn't read.

        A redirect to another origin isn't told the credentials, nor any other secret.
        """
        sent = self._build(request)
        origin = _origin(sent.url)
        for _ in range(_MOST_REDIRECTS if request.redirect else 1):
            credentials = request.authentication if _origin(sent.url) == origin else None
            response = await self._authenticator.send(self._client, sent, credentials)
            try:
                if request.redirect and response.next_request is not None:
                    sent = response.next_request
                    if _origin(sent.url) != origin:
                        _forget(sent, request.secret_headers)
                        _require_no_secret(sent, request)
                    continue
                if not response.is_success:
                    phrase = _phrase(response.status_code)
                    detail = f"{_name(request)} answered {response.status_code} {phrase}".rstrip()
                    raise _fault("communication", detail, status=response.status_code)
                return HttpAnswer(response, await read_body(response, limit=limit))
            finally:
                await response.aclose()
        raise UnreadableResponse(f"answered more than {_MOST_REDIRECTS} redirects")

    def _build(self, request: HttpRequest) -> httpx.Request:
        headers = httpx.Headers(
            [(name.encode(), value.encode()) for name, value in request.headers]
        )
        if request.content_type:
            headers.setdefault("Content-Type", request.content_type)
        if request.idempotency_key is not None and request.method not in _SAFE_METHODS:
            headers.setdefault("Idempotency-Key", request.idempotency_key)
        url = httpx.URL(request.url)
        return self._client.build_request(
            request.method,
            url.copy_merge_params(list(request.query)) if request.query else url,
            headers=headers,
            content=request.content,
        )


def _forget(request: httpx.Request, headers: Collection[str]) -> None:
    """Takes out these headers, and those in which a secret stands."""
    holding = [name for name, value in request.headers.multi_items() if holds_secret(value)]
    for name in (*headers, *holding):
        request.headers.pop(name, None)


def _require_no_secret(redirected: httpx.Request, request: HttpRequest) -> None:
    """Raises TaskFault where the URL or the body would tell another origin a secret."""
    has_body = redirected.method == request.method and request.content is not None
    if has_body and holds_secret((request.content or b"").decode(errors="replace")):
        what = "body"
    elif holds_secret(str(redirected.url)):
        what = "URL"
    else:
        return
    detail = f"{_name(request)} answered a redirect to another origin, {redirected.url.host}, "
    detail += f"which would be told a secret: it stands in the {what}"
    raise _fault("authorization", detail)


def _origin(url: httpx.URL) -> tuple[str, str, int | None]:
    return url.scheme, url.host, url.port


def shown_url(url: str) -> str:
    """A URL as errors name it, without credentials and query; empty where it isn't one."""
    try:
        return str(httpx.URL(url).copy_with(userinfo=b"", query=None, fragment=None))
    except Exception:
        return ""


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""


def _name(request: HttpRequest) -> str:
    return f"{request.method} {shown_url(request.url)}".rstrip()


def _unreadable(request: HttpRequest, error: UnreadableResponse) -> TaskFault:
    return _fault("communication", f"{_name(request)} {error}")


def _fault(kind: str, detail: str, *, status: int | None = None) -> TaskFault:
    return TaskFault(WorkflowError.standard(kind, detail, status=status))
