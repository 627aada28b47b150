"""How events are made compact for their way to the database."""

import json
from dataclasses import replace
from typing import Any

import pytest

from biz.executions.history_batch import (
    LARGE_VALUE_LENGTH,
    NO_HISTORY,
    HistoryBatch,
    HistoryEncoder,
    digest_of,
    is_digest,
)
from tests.fixtures.entities import EVENT

LARGE = ["x" * LARGE_VALUE_LENGTH]


@pytest.mark.parametrize(
    "value", [None, False, 0, 1.5, "", "sha256:x", "\ud800", [], {"a": None}, {"\0": "ü"}], ids=repr
)
def test_small_values_stand_in_their_place(value: Any) -> None:
    event = replace(EVENT, input=value, output=value)

    batch = HistoryBatch.from_text(HistoryBatch.of([event]).to_text())

    assert not batch.values
    assert [entry.event({}) for entry in batch.entries] == [event]


def test_iterations_are_told_and_take_no_place_where_there_are_none() -> None:
    told = replace(EVENT, iterations=7)

    batch = HistoryBatch.from_text(HistoryBatch.of([told, EVENT]).to_text())

    assert [entry.event({}) for entry in batch.entries] == [told, EVENT]
    with_it, without = json.loads(HistoryBatch.of([told, EVENT]).to_text())[0]
    assert with_it == [*without, 7]


def test_a_large_value_is_told_once_by_its_digest() -> None:
    encoder = HistoryEncoder()
    entries = [
        encoder.encode(replace(EVENT, input=LARGE, context=LARGE)),
        encoder.encode(replace(EVENT, output=list(LARGE))),
    ]

    values = encoder.take_values()
    (digest,) = values
    assert digest == digest_of(values[digest])
    assert [entries[0].input, entries[0].context, entries[1].output] == [digest] * 3
    assert list(entries[0].digests()) == [digest]
    assert entries[0].event({digest: LARGE}).input == LARGE
    encoder.encode(replace(EVENT, input=LARGE))
    assert not encoder.take_values()


def test_no_text_of_a_value_is_taken_for_a_digest() -> None:
    entry = HistoryEncoder().encode(replace(EVENT, input=digest_of("1")))
    assert entry.input is not None
    assert not is_digest(entry.input)


def test_a_batch_without_events_is_nothing() -> None:
    assert not NO_HISTORY
    assert NO_HISTORY.to_text() == ""
    assert HistoryBatch.from_text("") == NO_HISTORY


def test_a_history_keeps_so_much_of_values_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("biz.executions.history_batch.MAX_VALUES_LENGTH", LARGE_VALUE_LENGTH)
    encoder = HistoryEncoder()

    first = encoder.encode(replace(EVENT, input=LARGE))
    later = encoder.encode(replace(EVENT, input=[1], output=7, context=LARGE))

    assert first.input == later.context  # what is kept already can be referred to
    assert (later.input, later.output) == (None, "7")
