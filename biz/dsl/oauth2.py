"""DSL reference, "OAUTH2 Authentication" and "OpenIdConnect Authentication": their properties."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from biz.dsl.json_types import NAMES, describe

TOKEN_EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"
GRANTS = ("authorization_code", "client_credentials", "password", "refresh_token", TOKEN_EXCHANGE)
CLIENT_AUTHENTICATIONS = (
    "client_secret_post",
    "client_secret_basic",
    "client_secret_jwt",
    "private_key_jwt",
    "none",
)
"""How a client may authenticate; the first one is the standard's default."""

FORM = "application/x-www-form-urlencoded"
ENCODINGS = (FORM, "application/json")
TOKEN_PATH = "/oauth2/token"

REQUIRED = ("authority", "grant")
TEXTS = ("username", "password")
LISTS = ("issuers", "scopes", "audiences")
TOKENS = ("subject", "actor")
CLIENT_TEXTS = ("id", "secret", "assertion")

_NEEDED_OF_GRANTS: Mapping[str, Mapping[str, str]] = {
    "password": {"username": "", "password": ""},
    "refresh_token": {"subject": ", whose token is the refresh token"},
    "authorization_code": {"subject": ", whose token is the code"},
    TOKEN_EXCHANGE: {"subject": ", whose token is exchanged"},
}
"""What a grant can't do without, and what is to be said of it."""


class InvalidPolicy(Exception):
    """The properties make no policy; the message says why, and shows no value."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """Who asks for a token; texts are empty where nothing is given."""

    id: str
    secret: str
    assertion: str
    authentication: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OAuth2Token:
    """DSL reference, "OAUTH2 Token"."""

    token: str
    type: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OAuth2Policy:
    """How a token is had. `token_endpoint` is empty where the authority tells it by discovery."""

    authority: str
    token_endpoint: str
    grant: str
    client: Client
    encoding: str
    issuers: Sequence[str]
    scopes: Sequence[str]
    audiences: Sequence[str]
    username: str
    password: str
    subject: OAuth2Token | None
    actor: OAuth2Token | None

    @classmethod
    def of(cls, properties: Any, *, by_discovery: bool) -> OAuth2Policy:
        """The policy of evaluated properties, or of a secret. Raises InvalidPolicy."""
        fields = _Fields(properties, "")
        client = fields.object("client")
        policy = cls(
            authority=fields.text("authority"),
            token_endpoint=""
            if by_discovery
            else fields.object("endpoints").text("token", default=TOKEN_PATH),
            grant=fields.choice("grant", GRANTS),
            client=Client(
                id=client.text("id", default=""),
                secret=client.text("secret", default=""),
                assertion=client.text("assertion", default=""),
                authentication=client.choice(
                    "authentication", CLIENT_AUTHENTICATIONS, default=CLIENT_AUTHENTICATIONS[0]
                ),
            ),
            encoding=fields.object("request").choice("encoding", ENCODINGS, default=FORM),
            issuers=fields.texts("issuers"),
            scopes=fields.texts("scopes"),
            audiences=fields.texts("audiences"),
            username=fields.text("username", default=""),
            password=fields.text("password", default=""),
            subject=fields.token("subject"),
            actor=fields.token("actor"),
        )
        for message in missing(properties):
            raise InvalidPolicy(message)
        return policy


def missing(properties: Mapping[str, Any]) -> Iterator[str]:
    """What a policy lacks for its grant or its client's authentication, each as a message."""
    client = properties.get("client")
    client = client if isinstance(client, dict) else {}
    authentication = client.get("authentication", CLIENT_AUTHENTICATIONS[0])
    if authentication != "none" and "id" not in client:
        yield f'"client.id" is missing, which {authentication} needs'
    if authentication == "private_key_jwt" and "assertion" not in client:
        yield '"client.assertion" is missing, which private_key_jwt needs'
    if authentication == "client_secret_jwt" and not client.keys() & {"secret", "assertion"}:
        yield '"client.secret" is missing, which client_secret_jwt needs'
    grant = properties.get("grant")
    for name, explanation in _NEEDED_OF_GRANTS.get(str(grant), {}).items():
        if name not in properties:
            yield f'"{name}" is missing, which the grant {grant} needs{explanation}'


class _Fields:
    """The properties of an object, read with their types. Each method raises InvalidPolicy."""

    def __init__(self, value: Any, place: str) -> None:
        if not isinstance(value, dict):
            what = f'"{place}"' if place else "an oauth2 or oidc authentication"
            raise InvalidPolicy(f"{what} must be an object, not {describe(value)}")
        self._value = value
        self._place = place

    def text(self, name: str, default: str | None = None) -> str:
        return str(self._get(name, str, default))

    def choice(self, name: str, choices: Sequence[str], default: str | None = None) -> str:
        text = self.text(name, default)
        if text not in choices:
            raise InvalidPolicy(f'"{self._path(name)}" must be one of {", ".join(choices)}')
        return text

    def texts(self, name: str) -> Sequence[str]:
        texts = self._get(name, list, [])
        if not all(isinstance(text, str) for text in texts):
            raise InvalidPolicy(f'"{self._path(name)}" must be an array of strings')
        return tuple(texts)

    def object(self, name: str) -> _Fields:
        return _Fields(self._get(name, dict, {}), self._path(name))

    def token(self, name: str) -> OAuth2Token | None:
        if name not in self._value:
            return None
        token = self.object(name)
        return OAuth2Token(token=token.text("token"), type=token.text("type"))

    def _get(self, name: str, kind: type, default: Any) -> Any:
        value = self._value.get(name, default)
        if not isinstance(value, kind):
            if name not in self._value:
                raise InvalidPolicy(f'"{self._path(name)}" is missing')
            found = describe(value)
            raise InvalidPolicy(f'"{self._path(name)}" must be {NAMES[kind]}, not {found}')
        return value

    def _path(self, name: str) -> str:
        return f"{self._place}.{name}" if self._place else name
