"""How a run on Temporal comes to its events: local activities fetch them, a signal says when."""

from contextlib import suppress
from datetime import timedelta

from temporalio import workflow
from temporalio.common import RetryPolicy
from temporalio.exceptions import ActivityError

from biz.dsl.events.arrivals import EventPage, Listener
from workflows.activities.listening import ListeningActivities
from workflows.cancellation import cancellable

_TIMEOUT = timedelta(seconds=30)
_FETCH_RETRY = RetryPolicy(
    initial_interval=timedelta(milliseconds=200), maximum_interval=timedelta(seconds=10)
)
_STOP_RETRY = RetryPolicy(initial_interval=timedelta(milliseconds=200), maximum_attempts=3)


class EventListening:
    """The listeners of one run. A wake-up is for all of them, and says nothing of what has come."""

    def __init__(self) -> None:
        self._wake_ups = 0
        self._seen: dict[int, int] = {}

    def wake(self) -> None:
        """An event may have come."""
        self._wake_ups += 1

    async def fetch(self, execution_id: str, listener: Listener, after: int) -> EventPage:
        """Events later than the sequence `after`."""
        self._seen[listener.id] = self._wake_ups
        with cancellable():
            return await workflow.execute_local_activity_method(
                ListeningActivities.fetch_events,
                args=[execution_id, listener, after],
                start_to_close_timeout=_TIMEOUT,
                retry_policy=_FETCH_RETRY,
            )

    async def wait(self, listener: Listener) -> None:
        """Returns once a wake-up has come since the listener last began to fetch."""
        await workflow.wait_condition(lambda: self._wake_ups > self._seen[listener.id])

    async def stop(self, execution_id: str, listener: Listener) -> None:
        """A listener that stays known is woken for nothing, which does no harm."""
        if self._seen.pop(listener.id, None) is None:
            return
        with suppress(ActivityError), cancellable():
            await workflow.execute_local_activity_method(
                ListeningActivities.stop_listening,
                args=[execution_id, listener.id],
                start_to_close_timeout=_TIMEOUT,
                retry_policy=_STOP_RETRY,
            )
