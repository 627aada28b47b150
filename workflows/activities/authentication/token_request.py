"""Asks authorities for tokens: OAuth 2.0 (RFC 6749, 8693, 7523) and OpenID Connect Discovery."""

import asyncio
import base64
import json
import re
import time
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote_plus, urlencode

import httpx
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import OctKey
from joserfc.jws import extract_compact

from biz.dsl.errors import TaskFault, WorkflowError
from biz.dsl.oauth2 import FORM, TOKEN_EXCHANGE, Client, OAuth2Policy
from workflows.activities.http_calls.response import UnreadableResponse, read_body
from workflows.activities.redaction import keep_secret

_DISCOVERY = "/.well-known/openid-configuration"
_ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
_MAX_ANSWER_BYTES = 100_000
_MAX_SECONDS = 60
_ASSERTION_SECONDS = 60
_ERROR_CODE = re.compile(r"[a-z_]{1,50}")
_LONGEST_LIFE_SECONDS = 86_400
_ACCEPT = {"Accept": "application/json"}

Parameters = Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class IssuedToken:
    """An access token. `seconds` is how long it is good, `refresh` its refresh token, if known."""

    access: str
    seconds: float | None
    refresh: str


class TokenClient:
    """Makes the requests for tokens. Each method raises TaskFault with an authentication error."""

    def __init__(self, *, client: httpx.AsyncClient) -> None:
        self._client = client

    async def request(self, policy: OAuth2Policy) -> IssuedToken:
        """A token by the grant of the policy."""
        return await self._token(policy, policy.grant, _parameters_of_grant(policy))

    async def refresh(self, policy: OAuth2Policy, token: str) -> IssuedToken:
        """A token by a refresh token."""
        return await self._token(policy, "refresh_token", [("refresh_token", token)])

    async def _token(self, policy: OAuth2Policy, grant: str, own: Parameters) -> IssuedToken:
        try:
            async with asyncio.timeout(_MAX_SECONDS):
                endpoint = await self._endpoint(policy)
                headers, identity = _client_authentication(policy, endpoint)
                parameters = [("grant_type", grant), *own, *identity, *_scope(policy)]
                request = self._request(
                    "POST",
                    endpoint,
                    content=_encode(parameters, policy.encoding),
                    headers={**_ACCEPT, "Content-Type": policy.encoding, **headers},
                )
                answer = await self._answer(request, "the token endpoint")
        except TimeoutError:
            authority = _shown(policy.authority)
            raise _fault(f"the authority {authority} didn't answer in time") from None
        return _issued(answer, policy)

    async def _endpoint(self, policy: OAuth2Policy) -> str:
        """Where tokens are had: as the policy says, or the authority's own configuration."""
        authority = policy.authority.rstrip("/")
        if policy.token_endpoint:
            if "://" in policy.token_endpoint:
                return policy.token_endpoint
            return f"{authority}/{policy.token_endpoint.lstrip('/')}"
        url = authority if authority.endswith(_DISCOVERY) else authority + _DISCOVERY
        answer = await self._answer(self._request("GET", url, headers=_ACCEPT), "the authority")
        endpoint = answer.get("token_endpoint")
        if not isinstance(endpoint, str):
            raise _fault(f"the authority {_shown(url)} names no token endpoint")
        return endpoint

    async def _answer(self, request: httpx.Request, who: str) -> Mapping[str, Any]:
        """The JSON object that a successful answer holds; `who` is asked."""
        who = f"{who} {_shown(str(request.url))}"
        try:
            response = await self._client.send(request, stream=True)
            try:
                content = await read_body(response, limit=_MAX_ANSWER_BYTES)
            finally:
                await response.aclose()
        except UnreadableResponse as error:
            raise _fault(f"{who} {error}") from None
        except httpx.HTTPError as error:
            raise _fault(f"{who} failed: {error or type(error).__name__}") from None
        except Exception as error:
            raise _fault(f"{who} can't be asked: {error}") from None
        answer = _json_object(content)
        if not response.is_success:
            code = (answer or {}).get("error")
            told = f": {code}" if isinstance(code, str) and _ERROR_CODE.fullmatch(code) else ""
            raise _fault(f"{who} answered {response.status_code}{told}")
        if answer is None:
            raise _fault(f"{who} answered something else than a JSON object")
        return answer

    def _request(self, method: str, url: str, **properties: Any) -> httpx.Request:
        try:
            request = self._client.build_request(method, url, **properties)
        except Exception:
            raise _fault(f'"{_shown(url)}" is no address of an authority') from None
        if request.url.scheme not in ("http", "https"):
            raise _fault(f'"{_shown(url)}" can\'t be asked: only http and https are spoken')
        return request


def _parameters_of_grant(policy: OAuth2Policy) -> Parameters:
    subject = policy.subject.token if policy.subject else ""
    match policy.grant:
        case "password":
            return [("username", policy.username), ("password", policy.password)]
        case "refresh_token":
            return [("refresh_token", subject)]
        case "authorization_code":
            return [("code", subject)]
        case grant if grant == TOKEN_EXCHANGE:
            return [
                (f"{name}_{key}", value)
                for name, token in (("subject", policy.subject), ("actor", policy.actor))
                if token is not None
                for key, value in (("token", token.token), ("token_type", token.type))
            ]
    return []


def _client_authentication(
    policy: OAuth2Policy, endpoint: str
) -> tuple[Mapping[str, str], Parameters]:
    """The headers and parameters by which the client tells who it is."""
    client = policy.client
    match client.authentication:
        case "client_secret_basic":
            login = f"{quote_plus(client.id)}:{quote_plus(client.secret)}"
            encoded = base64.b64encode(login.encode()).decode()
            keep_secret(encoded)
            return {"Authorization": f"Basic {encoded}"}, []
        case "client_secret_jwt" | "private_key_jwt":
            assertion = client.assertion or _signed(client, endpoint)
            return {}, [
                ("client_id", client.id),
                ("client_assertion_type", _ASSERTION_TYPE),
                ("client_assertion", assertion),
            ]
    known = [("client_id", client.id), ("client_secret", client.secret)]
    if client.authentication == "none":
        known = known[:1]
    return {}, [(name, value) for name, value in known if value]


def _signed(client: Client, endpoint: str) -> str:
    """An assertion by the client's secret (OpenID Connect Core, 9)."""
    now = int(time.time())
    claims = {
        "iss": client.id,
        "sub": client.id,
        "aud": endpoint,
        "jti": uuid.uuid4().hex,
        "iat": now,
        "exp": now + _ASSERTION_SECONDS,
    }
    try:
        return jwt.encode({"alg": "HS256"}, claims, OctKey.import_key(client.secret))
    except (JoseError, ValueError):
        raise _fault("the client's secret can't sign an assertion") from None


def _scope(policy: OAuth2Policy) -> Parameters:
    scope = [("scope", " ".join(policy.scopes))] if policy.scopes else []
    return [*scope, *(("audience", audience) for audience in policy.audiences)]


def _encode(parameters: Parameters, encoding: str) -> bytes:
    """A form, in which a name may stand several times, or an object with arrays for these."""
    if encoding == FORM:
        return urlencode(parameters).encode()
    values: dict[str, Any] = {}
    for name, value in parameters:
        if name not in values:
            values[name] = value
        elif isinstance(values[name], list):
            values[name].append(value)
        else:
            values[name] = [values[name], value]
    return json.dumps(values).encode()


def _issued(answer: Mapping[str, Any], policy: OAuth2Policy) -> IssuedToken:
    """The token of an answer (RFC 6749, 5.1)."""
    access, kind = answer.get("access_token"), answer.get("token_type", "Bearer")
    if not isinstance(access, str) or not access:
        raise _fault("the token endpoint's answer has no access_token")
    keep_secret(access)
    if str(kind).lower() not in ("bearer", "n_a"):
        raise _fault("the token endpoint's answer has a token that isn't a bearer's")
    _check_issuer(access, policy.issuers)
    refresh = answer.get("refresh_token")
    refresh = refresh if isinstance(refresh, str) else ""
    keep_secret(refresh)
    return IssuedToken(access=access, seconds=_seconds(answer.get("expires_in")), refresh=refresh)


def _seconds(value: Any) -> float | None:
    """How long a token is good; some authorities write the number as a text."""
    try:
        seconds = float(value)
    except (TypeError, ValueError):
        return None
    return min(max(seconds, 0.0), _LONGEST_LIFE_SECONDS) if seconds == seconds else None


def _check_issuer(token: str, issuers: Sequence[str]) -> None:
    """Of a token that is a JWT; it came from its issuer directly, so its signature isn't needed."""
    if not issuers:
        return
    try:
        claims = _json_object(extract_compact(token.encode()).payload)
    except (JoseError, ValueError):
        return
    if claims is not None and claims.get("iss") not in issuers:
        raise _fault("the token was issued by somebody that isn't among the issuers")


def _json_object(content: bytes) -> Mapping[str, Any] | None:
    try:
        value = json.loads(content)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _shown(url: str) -> str:
    """A URL without credentials and query; as it is where it isn't one."""
    try:
        return str(httpx.URL(url).copy_with(userinfo=b"", query=None, fragment=None))
    except Exception:
        return url


def _fault(detail: str) -> TaskFault:
    return TaskFault(WorkflowError.standard("authentication", detail))
