"""Events of a run that aren't in the database yet."""

from collections.abc import Iterator
from contextlib import contextmanager

from biz.dsl.lifecycle import LifecycleEvent
from biz.executions.history_batch import HistoryBatch, HistoryEncoder, HistoryEntry


class HistoryBuffer:
    """Keeps events until something has written them. Writing may be repeated."""

    def __init__(self) -> None:
        self._encoder = HistoryEncoder()
        self._pending: list[HistoryEntry] = []
        self._taken: list[HistoryBatch] = []

    def __len__(self) -> int:
        """How many events wait."""
        return len(self._pending)

    def add(self, event: LifecycleEvent) -> None:
        """Takes the next event."""
        self._pending.append(self._encoder.encode(event))

    def fits(self, length: int) -> bool:
        """Whether what waits takes no more than so many characters."""
        return len(self._waiting().to_text()) <= length

    @contextmanager
    def taken(self) -> Iterator[str]:
        """All that wait, as the text of a batch; they wait again where the block raises."""
        batch = self._waiting()
        self._pending = []
        self._encoder.take_values()
        self._taken.append(batch)
        try:
            yield batch.to_text()
        except BaseException:
            self._pending = sorted([*batch.entries, *self._pending])
            self._encoder.put_back(batch.values)
            raise
        finally:
            self._taken = [taken for taken in self._taken if taken is not batch]

    def unwritten(self) -> str:
        """All that wait or are being written, as the text of a batch."""
        batches = [*self._taken, self._waiting()]
        entries = sorted(entry for batch in batches for entry in batch.entries)
        values = {digest: text for batch in batches for digest, text in batch.values.items()}
        return HistoryBatch(entries, values).to_text()

    def _waiting(self) -> HistoryBatch:
        return HistoryBatch(self._pending, self._encoder.new_values)
