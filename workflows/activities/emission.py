"""Emits events (DSL reference, "Emit")."""

import asyncio
from typing import Any, Protocol

from temporalio import activity

from biz.dsl.calls.emission import Emission
from biz.errors import DatabaseUnavailable
from workflows.activities.event_sink import EventSink
from workflows.activities.performer import CallContext, Performer

_PATIENCE_SECONDS = 1.0


class EventPublisher(Protocol):
    """What gives an event to all that listen in a namespace."""

    async def publish(self, event: Any, *, namespace: str = "") -> None:
        """May be repeated: the same source and id count once."""
        ...


class EmissionActivities:
    """Gives events of runs to the sink, where there is one, and to all that listen.

    The sink comes first: where it refuses, the task faults, and nobody has heard of the event.
    """

    def __init__(
        self, *, performer: Performer, publisher: EventPublisher, sink: EventSink | None
    ) -> None:
        self._performer = performer
        self._publisher = publisher
        self._sink = sink

    @activity.defn(name=Emission.KIND)
    async def call(self, call: Emission, context: CallContext) -> Any:
        """Gives null; a database that is down delays it."""

        async def send(call: Emission) -> None:
            if self._sink is not None:
                await self._sink.send(call.event)
            await self._publish(call, context.namespace)

        return await self._performer.perform(call, context, send)

    async def _publish(self, call: Emission, namespace: str) -> None:
        while True:
            try:
                return await self._publisher.publish(call.event, namespace=namespace)
            except DatabaseUnavailable:
                await asyncio.sleep(_PATIENCE_SECONDS)
