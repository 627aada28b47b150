"""Histories on their way from a run to the database, as compact as they are kept there."""

from __future__ import annotations

import hashlib
import json
from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from biz.dsl.errors import WorkflowError
from biz.dsl.lifecycle import ABSENT, LifecycleEvent, LifecycleType

LARGE_VALUE_LENGTH = 1024
"""A value whose JSON text is longer is kept once for all the events that show it."""

MAX_VALUES_LENGTH = 64 * 1024 * 1024
"""What the history of one run keeps of values; later events go without."""

_DIGEST = "sha256:"
_VALUES_AT_HAND = 32
_DIGESTS_KNOWN = 4096
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class HistoryEntry(NamedTuple):
    """A lifecycle event as it is kept; times are microseconds since 1970.

    `error` is a JSON text. `input`, `output` and `context` are JSON texts too, or, of large values,
    their digests; None where there are none. `iterations` is as in LifecycleEvent.
    """

    sequence: int
    time: int
    type: str
    task: str
    attempt: int
    error: str | None = None
    started_at: int | None = None
    input: str | None = None
    output: str | None = None
    context: str | None = None
    iterations: int | None = None

    def event(self, values: Mapping[str, Any]) -> LifecycleEvent:
        """The event; `values` has those of its digests. Its context isn't told."""
        return LifecycleEvent(
            sequence=self.sequence,
            type=LifecycleType(self.type),
            time=_moment(self.time),
            task=self.task,
            attempt=self.attempt,
            error=None if self.error is None else WorkflowError.from_json(json.loads(self.error)),
            started_at=None if self.started_at is None else _moment(self.started_at),
            input=_shown(self.input, values),
            output=_shown(self.output, values),
            iterations=self.iterations,
        )

    def digests(self) -> Iterable[str]:
        """Those of its large values, `context` aside."""
        return (text for text in (self.input, self.output) if text and is_digest(text))


@dataclass(frozen=True, slots=True)
class HistoryBatch:
    """Entries, and by digest the texts of large values that no batch before them had."""

    entries: Sequence[HistoryEntry] = ()
    values: Mapping[str, str] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.entries)

    @classmethod
    def of(cls, events: Iterable[LifecycleEvent]) -> HistoryBatch:
        """The batch of some events that nobody else tells of."""
        encoder = HistoryEncoder()
        entries = [encoder.encode(event) for event in events]
        return cls(entries, encoder.take_values())

    def to_text(self) -> str:
        """One text, empty for no entries; the inverse of `from_text`."""
        if not self.entries:
            return ""
        # Runs decide by the length of this text, so that it must not change for those under way.
        entries = [entry[:-1] if entry.iterations is None else entry for entry in self.entries]
        return json.dumps([entries, self.values])

    @classmethod
    def from_text(cls, text: str) -> HistoryBatch:
        """Raises nothing on what `to_text` gave."""
        if not text:
            return cls()
        entries, values = json.loads(text)
        return cls([HistoryEntry(*entry) for entry in entries], values)


NO_HISTORY = HistoryBatch()


class HistoryEncoder:
    """Makes the entries of one run. Values are taken to be immutable.

    `new_values` are the texts of large values that nobody has taken yet, by digest.
    """

    def __init__(self) -> None:
        self.new_values: dict[str, str] = {}
        self._at_hand: OrderedDict[int, tuple[Any, str]] = OrderedDict()
        self._known: OrderedDict[str, None] = OrderedDict()
        self._length = 0

    def encode(self, event: LifecycleEvent) -> HistoryEntry:
        """The entry of the next event; large values that are new wait in `new_values`."""
        return HistoryEntry(
            event.sequence,
            _microseconds(event.time),
            event.type.value,
            event.task,
            event.attempt,
            None if event.error is None else _text(event.error.to_json()),
            None if event.started_at is None else _microseconds(event.started_at),
            self._encode(event.input),
            self._encode(event.output),
            self._encode(event.context),
            event.iterations,
        )

    def take_values(self) -> Mapping[str, str]:
        """`new_values`, which are new no more."""
        values, self.new_values = self.new_values, {}
        return values

    def put_back(self, values: Mapping[str, str]) -> None:
        """They weren't written after all."""
        self.new_values = {**values, **self.new_values}

    def _encode(self, value: Any) -> str | None:
        if value is ABSENT:
            return None
        if not isinstance(value, dict | list | str):
            return _text(value)
        found = self._at_hand.get(id(value))
        if found is not None:
            self._at_hand.move_to_end(id(value))
            return found[1]
        if self._length >= MAX_VALUES_LENGTH:
            return None
        text = _text(value)
        self._length += len(text)
        if len(text) <= LARGE_VALUE_LENGTH:
            return text
        digest = digest_of(text)
        if digest not in self._known:
            self.new_values[digest] = text
            _remember(self._known, digest, None, _DIGESTS_KNOWN)
        _remember(self._at_hand, id(value), (value, digest), _VALUES_AT_HAND)
        return digest


def digest_of(text: str) -> str:
    """What stands for a JSON text; no JSON text looks like one."""
    return _DIGEST + hashlib.sha256(text.encode()).hexdigest()


def is_digest(text: str) -> bool:
    """Whether there is a digest in the place of a JSON text."""
    return text.startswith(_DIGEST)


def _remember(known: OrderedDict[Any, Any], key: Any, value: Any, limit: int) -> None:
    known[key] = value
    if len(known) > limit:
        known.popitem(last=False)


def _text(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"))


def _shown(text: str | None, values: Mapping[str, Any]) -> Any:
    if text is None:
        return ABSENT
    return values.get(text, ABSENT) if is_digest(text) else json.loads(text)


def _microseconds(moment: datetime) -> int:
    return (moment - _EPOCH) // timedelta(microseconds=1)


def _moment(microseconds: int) -> datetime:
    return _EPOCH + timedelta(microseconds=microseconds)
