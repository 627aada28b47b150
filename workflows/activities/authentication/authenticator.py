"""Authenticates calls (DSL reference, "Authentication")."""

import base64
from collections.abc import AsyncGenerator
from dataclasses import dataclass

import httpx

from biz.dsl.credentials import OAUTH2_SCHEMES, Credentials
from biz.dsl.errors import TaskFault, WorkflowError
from biz.dsl.oauth2 import OAuth2Policy
from workflows.activities.authentication.tokens import TokenSource
from workflows.activities.redaction import keep_secret

_UNAUTHORIZED = 401


@dataclass(frozen=True, slots=True)
class Authorization:
    """DSL, "Authorization Descriptor": what stands in the header of that name."""

    scheme: str
    parameter: str


class Authenticator:
    """Makes of credentials what a protocol sends. One is there for all calls of a worker."""

    def __init__(self, *, tokens: TokenSource) -> None:
        self._tokens = tokens

    async def authorization(self, credentials: Credentials) -> Authorization:
        """The scheme and its parameter, for protocols that send just these; raises TaskFault."""
        credentials.require_valid()
        if credentials.scheme in OAUTH2_SCHEMES:
            return Authorization("Bearer", await self._tokens.get(credentials.oauth2()))
        properties = credentials.properties
        if credentials.scheme == "bearer":
            return Authorization("Bearer", properties["token"])
        if credentials.scheme == "basic":
            login = f"{properties['username']}:{properties['password']}"
            parameter = base64.b64encode(login.encode()).decode()
            keep_secret(parameter)
            return Authorization("Basic", parameter)
        if credentials.scheme == "digest":
            detail = "a digest is made for each request over HTTP, and for nothing else"
        else:
            detail = f"{credentials.scheme} authentication isn't supported"
        raise TaskFault(WorkflowError.standard("configuration", detail))

    async def send(
        self, client: httpx.AsyncClient, request: httpx.Request, credentials: Credentials | None
    ) -> httpx.Response:
        """Sends a request, and again where a challenge or a stale token asks for that.

        The response is not read yet. Raises TaskFault, and what the client raises.
        """
        flow = (await self._auth(credentials)).async_auth_flow(request)
        try:
            sent = await anext(flow)
            while True:
                response = await client.send(sent, stream=True)
                try:
                    sent = await flow.asend(response)
                except StopAsyncIteration:
                    return response
                except BaseException:
                    await response.aclose()
                    raise
                await response.aclose()
        finally:
            await flow.aclose()

    async def _auth(self, credentials: Credentials | None) -> httpx.Auth:
        if credentials is None:
            return httpx.Auth()
        if credentials.scheme == "digest":
            credentials.require_valid()
            properties = credentials.properties
            return httpx.DigestAuth(properties["username"], properties["password"])
        if credentials.scheme in OAUTH2_SCHEMES:
            return _TokenAuth(self._tokens, credentials.oauth2())
        return _HeaderAuth(await self.authorization(credentials))


class _HeaderAuth(httpx.Auth):
    """Sends what is known."""

    def __init__(self, authorization: Authorization) -> None:
        self._value = f"{authorization.scheme} {authorization.parameter}"

    async def async_auth_flow(
        self, request: httpx.Request
    ) -> AsyncGenerator[httpx.Request, httpx.Response]:
        request.headers["Authorization"] = self._value
        yield request


class _TokenAuth(httpx.Auth):
    """Sends a token, and another one where that isn't taken."""

    def __init__(self, tokens: TokenSource, policy: OAuth2Policy) -> None:
        self._tokens = tokens
        self._policy = policy

    async def async_auth_flow(
        self, request: httpx.Request
    ) -> AsyncGenerator[httpx.Request, httpx.Response]:
        token = await self._tokens.get(self._policy)
        request.headers["Authorization"] = f"Bearer {token}"
        response = yield request
        if response.status_code == _UNAUTHORIZED:
            token = await self._tokens.get(self._policy, instead_of=token)
            request.headers["Authorization"] = f"Bearer {token}"
            yield request
