"""Calls that authenticate, against a real authority and what it protects."""

import asyncio
import base64
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from temporalio.exceptions import ApplicationError

from biz.dsl.calls.http_call import HttpCall, HttpOutput
from biz.dsl.credentials import Credentials
from biz.dsl.errors import TaskFault
from tests.fixtures.activities import Recorded, perform
from tests.fixtures.authority import ASSERTION, CLIENT_ID, CLIENT_SECRET, EXCHANGE, Authority
from tests.fixtures.http_service import HttpService
from tests.fixtures.performers import new_performer
from tests.fixtures.workflows import Json, standard
from workflows.activities.authentication.authenticator import Authenticator, Authorization
from workflows.activities.authentication.token_request import TokenClient
from workflows.activities.authentication.tokens import TokenSource
from workflows.activities.http_calls.http_call import HttpActivities
from workflows.activities.http_calls.sender import HttpSender, new_http_client

FORM = "application/x-www-form-urlencoded"
CLIENT = {"id": CLIENT_ID, "secret": CLIENT_SECRET}
BASIC_CLIENT = {**CLIENT, "authentication": "client_secret_basic"}
USER = {"username": "ann", "password": "pa55word"}


@dataclass
class Caller:
    """Calls the API of an authority; `now` is the clock of the tokens."""

    authority: Authority
    client: httpx.AsyncClient
    now: float = 1000.0

    def __post_init__(self) -> None:
        tokens = TokenSource(client=TokenClient(client=self.client), clock=lambda: self.now)
        self.authenticator = Authenticator(tokens=tokens)
        self._activities = HttpActivities(
            performer=new_performer(Recorded()),
            sender=HttpSender(
                client=self.client, authenticator=self.authenticator, max_response_bytes=10_000
            ),
        )

    async def call(self, credentials: Credentials, path: str = "/api", **properties: Any) -> Any:
        """What the API answers."""
        defaults: dict[str, Any] = {
            "method": "GET",
            "uri": path if "://" in path else self.authority.url + path,
            "query": {},
            "headers": {},
            "body": None,
            "output": HttpOutput.CONTENT,
            "redirect": False,
            "idempotency_key": "run:/do/0/call:1",
        }
        call = HttpCall(authentication=credentials, **{**defaults, **properties})
        return await perform(self._activities.call, call)

    async def token(self, scheme: str = "oauth2", **changes: Any) -> str:
        """The token that the API was sent."""
        return str((await self.call(self.policy(scheme, **changes)))["token"])

    async def fault(self, credentials: Credentials, path: str = "/api", **properties: Any) -> Json:
        """The problem details of a call that fails for good."""
        with pytest.raises(ApplicationError) as caught:
            await self.call(credentials, path, **properties)
        assert caught.value.non_retryable
        return dict(caught.value.details[0])

    def policy(self, scheme: str = "oauth2", **changes: Any) -> Credentials:
        """A policy by which the authority issues a token."""
        plain = {"authority": self.authority.url, "grant": "client_credentials", "client": CLIENT}
        return Credentials(scheme=scheme, properties={**plain, **changes})


@pytest.fixture
async def caller(authority: Authority) -> AsyncIterator[Caller]:
    async with new_http_client(timeout_seconds=2) as client:
        yield Caller(authority, client)


@pytest.mark.parametrize(
    ("changes", "parameters"),
    [
        ({}, {}),
        ({"scopes": ["a", "b"]}, {"scope": "a b"}),
        ({"audiences": ["x"]}, {"audience": "x"}),
        ({"grant": "password", **USER}, USER),
        (
            {"grant": "refresh_token", "subject": {"token": "first-refresh", "type": "t"}},
            {"refresh_token": "first-refresh"},
        ),
        (
            {"grant": "authorization_code", "subject": {"token": "one-time-code", "type": "t"}},
            {"code": "one-time-code"},
        ),
        (
            {"grant": EXCHANGE, "subject": {"token": "subject-token", "type": "urn:a"}},
            {"subject_token": "subject-token", "subject_token_type": "urn:a"},
        ),
        (
            {
                "grant": EXCHANGE,
                "subject": {"token": "subject-token", "type": "urn:a"},
                "actor": {"token": "bob", "type": "urn:b"},
            },
            {
                "subject_token": "subject-token",
                "subject_token_type": "urn:a",
                "actor_token": "bob",
                "actor_token_type": "urn:b",
            },
        ),
    ],
)
@pytest.mark.parametrize("encoding", [FORM, "application/json"])
async def test_each_grant_has_its_parameters(
    caller: Caller, encoding: str, changes: Json, parameters: Json
) -> None:
    assert await caller.token(**changes, request={"encoding": encoding}) == "access-token-1"
    [request] = caller.authority.requests
    assert (request.path, request.encoding) == ("/oauth2/token", encoding)
    grant = changes.get("grant", "client_credentials")
    identity = {"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET}
    assert dict(request.parameters) == {"grant_type": grant, **identity, **parameters}


@pytest.mark.parametrize(
    ("encoding", "sent"),
    [
        (FORM, [("audience", "x"), ("audience", "y")]),
        ("application/json", [("audience", ["x", "y"])]),
    ],
)
async def test_several_audiences(caller: Caller, encoding: str, sent: list[Any]) -> None:
    await caller.token(audiences=["x", "y"], request={"encoding": encoding})
    [request] = caller.authority.requests
    assert [pair for pair in request.parameters if pair[0] == "audience"] == sent


@pytest.mark.parametrize(
    ("client", "names"),
    [
        (CLIENT, ["client_id", "client_secret"]),
        ({**CLIENT, "authentication": "client_secret_post"}, ["client_id", "client_secret"]),
        (BASIC_CLIENT, []),
        (
            {**CLIENT, "authentication": "client_secret_jwt"},
            ["client_assertion", "client_assertion_type", "client_id"],
        ),
        (
            {"id": "me", "assertion": ASSERTION, "authentication": "private_key_jwt"},
            ["client_assertion", "client_assertion_type", "client_id"],
        ),
        ({"id": "public", "secret": "unused", "authentication": "none"}, ["client_id"]),
        ({"authentication": "none"}, []),
        ({"id": "public"}, ["client_id"]),
    ],
)
async def test_each_authentication_of_a_client(
    caller: Caller, client: Json, names: list[str]
) -> None:
    assert await caller.token(client=client) == "access-token-1"
    [request] = caller.authority.requests
    assert sorted(dict(request.parameters).keys() - {"grant_type"}) == names
    assert bool(request.authorization) == (client.get("authentication") == "client_secret_basic")


@pytest.mark.parametrize(
    ("scheme", "base", "endpoints", "path"),
    [
        ("oauth2", "", {}, "/oauth2/token"),
        ("oauth2", "/realms/a/", {}, "/realms/a/oauth2/token"),
        ("oauth2", "/realms/a", {"token": "/auth/token"}, "/realms/a/auth/token"),
        ("oauth2", "/realms/a", {"token": "token"}, "/realms/a/token"),
        ("oidc", "", None, "/discovered/token"),
        ("oidc", "/", None, "/discovered/token"),
        ("oidc", "/.well-known/openid-configuration", None, "/discovered/token"),
    ],
)
async def test_where_tokens_are_had(
    caller: Caller, scheme: str, base: str, endpoints: Json | None, path: str
) -> None:
    changes = {} if endpoints is None else {"endpoints": endpoints}
    await caller.token(scheme, authority=caller.authority.url + base, **changes)
    assert [request.path for request in caller.authority.requests] == [path]


async def test_a_token_endpoint_may_be_somewhere_else(caller: Caller) -> None:
    endpoints = {"token": f"{caller.authority.url}/other/token"}
    await caller.token(authority="http://nobody.invalid", endpoints=endpoints)
    assert caller.authority.requests[0].path == "/other/token"


async def test_a_token_is_had_once_for_all_calls_of_a_policy(caller: Caller) -> None:
    caller.authority.delay = 0.1
    tokens = await asyncio.gather(*(caller.token() for _ in range(10)))
    assert set(tokens) == {"access-token-1"}
    assert len(caller.authority.requests) == 1


@pytest.mark.parametrize(
    "changes",
    [
        {"scopes": ["a"]},
        {"audiences": ["a"]},
        {"client": BASIC_CLIENT},
        {"grant": "password", **USER},
        {"endpoints": {"token": "/other/token"}},
        {"request": {"encoding": "application/json"}},
        {"issuers": ["a"]},
    ],
)
async def test_another_policy_has_another_token(caller: Caller, changes: Json) -> None:
    assert await caller.token() == "access-token-1"
    assert await caller.token(**changes) == "access-token-2"
    assert await caller.token() == "access-token-1"


@pytest.mark.parametrize(
    ("lifetime", "good", "stale"),
    [
        (3600, 3569, 3571),
        (100, 89, 91),
        ("100", 89, 91),
        (None, 269, 271),
        ("soon", 269, 271),
        ([], 269, 271),
        (-5, 0, 0),
    ],
)
async def test_a_token_is_used_until_shortly_before_it_expires(
    caller: Caller, lifetime: Any, good: int, stale: int
) -> None:
    caller.authority.lifetime = lifetime
    first = await caller.token()
    start = caller.now
    if good:
        caller.now = start + good
        assert await caller.token() == first
    caller.now = start + stale
    assert await caller.token() == "access-token-2"


async def test_only_so_many_tokens_are_kept(
    caller: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workflows.activities.authentication.tokens._MOST_KEPT", 2)
    for scope, number in (("a", 1), ("b", 2), ("a", 1), ("c", 3), ("a", 1), ("b", 4)):
        assert await caller.token(scopes=[scope]) == f"access-token-{number}"


async def test_an_expired_token_is_refreshed_where_that_can_be(caller: Caller) -> None:
    code = {"grant": "authorization_code", "subject": {"token": "one-time-code", "type": "t"}}
    caller.authority.lifetime = 100
    assert await caller.token(**code) == "access-token-1"
    for number in (2, 3):
        caller.now += 100
        assert await caller.token(**code) == f"access-token-{number}"
    grants = [request["grant_type"] for request in caller.authority.requests]
    assert grants == ["authorization_code", "refresh_token", "refresh_token"]
    assert caller.authority.requests[2]["refresh_token"] == "refresh-token-2"


async def test_a_refresh_token_that_isnt_taken_gives_way_to_the_grant(caller: Caller) -> None:
    caller.authority.lifetime = 100
    await caller.token(grant="password", **USER)
    caller.authority.refresh_tokens.clear()
    caller.now += 100
    assert await caller.token(grant="password", **USER) == "access-token-3"
    grants = [request["grant_type"] for request in caller.authority.requests]
    assert grants == ["password", "refresh_token", "password"]


async def test_a_refused_token_is_had_anew_once(caller: Caller) -> None:
    assert await caller.token() == "access-token-1"
    caller.authority.revoke()
    answer = await caller.call(caller.policy(), method="POST", body={"a": 1})
    assert answer == {"token": "access-token-2", "sent": '{"a": 1}'}
    assert await caller.token() == "access-token-2"


async def test_calls_whose_token_is_refused_have_one_new_one(caller: Caller) -> None:
    await caller.token()
    caller.authority.revoke()
    caller.authority.delay = 0.1
    tokens = await asyncio.gather(*(caller.token() for _ in range(5)))
    assert set(tokens) == {"access-token-2"}


async def test_a_service_that_refuses_every_token_is_asked_twice(caller: Caller) -> None:
    caller.authority.refuses = True
    error = await caller.fault(caller.policy())
    assert (error["type"], error["status"]) == (standard("communication"), 401)
    sent = ["Bearer access-token-1", "Bearer access-token-2"]
    assert caller.authority.calls == sent


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"client": {**CLIENT, "secret": "wrong-secret"}}, "answered 401: invalid_client"),
        (
            {"client": {**BASIC_CLIENT, "secret": "wrong-secret"}},
            "answered 401: invalid_client",
        ),
        (
            {"grant": "password", "username": "ann", "password": "wrong-password"},
            "answered 400: invalid_grant",
        ),
        (
            {"grant": "refresh_token", "subject": {"token": "stale-token", "type": "t"}},
            "answered 400: invalid_grant",
        ),
    ],
)
async def test_wrong_credentials_are_an_authentication_error(
    caller: Caller, changes: Json, told: str
) -> None:
    error = await caller.fault(caller.policy(**changes))
    assert (error["type"], error["status"]) == (standard("authentication"), 401)
    url = f"{caller.authority.url}/oauth2/token"
    assert error["detail"] == f"the token endpoint {url} {told}"
    assert caller.authority.calls == []


@pytest.mark.parametrize(
    ("scheme", "place", "told"),
    [
        ("oauth2", "/odd/text", "answered something else than a JSON object"),
        ("oauth2", "/odd/list", "answered something else than a JSON object"),
        ("oauth2", "/odd/empty", "has no access_token"),
        ("oauth2", "/odd/large", "answered more than 100000 bytes"),
        ("oauth2", "/odd/mac", "isn't a bearer's"),
        ("oauth2", "/odd/redirect", "answered 302"),
        ("oauth2", "/odd/hang-up", "failed"),
        ("oauth2", "/missing", "answered 404"),
        ("oidc", "/bare", "names no token endpoint"),
        ("oidc", "/missing", "answered 404"),
    ],
)
async def test_an_authority_that_answers_something_else(
    caller: Caller, scheme: str, place: str, told: str
) -> None:
    endpoints = {"token": "/nothing" if place == "/missing" else "/token"}
    changes = {"endpoints": endpoints} if scheme == "oauth2" else {}
    policy = caller.policy(scheme, authority=caller.authority.url + place, **changes)
    error = await caller.fault(policy)
    assert (error["type"], error["status"]) == (standard("authentication"), 401)
    assert told in error["detail"]


@pytest.mark.parametrize(
    "address",
    ["http://127.0.0.1:1", "ftp://a.test", "http://[", "nowhere", f"http://{'a' * 70}.test"],
)
@pytest.mark.parametrize("scheme", ["oauth2", "oidc"])
async def test_an_authority_that_cant_be_reached(caller: Caller, scheme: str, address: str) -> None:
    error = await caller.fault(caller.policy(scheme, authority=address))
    assert (error["type"], error["status"]) == (standard("authentication"), 401)


async def test_an_endpoint_that_is_neither_http_nor_https(caller: Caller) -> None:
    error = await caller.fault(caller.policy(endpoints={"token": "file:///etc/passwd"}))
    assert error["type"] == standard("authentication")
    assert error["detail"].endswith("can't be asked: only http and https are spoken")


async def test_an_authority_that_is_silent(caller: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("workflows.activities.authentication.token_request._MAX_SECONDS", 0.1)
    caller.authority.delay = 1
    error = await caller.fault(caller.policy())
    assert error["detail"] == f"the authority {caller.authority.url} didn't answer in time"


async def test_the_issuer_of_a_token_that_tells_it(caller: Caller) -> None:
    caller.authority.issuer = "https://issuer.test"
    assert await caller.token(issuers=["https://other.test", "https://issuer.test"])
    error = await caller.fault(caller.policy(issuers=["https://other.test"]))
    assert error["type"] == standard("authentication")
    assert "isn't among the issuers" in error["detail"]


async def test_a_secret_too_short_to_sign(caller: Caller) -> None:
    client = {"id": "me", "secret": "", "authentication": "client_secret_jwt"}
    error = await caller.fault(caller.policy(client=client))
    assert error["detail"] == "the client's secret can't sign an assertion"


@pytest.mark.parametrize("algorithm", ["MD5", "SHA-256"])
async def test_a_digest_answers_the_challenge(caller: Caller, algorithm: str) -> None:
    credentials = Credentials(scheme="digest", properties=USER)
    path = f"/digest/{algorithm}"
    assert await caller.call(credentials, path) == {"user": "ann"}
    assert await caller.call(credentials, path, method="POST", body="text") == {"user": "ann"}
    assert len(caller.authority.calls) == 4


async def test_a_digest_of_a_wrong_password(caller: Caller) -> None:
    wrong = Credentials(scheme="digest", properties={**USER, "password": "wrong"})
    error = await caller.fault(wrong, "/digest/MD5")
    assert (error["type"], error["status"]) == (standard("communication"), 401)
    assert "wrong" not in error["detail"]


@pytest.mark.parametrize(
    ("scheme", "properties"), [("digest", {"username": "ann"}), ("oauth2", {}), ("basic", "text")]
)
async def test_properties_that_are_missing(caller: Caller, scheme: str, properties: Any) -> None:
    error = await caller.fault(Credentials(scheme=scheme, properties=properties))
    assert (error["type"], error["status"]) == (standard("authentication"), 401)
    assert caller.authority.calls == []


async def test_a_redirect_to_another_origin_is_told_no_credentials(
    caller: Caller, http_service: HttpService
) -> None:
    uri = f"{http_service.url}/redirect"
    answer = await caller.call(caller.policy(), uri, redirect=True)
    assert answer["headers"]["authorization"] == "Bearer access-token-1"
    http_service.elsewhere = f"{caller.authority.url}/api"
    error = await caller.fault(caller.policy(), f"{http_service.url}/elsewhere", redirect=True)
    assert error["status"] == 401
    assert caller.authority.calls == [""]


@pytest.mark.parametrize(
    ("scheme", "properties", "expected"),
    [
        ("bearer", {"token": "abc"}, Authorization("Bearer", "abc")),
        (
            "basic",
            {"username": "ann", "password": "grün"},
            Authorization("Basic", base64.b64encode("ann:grün".encode()).decode()),
        ),
    ],
)
async def test_what_other_protocols_send(
    caller: Caller, scheme: str, properties: Json, expected: Authorization
) -> None:
    credentials = Credentials(scheme=scheme, properties=properties)
    assert await caller.authenticator.authorization(credentials) == expected


async def test_other_protocols_send_tokens_too(caller: Caller) -> None:
    for scheme, number in (("oauth2", 1), ("oidc", 2)):
        found = await caller.authenticator.authorization(caller.policy(scheme))
        assert found == Authorization("Bearer", f"access-token-{number}")


async def test_other_protocols_send_no_digest(caller: Caller) -> None:
    with pytest.raises(TaskFault) as raised:
        await caller.authenticator.authorization(Credentials(scheme="digest", properties=USER))
    assert raised.value.error.type == standard("configuration")
