from contextlib import suppress
from dataclasses import replace

import pytest

from biz.dsl.lifecycle import LifecycleEvent
from biz.executions.history_batch import LARGE_VALUE_LENGTH, HistoryBatch
from tests.fixtures.entities import EVENT
from workflows.history_buffer import HistoryBuffer


def told(text: str) -> list[LifecycleEvent]:
    """The events of the text of a batch."""
    batch = HistoryBatch.from_text(text)
    return [entry.event(batch.values) for entry in batch.entries]


def test_what_is_taken_waits_no_more() -> None:
    buffer = HistoryBuffer()
    buffer.add(EVENT)
    with buffer.taken() as events:
        assert told(events) == [EVENT]
        later = replace(EVENT, sequence=4)
        buffer.add(later)
    with buffer.taken() as events:
        assert told(events) == [later]
    assert not buffer


def test_what_could_not_be_written_waits_again_in_its_order() -> None:
    buffer = HistoryBuffer()
    buffer.add(EVENT)
    later = replace(EVENT, sequence=4)

    def write() -> None:
        with buffer.taken():
            buffer.add(later)
            raise ConnectionError

    with pytest.raises(ConnectionError):
        write()
    with buffer.taken() as events:
        assert told(events) == [EVENT, later]


def test_what_several_could_not_write_waits_in_its_order() -> None:
    buffer = HistoryBuffer()
    buffer.add(EVENT)
    first = buffer.taken()
    first.__enter__()
    later = replace(EVENT, sequence=4)
    buffer.add(later)
    second = buffer.taken()
    second.__enter__()
    for taken in (first, second):
        with suppress(ConnectionError):
            taken.__exit__(ConnectionError, ConnectionError(), None)
    with buffer.taken() as events:
        assert told(events) == [EVENT, later]


def test_a_large_value_goes_along_once_and_again_where_it_was_not_written() -> None:
    buffer = HistoryBuffer()
    value = {"text": "x" * LARGE_VALUE_LENGTH}
    buffer.add(replace(EVENT, input=value))

    with suppress(ConnectionError), buffer.taken():
        raise ConnectionError
    assert not buffer.fits(LARGE_VALUE_LENGTH)
    buffer.add(replace(EVENT, output=dict(value)))
    with buffer.taken() as events:
        assert len(HistoryBatch.from_text(events).values) == 1
    buffer.add(replace(EVENT, output=value))
    with buffer.taken() as events:
        assert not HistoryBatch.from_text(events).values
