"""OAuth2 and OpenIdConnect policies of a definition (DSL reference, "OAUTH2 Authentication")."""

from __future__ import annotations

from collections.abc import Mapping

from biz.dsl.expressions import is_evaluated
from biz.dsl.model import Evaluable
from biz.dsl.oauth2 import (
    CLIENT_AUTHENTICATIONS,
    CLIENT_TEXTS,
    ENCODINGS,
    GRANTS,
    LISTS,
    REQUIRED,
    TEXTS,
    TOKENS,
    missing,
)
from biz.dsl.reading.reader import Node
from biz.dsl.uri_templates import read_template
from biz.dsl.values import ObjectValue, read_expression, read_value

_ENDPOINTS = ("token", "revocation", "introspection")


def read_oauth2(node: Node, scheme: str, variables: frozenset[str]) -> Evaluable:
    """The properties of a policy; `scheme` is "oauth2", or "oidc", which has no endpoints."""
    own = ("endpoints",) if scheme == "oauth2" else ()
    optional = ("client", "request", *LISTS, *TEXTS, *TOKENS, *own)
    fields = node.object(required=REQUIRED, optional=optional)
    _check(fields)
    if isinstance(node.value, dict):
        for message in missing(node.value):
            node.error("incomplete-authentication", message)
    values: dict[str, Evaluable] = {
        name: read_value(field, variables)
        for name, field in fields.items()
        if name not in ("authority", "endpoints")
    }
    values["authority"] = read_template(fields["authority"])
    if "endpoints" in fields:
        values["endpoints"] = _read_endpoints(fields["endpoints"], variables)
    return ObjectValue(values)


def _check(fields: Mapping[str, Node]) -> None:
    fields["grant"].choice(*GRANTS)
    for name in TEXTS:
        if name in fields:
            fields[name].string()
    for name in LISTS:
        for item in fields[name].array() if name in fields else ():
            item.string()
    for name in TOKENS:
        if name in fields:
            for value in fields[name].object(required=("token", "type")).values():
                value.string()
    if "client" in fields:
        client = fields["client"].object(optional=(*CLIENT_TEXTS, "authentication"))
        for name, value in client.items():
            if name in CLIENT_TEXTS:
                value.string()
            else:
                value.choice(*CLIENT_AUTHENTICATIONS)
    if "request" in fields:
        for name, value in fields["request"].mapping().items():
            if name == "encoding":
                value.choice(*ENCODINGS)
            else:
                value.warning("ignored-property", "a token request has nothing but an encoding")


def _read_endpoints(node: Node, variables: frozenset[str]) -> Evaluable:
    """Those that tokens are had from; the others aren't asked."""
    values: dict[str, Evaluable] = {}
    for name, field in node.mapping().items():
        if name not in _ENDPOINTS:
            field.warning("ignored-property", f"known are {', '.join(_ENDPOINTS)}")
            continue
        is_expression = is_evaluated(field.string())
        value = read_expression(field, variables) if is_expression else read_template(field)
        if name == "token":
            values[name] = value
    return ObjectValue(values)
