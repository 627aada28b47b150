from dataclasses import replace

import pytest

from tests.fixtures.entities import EVENT
from workflows.history_buffer import HistoryBuffer


def test_what_is_taken_waits_no_more() -> None:
    buffer = HistoryBuffer()
    buffer.add(EVENT)
    with buffer.taken() as events:
        assert list(events) == [EVENT]
        later = replace(EVENT, sequence=4)
        buffer.add(later)
    with buffer.taken() as events:
        assert list(events) == [later]
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
        assert list(events) == [EVENT, later]
