"""Calls agents by A2A (DSL reference, "A2A Call")."""

from typing import Any

import httpx
from temporalio import activity

from biz.dsl.calls.a2a_call import A2aCall
from workflows.activities.authentication.authenticator import Authenticator
from workflows.activities.documents import Documents
from workflows.activities.performer import CallContext, Performer


class A2aActivities:
    """Makes the calls of `call: a2a` tasks."""

    def __init__(
        self,
        *,
        performer: Performer,
        client: httpx.AsyncClient,
        authenticator: Authenticator,
        documents: Documents,
        max_response_bytes: int,
    ) -> None:
        self._performer = performer
        self._client = client
        self._authenticator = authenticator
        self._documents = documents
        self._max_response_bytes = max_response_bytes

    @activity.defn(name=A2aCall.KIND)
    async def call(self, call: A2aCall, context: CallContext) -> Any:
        """The call's output."""
        return await self._performer.perform(call, context, self._send)

    async def _send(self, call: A2aCall) -> Any:
        # With the SDK, which would be a fifth of a worker's start, and is rarely needed.
        from workflows.activities.a2a.a2a_conversation import A2aConversation

        conversation = A2aConversation(
            client=self._client,
            authenticator=self._authenticator,
            documents=self._documents,
            max_response_bytes=self._max_response_bytes,
        )
        return await conversation.ask(call)
