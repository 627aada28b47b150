"""Talks to servers of the Model Context Protocol by its SDK."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import httpx2
from mcp import MCPError
from mcp.client.session import ClientSession
from mcp.client.streamable_http import streamable_http_client
from mcp_types import (
    CONNECTION_CLOSED,
    ClientCapabilities,
    Implementation,
    InitializedNotification,
    InitializeRequest,
    InitializeRequestParams,
    InitializeResult,
    Request,
)
from mcp_types.version import HANDSHAKE_PROTOCOL_VERSIONS, MODERN_PROTOCOL_VERSIONS
from pydantic import RootModel, ValidationError

from biz.dsl.calls.http_call import pairs
from biz.dsl.calls.mcp_call import McpCall, McpHttp
from biz.dsl.errors import TaskFault, WorkflowError
from biz.dsl.sizes import MAX_JSON_BYTES, json_size
from workflows.activities.authentication.authenticator import Authenticator
from workflows.activities.call_log import logged_request
from workflows.activities.http_calls.sdk_http import SdkHttp
from workflows.activities.http_calls.sender import shown_url
from workflows.activities.mcp.mcp_http import McpHttpTransport
from workflows.activities.mcp.mcp_stdio import Messages, stdio_transport

_LONGEST_CALL_SECONDS = 300.0
_LARGEST_OUTPUT = 2 * MAX_JSON_BYTES


class _Result(RootModel[dict[str, Any]]):
    """A JSON-RPC result as it came."""


class McpConversation:
    """Asks servers, each in a session of its own."""

    def __init__(
        self, *, client: httpx.AsyncClient, authenticator: Authenticator, max_response_bytes: int
    ) -> None:
        self._client = client
        self._authenticator = authenticator
        self._max_response_bytes = max_response_bytes

    async def ask(self, call: McpCall) -> Any:
        """What the server answers; raises TaskFault."""
        with logged_request(_name(call)):
            return await self._send(call)

    async def _send(self, call: McpCall) -> Any:
        """What a server answers is final, and so is what can't be sent or read."""
        seconds = min(call.timeout_seconds or _LONGEST_CALL_SECONDS, _LONGEST_CALL_SECONDS)
        try:
            async with asyncio.timeout(seconds) as limit:
                return await self._converse(call)
        except TimeoutError:
            raise _fault("timeout", f"{_name(call)} didn't answer in {seconds:g} seconds") from None
        except Exception as error:
            if limit.expired():  # what came of the cancellation
                detail = f"{_name(call)} didn't answer in {seconds:g} seconds"
                raise _fault("timeout", detail) from None
            raise _fault_of(call, _cause(error)) from error

    async def _converse(self, call: McpCall) -> Any:
        """Opens a session, asks, and closes it."""
        client = Implementation(name=call.client_name, version=call.client_version)
        async with (
            self._transport(call) as (incoming, outgoing),
            ClientSession(incoming, outgoing, client_info=client) as session,
        ):
            await _agree(session, client, call.protocol_version)
            request = Request[dict[str, Any], str](method=call.method, params=call.parameters)
            result = (await session.send_request(request, _Result)).root
        if result.get("isError"):
            raise _fault("runtime", f"{_name(call)} failed: {_text(result)}")
        if result.get("resultType") == "input_required":
            raise _fault("runtime", f"{_name(call)} asks for input, which nobody is there to give")
        if json_size(result) > _LARGEST_OUTPUT:
            raise _fault("communication", f"{_name(call)} gave more than {_LARGEST_OUTPUT} bytes")
        return result

    @asynccontextmanager
    async def _transport(self, call: McpCall) -> AsyncIterator[Messages]:
        if call.http is not None:
            async with self._http(call, call.http) as messages:
                yield messages
        elif call.stdio is not None:
            async with stdio_transport(
                call.stdio, max_message_bytes=self._max_response_bytes
            ) as messages:
                yield messages

    @asynccontextmanager
    async def _http(self, call: McpCall, http: McpHttp) -> AsyncIterator[Messages]:
        transport = McpHttpTransport(
            SdkHttp(
                client=self._client,
                authenticator=self._authenticator,
                authentication=call.authentication,
                max_response_bytes=self._max_response_bytes,
                silence_seconds=None if call.timeout_seconds else self._client.timeout.read,
            )
        )
        httpx.URL(http.uri)  # the SDK would lose what is wrong with it
        headers = list(pairs("headers", http.headers))
        try:
            async with (
                httpx2.AsyncClient(transport=transport, headers=headers, trust_env=False) as client,
                streamable_http_client(http.uri, http_client=client) as messages,
            ):
                yield messages
        except Exception as error:
            raise transport.failure or error from None


async def _agree(session: ClientSession, client: Implementation, version: str) -> None:
    """Agrees on the version of the protocol; the server may answer with another that we speak."""
    if version in MODERN_PROTOCOL_VERSIONS:
        await session.discover()
        return
    if version not in HANDSHAKE_PROTOCOL_VERSIONS:
        known = ", ".join((*HANDSHAKE_PROTOCOL_VERSIONS, *MODERN_PROTOCOL_VERSIONS))
        raise _fault("configuration", f"the MCP version {version} isn't one of {known}")
    parameters = InitializeRequestParams(
        protocol_version=version, capabilities=ClientCapabilities(), client_info=client
    )
    result = await session.send_request(InitializeRequest(params=parameters), InitializeResult)
    if result.protocol_version not in HANDSHAKE_PROTOCOL_VERSIONS:
        detail = f"the MCP server speaks version {result.protocol_version}, which isn't known"
        raise _fault("communication", detail)
    session.adopt(result)
    await session.send_notification(InitializedNotification())


def _cause(error: Exception) -> Exception:
    """What is at the root of a group of exceptions."""
    while isinstance(error, ExceptionGroup):
        error = error.exceptions[0]
    return error


def _fault_of(call: McpCall, error: Exception) -> TaskFault:
    """What went wrong, as the error of the task."""
    match error:
        case TaskFault():
            return error
        case MCPError(code=code) if code != CONNECTION_CLOSED:
            return _fault("runtime", f"{_name(call)} failed: {error.message} ({code})")
        case MCPError():
            return _fault("communication", f"{_name(call)} failed: {error.message}")
        case ValidationError():
            return _fault("communication", f"{_name(call)} answered what the protocol doesn't know")
        case httpx.TimeoutException():
            return _fault("timeout", f"{_name(call)} didn't answer in time")
        case httpx.UnsupportedProtocol() | httpx.LocalProtocolError():
            return _fault("configuration", f"{_name(call)} can't be called: {error}")
        case httpx.HTTPError():
            detail = f"{_name(call)} failed: {error or type(error).__name__}"
            return _fault("communication", detail)
    # What the libraries say of an odd address or header, each in its own way.
    return _fault("configuration", f"{_name(call)} can't be called: {error}")


def _text(result: dict[str, Any]) -> str:
    """What a tool says of its failure."""
    content = result.get("content") or []
    return "\n".join(part["text"] for part in content if part.get("type") == "text")


def _name(call: McpCall) -> str:
    """The call as errors name it, without credentials."""
    where = shown_url(call.http.uri) if call.http is not None else "the process"
    return f"{call.method} of the MCP server at {where}" if where else call.method


def _fault(kind: str, detail: str) -> TaskFault:
    return TaskFault(WorkflowError.standard(kind, detail))
