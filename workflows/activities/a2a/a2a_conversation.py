"""Asks agents by the A2A SDK.

The standard has the methods and the JSON of A2A 0.3. An agent whose card offers only a newer
version is asked in that one, and its answers are given in the form of 0.3.
"""

import asyncio
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import httpx
from a2a.client.card_resolver import parse_agent_card
from a2a.client.errors import A2AClientError, A2AClientTimeoutError
from a2a.client.transports.base import ClientTransport
from a2a.client.transports.jsonrpc import JsonRpcTransport
from a2a.client.transports.tenant_decorator import TenantTransportDecorator
from a2a.compat.v0_3.jsonrpc_transport import CompatJsonRpcTransport
from a2a.compat.v0_3.versions import is_legacy_version
from a2a.types.a2a_pb2 import AgentCapabilities, AgentCard, AgentInterface
from a2a.utils.constants import PROTOCOL_VERSION_0_3, VERSION_HEADER, TransportProtocol
from a2a.utils.errors import A2AError
from google.protobuf.json_format import ParseError

from biz.dsl.calls.a2a_call import A2aCall
from biz.dsl.calls.resource import Resource
from biz.dsl.credentials import Credentials
from biz.dsl.errors import TaskFault, WorkflowError
from biz.dsl.sizes import MAX_JSON_BYTES, json_size
from workflows.activities.a2a.a2a_http import A2aHttpTransport
from workflows.activities.a2a.methods import InvalidParameters, StreamTooLong, ask
from workflows.activities.authentication.authenticator import Authenticator
from workflows.activities.call_log import logged_request
from workflows.activities.documents import Documents
from workflows.activities.http_calls.sdk_http import SdkHttp
from workflows.activities.http_calls.sender import shown_url

_LONGEST_CALL_SECONDS = 300.0
_LARGEST_OUTPUT = 2 * MAX_JSON_BYTES
_MESSAGE_METHODS = ("message/send", "message/stream")


@dataclass(frozen=True, slots=True)
class _Agent:
    """Where an agent is asked, and how."""

    interface: AgentInterface
    credentials: Credentials | None


class A2aConversation:
    """Asks the agents that calls name."""

    def __init__(
        self,
        *,
        client: httpx.AsyncClient,
        authenticator: Authenticator,
        documents: Documents,
        max_response_bytes: int,
    ) -> None:
        self._client = client
        self._authenticator = authenticator
        self._documents = documents
        self._max_response_bytes = max_response_bytes

    async def ask(self, call: A2aCall) -> Any:
        """What the agent answers; raises TaskFault.

        That is final, and so is what can't be sent or read.
        """
        agent = await self._find(call)
        name = f"{call.method} of the agent at {shown_url(agent.interface.url)}"
        with logged_request(name):
            return await self._exchange(agent, call, name)

    async def _exchange(self, agent: _Agent, call: A2aCall, name: str) -> Any:
        try:
            async with asyncio.timeout(_LONGEST_CALL_SECONDS):
                output = await self._ask(agent, call)
        except TaskFault:
            raise
        except InvalidParameters as error:
            raise _fault("validation", f"the parameters of {call.method}: {error}") from None
        except StreamTooLong:
            raise _fault("communication", f"{name} sent more than is taken") from None
        except NotImplementedError:
            raise _fault(
                "configuration", f"{name} isn't there in A2A 0.3, which it speaks"
            ) from None
        except (TimeoutError, A2AClientTimeoutError):
            raise _fault("timeout", f"{name} didn't end in time") from None
        except A2AError as error:
            raise _fault(_kind(error), f"{name} failed: {error.message}") from None
        except ValueError as error:
            raise _fault("communication", f"{name} answered oddly: {error}") from None
        if json_size(output) > _LARGEST_OUTPUT:
            raise _fault("communication", f"{name} gave more than {_LARGEST_OUTPUT} bytes")
        return output

    async def _ask(self, agent: _Agent, call: A2aCall) -> Any:
        http = SdkHttp(
            client=self._client,
            authenticator=self._authenticator,
            authentication=agent.credentials,
            max_response_bytes=self._max_response_bytes,
            silence_seconds=_LONGEST_CALL_SECONDS,
        )
        async with httpx.AsyncClient(transport=A2aHttpTransport(http), trust_env=False) as client:
            transport = _transport(client, agent.interface)
            limit = self._max_response_bytes
            return await ask(transport, call.method, _parameters(call), limit=limit)

    async def _find(self, call: A2aCall) -> _Agent:
        """The agent of the card, or the server."""
        if call.agent_card is None:
            interface = AgentInterface(url=call.server, protocol_version=PROTOCOL_VERSION_0_3)
            return _Agent(interface, call.authentication)
        document = await self._documents.fetch(call.agent_card)
        try:
            card = parse_agent_card(await document.value())
        except ParseError as error:
            raise document.fault(f"is no agent card: {error}") from None
        offered = [
            interface
            for interface in card.supported_interfaces
            if interface.protocol_binding == TransportProtocol.JSONRPC
        ]
        if not offered:
            raise document.fault("offers no JSON-RPC, which the standard's methods are of")
        legacy = (one for one in offered if is_legacy_version(one.protocol_version))
        interface = next(legacy, offered[0])
        return _Agent(interface, _credentials(call.agent_card, card, interface))


def _credentials(
    resource: Resource, card: AgentCard, interface: AgentInterface
) -> Credentials | None:
    """Those of the card's endpoint, where the card asks for some, and never for another origin."""
    is_asked = bool(card.security_requirements)
    return (
        resource.authentication
        if is_asked and _origin(resource.uri) == _origin(interface.url)
        else None
    )


def _origin(uri: str) -> tuple[str, str]:
    parts = urlsplit(uri)
    return parts.scheme, parts.netloc


def _transport(client: httpx.AsyncClient, interface: AgentInterface) -> ClientTransport:
    transport: ClientTransport
    if is_legacy_version(interface.protocol_version):
        return CompatJsonRpcTransport(client, None, interface.url, is_shared_httpx=True)
    client.headers[VERSION_HEADER] = interface.protocol_version
    card = AgentCard(capabilities=AgentCapabilities(extended_agent_card=True))  # as far as we know
    transport = JsonRpcTransport(client, card, interface.url, is_shared_httpx=True)
    return TenantTransportDecorator(transport, interface.tenant) if interface.tenant else transport


def _parameters(call: A2aCall) -> Mapping[str, Any]:
    """The parameters, with what the standard has a message default to."""
    message = call.parameters.get("message")
    if call.method not in _MESSAGE_METHODS or not isinstance(message, dict):
        return dict(call.parameters)
    # The same for each attempt, so that an agent can tell a repetition.
    defaults = {
        "messageId": str(uuid.uuid5(uuid.NAMESPACE_URL, call.idempotency_key)),
        "role": "user",
    }
    return {**call.parameters, "message": {**defaults, **message}}


def _kind(error: A2AError) -> str:
    """A JSON-RPC error is the agent's own; an answer that isn't one, or none, comes on the way."""
    if isinstance(error.__cause__, httpx.HTTPError | ValueError):
        return "communication"
    is_odd = isinstance(error, A2AClientError) and error.message.startswith("Invalid JSON-RPC")
    return "communication" if is_odd else "runtime"


def _fault(kind: str, detail: str) -> TaskFault:
    return TaskFault(WorkflowError.standard(kind, detail))
