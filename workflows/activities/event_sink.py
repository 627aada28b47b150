"""Where emitted events go besides: an HTTP address that takes CloudEvents in structured mode."""

import asyncio
import json

from biz.dsl.errors import TaskFault, WorkflowError
from biz.dsl.events.event import Event
from workflows.activities.http_calls.sender import HttpRequest, HttpSender

_CONTENT_TYPE = "application/cloudevents+json; charset=utf-8"
_PAUSES_SECONDS = (0.2, 0.5, 1.0, 2.0)
"""Before each further attempt."""

_PASSING = frozenset({408, 429})


class EventSink:
    """Sends events to one address, in the JSON format of CloudEvents."""

    def __init__(self, *, sender: HttpSender, url: str) -> None:
        self._sender = sender
        self._url = url

    async def send(self, event: Event) -> None:
        """Returns once the sink has taken the event; raises TaskFault, a communication error.

        It is tried again where that may help, so the sink may see an event twice: source and id
        tell.
        """
        request = HttpRequest(
            method="POST",
            url=self._url,
            content=json.dumps(event).encode(),
            content_type=_CONTENT_TYPE,
        )
        for pause in (*_PAUSES_SECONDS, None):
            try:
                await self._sender.send(request)
                return
            except TaskFault as fault:
                status = fault.error.status
                if pause is None or (400 <= status < 500 and status not in _PASSING):
                    raise _fault(fault.error) from None
            await asyncio.sleep(pause)


def _fault(error: WorkflowError) -> TaskFault:
    """The fault of the run, which doesn't name the operator's address."""
    detail = f"the event sink didn't take the event ({error.title}, {error.status})"
    return TaskFault(WorkflowError.standard("communication", detail, status=error.status))
