"""Calls HTTP services (DSL reference, "HTTP Call")."""

from typing import Any

from temporalio import activity

from biz.dsl.calls.http_call import HttpCall, pairs
from workflows.activities.http_calls.body import encode_body, media_type_of
from workflows.activities.http_calls.sender import HttpRequest, HttpSender
from workflows.activities.performer import CallContext, Performer


class HttpActivities:
    """Makes the calls of `call: http` tasks."""

    def __init__(self, *, performer: Performer, sender: HttpSender) -> None:
        self._performer = performer
        self._sender = sender

    @activity.defn(name=HttpCall.KIND)
    async def call(self, call: HttpCall, context: CallContext) -> Any:
        """The call's output."""
        return await self._performer.perform(call, context, self._send)

    async def _send(self, call: HttpCall) -> Any:
        """The call's output; raises TaskFault."""
        headers = pairs("headers", call.headers)
        content, content_type = encode_body(call.body, media_type_of(headers))
        request = HttpRequest(
            method=call.method.upper(),
            url=call.uri,
            query=pairs("query", call.query),
            headers=headers,
            content=content,
            content_type=content_type,
            authentication=call.authentication,
            redirect=call.redirect,
            idempotency_key=call.idempotency_key,
        )
        return await self._sender.call(request, call.output)
