"""What a process writes, as lines."""

from collections.abc import Iterator
from contextlib import suppress

import pytest

from tests.fixtures.performers import KeptLines
from tests.unit.workflows.activities.test_call_log import new_log
from workflows.activities.call_log import LONGEST_LINE, logged_call
from workflows.activities.processes.output_lines import OutputLines


@pytest.fixture
def sink() -> Iterator[KeptLines]:
    kept = KeptLines()
    with logged_call(new_log(kept)):
        yield kept


def test_a_line_is_told_as_soon_as_it_ends(sink: KeptLines) -> None:
    with OutputLines("stdout") as lines:
        lines.feed(b"on")
        assert sink.messages == []
        lines.feed(b"e\r\n\ntwo\nthr")
        assert sink.messages == ["one", "two"]
        lines.feed(b"ee")
    assert sink.messages == ["one", "two", "three"]
    assert [line.fields for line in sink.lines] == [{"stream": "stdout"}] * 3


def test_letters_may_come_in_parts_and_broken(sink: KeptLines) -> None:
    with OutputLines("stderr") as lines:
        for byte in "grüße\n".encode():
            lines.feed(bytes([byte]))
        lines.feed(b"\xff\n\xc3")
    assert sink.messages == ["grüße", "\ufffd", "\ufffd"]


@pytest.mark.parametrize("part", [1_000, 100_000])
def test_an_endless_line_is_cut(sink: KeptLines, part: int) -> None:
    with OutputLines("stdout") as lines:
        for _ in range(200_000 // part):
            lines.feed(b"x" * part)
        lines.feed(b"\nnext\n")
    long, following = sink.lines
    assert len(long.message) < LONGEST_LINE + 50
    assert long.message.endswith(" characters more)")
    assert long.fields["left_out"] == 200_000 - 8 * LONGEST_LINE
    assert following.message == "next"


def test_what_stands_there_at_a_failure_is_told(sink: KeptLines) -> None:
    with suppress(ValueError), OutputLines("stdout") as lines:
        lines.feed(b"half")
        raise ValueError
    assert sink.messages == ["half"]
