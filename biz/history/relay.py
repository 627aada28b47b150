"""The relay of lifecycle events to a sink: all events of all executions, at least once, in order.

The cursor stands beside each execution in the database, so nothing is lost while the sink is down,
or no server runs. A crash between sending and noting it sends again.
"""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

import structlog
from cloudevents.core.v1.event import CloudEvent

from biz.errors import ExecutionNotFound, Unavailable
from biz.history.cloud_event import Subject, lifecycle_cloud_event
from biz.history.steps import Growth, next_step
from biz.lease import Lease

_BATCH = 100
_AT_ONCE = 8
_PATIENCE = timedelta(minutes=1)
"""How long events are waited for that an ended execution lacks."""

_LONGEST_PAUSE = timedelta(minutes=1)

_log = structlog.get_logger(__name__)


class SinkUnavailable(Exception):
    """The sink doesn't take anything now; the text says why, without its address."""


class EventRefused(Exception):
    """The sink will never take this event; the text says why."""


class LifecycleSink(Protocol):
    """Where lifecycle events go."""

    async def send(self, event: CloudEvent) -> None:
        """Returns once the sink has it. Raises SinkUnavailable, EventRefused."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class UnsentHistory:
    """An execution whose history has events after `sent_sequence`, up to `last_sequence`."""

    subject: Subject
    sent_sequence: int
    last_sequence: int


class RelayRepo(Protocol):
    """Where it stands what was sent."""

    async def list_unsent(self, *, after_id: str, limit: int) -> Sequence[UnsentHistory]:
        """In the order of the executions' ids."""
        ...

    async def mark_sent(self, execution_id: str, sequence: int, *, through: int) -> None:
        """Moves the cursor. Nothing up to `through` is waited for, what was written later is."""
        ...

    async def read_after(self, execution_id: str, sequence: int) -> Growth:
        """A page of what comes after `sequence`. Raises ExecutionNotFound."""
        ...


class HistoryRelay:
    """Runs beside each server; one at a time sends."""

    def __init__(
        self,
        *,
        repo: RelayRepo,
        sink: LifecycleSink,
        lease: Lease,
        clock: Callable[[], datetime],
        interval: timedelta,
    ) -> None:
        """`interval` is the time between two looks for new events."""
        self._repo = repo
        self._sink = sink
        self._lease = lease
        self._clock = clock
        self._interval = interval

    async def run(self) -> None:
        """Sends what is there again and again, until cancelled; less often while that fails."""
        pause = self._interval
        try:
            while True:
                pause = await self._send_once(pause)
                await asyncio.sleep(pause.total_seconds())
        finally:
            with suppress(Unavailable):
                await self._lease.give_back()

    async def _send_once(self, pause: timedelta) -> timedelta:
        """Sends what is there; gives the pause after it, where the one before it was `pause`."""
        try:
            await self.send_all()
        except SinkUnavailable as error:
            _log.warning("the history sink takes nothing", reason=str(error))
            return min(pause * 2, _LONGEST_PAUSE)
        except Unavailable as error:
            _log.warning("sending lifecycle events is put off", reason=error.reason)
        except Exception:
            # Whatever it was, later events still have to be sent.
            _log.exception("sending lifecycle events failed")
        return self._interval

    async def send_all(self) -> None:
        """Sends what is there, of some executions at once. Raises SinkUnavailable."""
        after = ""
        while await self._lease.hold():
            unsent = await self._repo.list_unsent(after_id=after, limit=_BATCH)
            if not unsent:
                return
            after = unsent[-1].subject.execution_id
            for start in range(0, len(unsent), _AT_ONCE):
                some = unsent[start : start + _AT_ONCE]
                outcomes = await asyncio.gather(
                    *(self._send_history(each) for each in some), return_exceptions=True
                )
                for outcome in outcomes:
                    if isinstance(outcome, BaseException):
                        raise outcome

    async def _send_history(self, unsent: UnsentHistory) -> None:
        """Sends what an execution has, up to the first event that isn't there yet."""
        execution_id, position = unsent.subject.execution_id, unsent.sent_sequence
        with suppress(ExecutionNotFound):  # it was deleted meanwhile
            while await self._lease.hold():
                growth = await self._repo.read_after(execution_id, position)
                step = next_step(growth, position, now=self._clock(), patience=_PATIENCE)
                sent = position
                try:
                    for event in step.events:
                        await self._send(lifecycle_cloud_event(unsent.subject, event))
                        sent = event.sequence
                finally:
                    if sent > position:
                        await self._repo.mark_sent(execution_id, sent, through=sent)
                position = sent
                if step.end is not None:
                    through = max(unsent.last_sequence, growth.last_sequence)
                    await self._repo.mark_sent(execution_id, sent, through=through)
                if not step.more:
                    return

    async def _send(self, event: CloudEvent) -> None:
        try:
            await self._sink.send(event)
        except EventRefused as error:
            _log.error(
                "the history sink refuses an event, which is left out",
                reason=str(error),
                source=event.get_source(),
                event_id=event.get_id(),
            )
