"""Authentication policies (DSL reference, "Authentication"): inline, named, or from a secret."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from biz.dsl import arguments
from biz.dsl.credentials import OAUTH2_SCHEMES, PROPERTIES, Credentials
from biz.dsl.frame import Frame
from biz.dsl.model import Evaluable
from biz.dsl.oauth2_reading import read_oauth2
from biz.dsl.reading.reader import Node
from biz.dsl.reusables import Reusables
from biz.dsl.values import Literal, read_secret, read_value


@dataclass(frozen=True, slots=True, kw_only=True)
class Authentication:
    """A policy with its expressions; `properties` gives the object of them."""

    scheme: str
    properties: Evaluable

    async def resolve(self, frame: Frame) -> Credentials:
        """The policy for one call."""
        return Credentials(scheme=self.scheme, properties=await frame.evaluate(self.properties))


_SCHEMES = (*PROPERTIES, *OAUTH2_SCHEMES)
_TOKEN_OF_SECRET = 'if type == "string" then {token: .} else . end'
"""A bearer's secret may be the token itself."""

NONE = Authentication(scheme="bearer", properties=Literal({}))
"""Stands where a definition has a fault."""


def read_authentication(
    node: Node, variables: frozenset[str], named: Reusables[Authentication]
) -> Authentication:
    """A policy at the place of its use: inline, or the name of one under `use`."""
    if isinstance(node.value, dict) and "use" in node.value:
        reference = node.object(required=("use",))["use"]
        if reference.value == "":
            reference.error("empty", "must be the name of an authentication")
            return NONE
        return named.get(reference, variables) or NONE
    return _read_policy(node, node.object(optional=_SCHEMES), variables)


def read_reusable(node: Node, variables: frozenset[str]) -> Authentication:
    """A policy under `use`, where the standard lets other properties stand beside the scheme."""
    fields = node.mapping()
    for name, field in fields.items():
        if name not in _SCHEMES:
            field.warning("ignored-property", f"known are {', '.join(_SCHEMES)}")
    known = {name: field for name, field in fields.items() if name in _SCHEMES}
    return _read_policy(node, known, variables)


def _read_policy(
    node: Node, fields: Mapping[str, Node], variables: frozenset[str]
) -> Authentication:
    """The policy of the scheme among its properties; its expressions may read secrets."""
    variables = variables - arguments.LEFT_TO_ACTIVITIES | arguments.SECRETS
    if len(fields) != 1:
        if isinstance(node.value, dict):
            node.error("invalid-value", "must have one scheme, such as basic or bearer")
        return NONE
    scheme, properties = next(iter(fields.items()))
    if isinstance(properties.value, dict) and "use" in properties.value:
        program = _TOKEN_OF_SECRET if scheme == "bearer" else "."
        secret = properties.object(required=("use",))["use"]
        return Authentication(scheme=scheme, properties=read_secret(secret, program))
    if scheme in OAUTH2_SCHEMES:
        return Authentication(scheme=scheme, properties=read_oauth2(properties, scheme, variables))
    found = properties.object(required=PROPERTIES[scheme])
    for value in found.values():
        value.string()
    return Authentication(scheme=scheme, properties=read_value(properties, variables))
