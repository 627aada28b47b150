"""Fetches the events that a run listens for."""

from typing import Protocol

from temporalio import activity

from biz.dsl.events.arrivals import EventPage, Listener


class EventSource(Protocol):
    """Where events are kept."""

    async def fetch(self, execution_id: str, listener: Listener, after: int) -> EventPage:
        """Events for an execution, later than the sequence `after`; the listener is known then."""
        ...

    async def stop_listening(self, execution_id: str, listener_id: int) -> None:
        """The listener isn't known any more."""
        ...


class ListeningActivities:
    """Both methods may be repeated, and fail while the database is down."""

    def __init__(self, *, source: EventSource) -> None:
        self._source = source

    @activity.defn
    async def fetch_events(self, execution_id: str, listener: Listener, after: int) -> EventPage:
        """A page of events; from then on the run is woken for later ones."""
        return await self._source.fetch(execution_id, listener, after)

    @activity.defn
    async def stop_listening(self, execution_id: str, listener_id: int) -> None:
        """Nobody wakes the run for this listener any more."""
        await self._source.stop_listening(execution_id, listener_id)
