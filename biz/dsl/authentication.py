"""Authentication policies (DSL reference, "Authentication"): basic and bearer, inline or named."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from biz.dsl.credentials import Credentials
from biz.dsl.frame import Frame
from biz.dsl.model import Evaluable
from biz.dsl.reader import Node
from biz.dsl.reusables import Reusables
from biz.dsl.values import read_value

_UNSUPPORTED = ("certificate", "digest", "oauth2", "oidc")


@dataclass(frozen=True, slots=True, kw_only=True)
class Authentication:
    """A policy with its expressions: `scheme` is "basic" or "bearer"."""

    scheme: str
    properties: Mapping[str, Evaluable]

    async def resolve(self, frame: Frame) -> Credentials:
        """The policy for one call."""
        values = {name: await frame.evaluate(value) for name, value in self.properties.items()}
        return Credentials(scheme=self.scheme, properties=values)


NONE = Authentication(scheme="bearer", properties={})
"""Stands where a definition has a fault."""


def read_authentication(
    node: Node, variables: frozenset[str], named: Reusables[Authentication]
) -> Authentication:
    """A policy at the place of its use: inline, or the name of one under `use`."""
    if isinstance(node.value, dict) and "use" in node.value:
        reference = node.object(required=("use",))["use"]
        return named.get(reference, variables) or NONE
    return read_policy(node, variables)


def read_policy(node: Node, variables: frozenset[str]) -> Authentication:
    """An inline policy."""
    fields = node.object(optional=("basic", "bearer", *_UNSUPPORTED))
    if len(fields) != 1:
        if isinstance(node.value, dict):
            node.error("invalid-value", "must have one scheme, such as basic or bearer")
        return NONE
    scheme, properties = next(iter(fields.items()))
    if scheme in _UNSUPPORTED:
        properties.unsupported(f"{scheme} authentication")
        return NONE
    if isinstance(properties.value, dict) and "use" in properties.value:
        properties.at("use").unsupported("authentication by a secret")
        return NONE
    names = ("username", "password") if scheme == "basic" else ("token",)
    found = properties.object(required=names)
    for name in names:
        found[name].string()
    return Authentication(
        scheme=scheme, properties={name: read_value(found[name], variables) for name in names}
    )
