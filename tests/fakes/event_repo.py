"""Events in memory."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from biz.dsl.events.arrivals import EventPage, Listener
from biz.events.event import KnownListener, NewEvent, StoredEvent


@dataclass
class Sleeper:
    """A listener that wants all events of a namespace."""

    execution_id: str
    namespace: str
    asleep: bool = True


class FakeEventRepo:
    """`biz.events.event.EventRepo`; the place of an event or a sleeper is its number from 1 on."""

    def __init__(self) -> None:
        self.events: list[tuple[NewEvent, StoredEvent]] = []
        self.sleepers: dict[int, Sleeper] = {}
        self.purged: list[tuple[datetime, int]] = []
        self.forgot_ended = 0

    def sleep(self, execution_id: str, namespace: str = "default") -> None:
        """Adds a listener that waits."""
        self.sleepers[len(self.sleepers) + 1] = Sleeper(execution_id, namespace)

    async def add(self, event: NewEvent) -> StoredEvent:
        for known, stored in self.events:
            same = known.event["source"], known.event["id"], known.namespace, known.target
            if same == (event.event["source"], event.event["id"], event.namespace, event.target):
                return replace(stored, is_new=False)
        stored = StoredEvent(
            sequence=len(self.events) + 1,
            namespace=event.namespace,
            target=event.target,
            type=event.event["type"],
            is_new=True,
            is_delivered=False,
        )
        self.events.append((event, stored))
        return stored

    async def list_undelivered(
        self, *, accepted_before: datetime, limit: int
    ) -> Sequence[StoredEvent]:
        return [
            stored
            for event, stored in self.events
            if not stored.is_delivered and event.accepted_at < accepted_before
        ][:limit]

    async def mark_delivered(self, sequence: int, at: datetime) -> None:
        event, stored = self.events[sequence - 1]
        self.events[sequence - 1] = event, replace(stored, is_delivered=True)

    async def purge(self, *, accepted_before: datetime, limit: int) -> int:
        self.purged.append((accepted_before, limit))
        return max(0, limit - 100 * len(self.purged))

    async def list_listeners(
        self, event: StoredEvent, *, asleep: bool, after_id: int, limit: int
    ) -> Sequence[KnownListener]:
        return [
            KnownListener(id=id, execution_id=sleeper.execution_id)
            for id, sleeper in self.sleepers.items()
            if id > after_id
            and sleeper.namespace == event.namespace
            and event.target in ("", sleeper.execution_id)
            and (sleeper.asleep or not asleep)
        ][:limit]

    async def claim(self, listeners: Sequence[KnownListener]) -> Sequence[KnownListener]:
        claimed = [listener for listener in listeners if self.sleepers[listener.id].asleep]
        for listener in claimed:
            self.sleepers[listener.id].asleep = False
        return claimed

    async def fetch(self, execution_id: str, listener: Listener, after: int) -> EventPage:
        raise AssertionError("only a run asks for this")

    async def stop_listening(self, execution_id: str, listener_id: int) -> None:
        raise AssertionError("only a run asks for this")

    async def forget(self, execution_id: str) -> None:
        self.sleepers = {
            id: sleeper
            for id, sleeper in self.sleepers.items()
            if sleeper.execution_id != execution_id
        }

    async def forget_ended(self) -> None:
        self.forgot_ended += 1
