"""Calls servers of the Model Context Protocol (DSL reference, "MCP Call")."""

from typing import Any

import httpx
from temporalio import activity

from biz.dsl.calls.mcp_call import McpCall
from workflows.activities.authentication.authenticator import Authenticator
from workflows.activities.performer import CallContext, Performer
from workflows.activities.processes.policy import ProcessKind, ProcessPolicy


class McpActivities:
    """Makes the calls of `call: mcp` tasks, each in a session of its own."""

    def __init__(
        self,
        *,
        performer: Performer,
        client: httpx.AsyncClient,
        authenticator: Authenticator,
        max_response_bytes: int,
        processes: ProcessPolicy,
    ) -> None:
        """`processes` says whose servers may be started as processes of the worker."""
        self._performer = performer
        self._client = client
        self._authenticator = authenticator
        self._max_response_bytes = max_response_bytes
        self._processes = processes

    @activity.defn(name=McpCall.KIND)
    async def call(self, call: McpCall, context: CallContext) -> Any:
        """The call's output."""

        async def send(call: McpCall) -> Any:
            if call.stdio is not None:
                self._processes.require_allowed(ProcessKind.MCP, context.namespace)
            # With the SDK, which would be a fifth of a worker's start, and is rarely needed.
            from workflows.activities.mcp.mcp_conversation import McpConversation

            conversation = McpConversation(
                client=self._client,
                authenticator=self._authenticator,
                max_response_bytes=self._max_response_bytes,
            )
            return await conversation.ask(call)

        return await self._performer.perform(call, context, send)
