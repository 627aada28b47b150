"""What a call authenticates with, once the expressions of its policy are evaluated."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from biz.dsl.errors import TaskFault, WorkflowError
from biz.dsl.oauth2 import InvalidPolicy, OAuth2Policy

PROPERTIES: Mapping[str, tuple[str, ...]] = {
    "basic": ("username", "password"),
    "bearer": ("token",),
    "digest": ("username", "password"),
}
"""The properties of the schemes that have nothing but strings."""

OAUTH2_SCHEMES = ("oauth2", "oidc")


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """A resolved policy (DSL reference, "Authentication").

    `scheme` is the standard's name of it, such as "basic"; `properties` is the object of its
    properties.
    """

    scheme: str
    properties: Any

    def require_valid(self) -> None:
        """Raises TaskFault where a property is missing, or isn't what it should be."""
        if self.scheme in OAUTH2_SCHEMES:
            self.oauth2()
            return
        if not isinstance(self.properties, dict):
            needed = " and ".join(PROPERTIES[self.scheme])
            raise _fault(f"the {self.scheme} authentication must have an object with {needed}")
        for name in PROPERTIES[self.scheme]:
            if not isinstance(self.properties.get(name), str):
                raise _fault(f"the {name} of the {self.scheme} authentication must be a string")

    def oauth2(self) -> OAuth2Policy:
        """How a token is had by one of OAUTH2_SCHEMES; raises TaskFault."""
        try:
            return OAuth2Policy.of(self.properties, by_discovery=self.scheme == "oidc")
        except InvalidPolicy as error:
            raise _fault(f"the {self.scheme} authentication: {error}") from None


def _fault(detail: str) -> TaskFault:
    return TaskFault(WorkflowError.standard("authentication", detail))
