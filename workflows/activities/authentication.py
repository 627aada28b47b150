"""Authenticates calls (DSL reference, "Authentication")."""

import base64
from dataclasses import dataclass

from biz.dsl.credentials import Credentials
from workflows.activities.secrecy import keep_secret


@dataclass(frozen=True, slots=True)
class Authorization:
    """DSL, "Authorization Descriptor": what stands in the header of that name."""

    scheme: str
    parameter: str


class Authenticator:
    """Makes of credentials what a protocol sends."""

    async def authorization(self, credentials: Credentials) -> Authorization:
        """The scheme and its parameter; raises TaskFault."""
        credentials.require_valid()
        properties = credentials.properties
        if credentials.scheme == "bearer":
            return Authorization("Bearer", properties["token"])
        login = f"{properties['username']}:{properties['password']}"
        parameter = base64.b64encode(login.encode()).decode()
        keep_secret(parameter)
        return Authorization("Basic", parameter)
