"""Events of a run that aren't in the database yet."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from biz.dsl.lifecycle import LifecycleEvent


class HistoryBuffer:
    """Keeps events until something has written them. Writing may be repeated."""

    def __init__(self) -> None:
        self._pending: list[LifecycleEvent] = []

    def __len__(self) -> int:
        """How many events wait."""
        return len(self._pending)

    def add(self, event: LifecycleEvent) -> None:
        """Takes the next event."""
        self._pending.append(event)

    @contextmanager
    def taken(self) -> Iterator[Sequence[LifecycleEvent]]:
        """All that wait, for one writer; they wait again where the block raises."""
        events, self._pending = tuple(self._pending), []
        try:
            yield events
        except BaseException:
            self._pending = [*events, *self._pending]
            raise
