"""A sink of lifecycle events behind HTTP: CloudEvents in structured mode."""

import httpx
from cloudevents.core.bindings.http import to_structured
from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent

from biz.history.relay import EventRefused, SinkUnavailable

_REFUSALS = frozenset({400, 413, 422})
"""What is wrong with an event, and not with the way to the sink."""


class HttpLifecycleSink:
    """`biz.history.relay.LifecycleSink`: an address that takes POSTs."""

    def __init__(self, *, client: httpx.AsyncClient, url: str) -> None:
        self._client = client
        self._url = url

    async def send(self, event: CloudEvent) -> None:
        """Any successful answer is content; its body isn't read."""
        message = to_structured(event, JSONFormat())
        try:
            async with self._client.stream(
                "POST", self._url, content=message.body, headers=message.headers
            ) as answer:
                status = answer.status_code
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            # Its text may name the address.
            raise SinkUnavailable(type(error).__name__) from None
        if status in _REFUSALS:
            raise EventRefused(f"it answered {status}")
        if not answer.is_success:
            raise SinkUnavailable(f"it answered {status}")
