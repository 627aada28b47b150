"""OAuth2 and OpenIdConnect policies: what is refused when saved, and what when a call is made."""

from typing import Any

import pytest

from biz.dsl.credentials import Credentials
from biz.dsl.errors import TaskFault
from biz.dsl.oauth2 import TOKEN_EXCHANGE
from tests.fixtures.workflows import Json, World, fault_of, faults, standard, workflow

PLAIN = {"authority": "https://auth.test", "grant": "client_credentials", "client": {"id": "me"}}
TOKEN = {"token": "abc", "type": "t"}
FULL = {
    **PLAIN,
    "grant": "password",
    "client": {"id": "me", "secret": "x", "assertion": "y", "authentication": "none"},
    "request": {"encoding": "application/json"},
    "issuers": ["a"],
    "scopes": ["b", "${ .c }"],
    "audiences": [],
    "username": "${ .user }",
    "password": "p",
    "subject": TOKEN,
    "actor": {"token": "${ .t }", "type": "t"},
}
ENDPOINTS = {"token": "/t", "revocation": "/r", "introspection": "${ .i }"}


def call(policy: Json) -> Json:
    endpoint = {"uri": "https://pets.test", "authentication": policy}
    return workflow({"call": {"call": "http", "with": {"method": "get", "endpoint": endpoint}}})


@pytest.mark.parametrize("scheme", ["oauth2", "oidc"])
@pytest.mark.parametrize("policy", [PLAIN, FULL, {**PLAIN, "authority": "https://{host}/x"}])
def test_a_policy(scheme: str, policy: Json) -> None:
    assert faults(call({scheme: policy})) == []


def test_only_oauth2_has_endpoints() -> None:
    policy = {**PLAIN, "endpoints": ENDPOINTS}
    assert faults(call({"oauth2": policy})) == []
    pointer = "/do/0/call/with/endpoint/authentication/oidc/endpoints"
    assert faults(call({"oidc": policy})) == [("unknown-property", pointer)]


@pytest.mark.parametrize(
    ("changes", "code", "place"),
    [
        ({"authority": "${ .x }"}, "invalid-uri", "/authority"),
        ({"authority": "{+x}"}, "invalid-uri-template", "/authority"),
        ({"authority": 1}, "wrong-type", "/authority"),
        ({"grant": "implicit"}, "invalid-value", "/grant"),
        ({"client": {"id": 1}}, "wrong-type", "/client/id"),
        ({"client": {"id": "a", "name": "b"}}, "unknown-property", "/client/name"),
        (
            {"client": {"id": "a", "authentication": "tls"}},
            "invalid-value",
            "/client/authentication",
        ),
        ({"request": {"encoding": "text/xml"}}, "invalid-value", "/request/encoding"),
        ({"request": {"x": 1}}, "ignored-property", "/request/x"),
        ({"endpoints": {"token": 1}}, "wrong-type", "/endpoints/token"),
        ({"endpoints": {"token": "{"}}, "invalid-uri-template", "/endpoints/token"),
        ({"endpoints": {"jwks": "/k"}}, "ignored-property", "/endpoints/jwks"),
        ({"issuers": "a"}, "wrong-type", "/issuers"),
        ({"scopes": [1]}, "wrong-type", "/scopes/0"),
        ({"audiences": {}}, "wrong-type", "/audiences"),
        ({"username": None}, "wrong-type", "/username"),
        ({"subject": {"token": "a"}}, "missing-property", "/subject"),
        ({"actor": {**TOKEN, "x": 1}}, "unknown-property", "/actor/x"),
        ({"scope": "a"}, "unknown-property", "/scope"),
        ({"password": "${ | }"}, "invalid-expression", "/password"),
        ({"client": {}}, "incomplete-authentication", ""),
        (
            {"client": {"id": "a", "authentication": "private_key_jwt"}},
            "incomplete-authentication",
            "",
        ),
        (
            {"client": {"id": "a", "authentication": "client_secret_jwt"}},
            "incomplete-authentication",
            "",
        ),
        ({"grant": "password", "password": "p"}, "incomplete-authentication", ""),
        ({"grant": "refresh_token"}, "incomplete-authentication", ""),
        ({"grant": "authorization_code"}, "incomplete-authentication", ""),
        ({"grant": TOKEN_EXCHANGE}, "incomplete-authentication", ""),
    ],
)
def test_what_is_no_policy(changes: Json, code: str, place: str) -> None:
    pointer = f"/do/0/call/with/endpoint/authentication/oauth2{place}"
    assert faults(call({"oauth2": {**PLAIN, **changes}})) == [(code, pointer)]


async def test_a_call_carries_the_evaluated_policy() -> None:
    world = World(answer=lambda call: None)
    policy = {
        **FULL,
        "authority": "https://{host}",
        "endpoints": {**ENDPOINTS, "token": "${ .path }"},
    }
    given = {"c": "C", "user": "ann", "t": "T", "host": "auth.test", "path": "/p", "i": "/i"}
    await world.run(call({"oauth2": policy}), given)
    expected = {
        **FULL,
        "authority": "https://auth.test",
        "endpoints": {"token": "/p"},
        "scopes": ["b", "C"],
        "username": "ann",
        "actor": {"token": "T", "type": "t"},
    }
    assert world.calls[0].authentication == Credentials(scheme="oauth2", properties=expected)


async def test_an_expression_that_gives_no_string_is_an_authentication_error() -> None:
    error = await fault_of(call({"oidc": FULL}), {"user": 1, "c": "c", "t": "t"})
    assert (error.type, error.status) == (standard("authentication"), 401)
    assert '"username" must be a string, not a number' in error.detail


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("text", "must be an object, not a string"),
        ({"grant": "password"}, '"authority" is missing'),
        ({**PLAIN, "grant": "other"}, '"grant" must be one of authorization_code'),
        ({**PLAIN, "client": 1}, '"client" must be an object, not a number'),
        ({**PLAIN, "client": {"secret": None}}, '"client.secret" must be a string, not null'),
        ({**PLAIN, "scopes": ["a", 1]}, '"scopes" must be an array of strings'),
        ({**PLAIN, "subject": {"token": "a"}}, '"subject.type" is missing'),
        ({**PLAIN, "grant": "refresh_token"}, '"subject" is missing'),
        ({**PLAIN, "endpoints": {"token": []}}, '"endpoints.token" must be a string'),
        ({**PLAIN, "request": {"encoding": "x"}}, '"request.encoding" must be one of'),
    ],
)
def test_a_secret_that_holds_no_policy(value: Any, message: str) -> None:
    credentials = Credentials(scheme="oauth2", properties=value)
    with pytest.raises(TaskFault) as raised:
        credentials.require_valid()
    assert message in raised.value.error.detail


def test_what_a_policy_leaves_out_is_the_standards_default() -> None:
    policy = Credentials(scheme="oauth2", properties=PLAIN).oauth2()
    assert policy.token_endpoint == "/oauth2/token"
    assert policy.encoding == "application/x-www-form-urlencoded"
    assert policy.client.authentication == "client_secret_post"
    assert Credentials(scheme="oidc", properties=PLAIN).oauth2().token_endpoint == ""
