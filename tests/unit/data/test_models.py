"""What columns hold, there and back."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data.models import from_json, from_microseconds, to_json, to_microseconds

_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


@settings(deadline=None)  # a busy machine is no fault
@given(st.datetimes(timezones=st.just(UTC)))
def test_a_time_comes_back_to_the_microsecond(moment: datetime) -> None:
    assert from_microseconds(to_microseconds(moment)) == moment


@settings(deadline=None)  # a busy machine is no fault
@given(st.datetimes(timezones=st.just(UTC)), st.datetimes(timezones=st.just(UTC)))
def test_times_keep_their_order(one: datetime, other: datetime) -> None:
    assert (one < other) == (to_microseconds(one) < to_microseconds(other))


def test_a_time_of_another_zone_is_the_same_moment() -> None:
    moment = datetime(2025, 1, 1, 2, tzinfo=timezone(timedelta(hours=2)))

    assert from_microseconds(to_microseconds(moment)) == datetime(2025, 1, 1, tzinfo=UTC)


def test_a_time_without_a_zone_is_refused() -> None:
    with pytest.raises(TypeError):
        to_microseconds(datetime(2025, 1, 1))


@settings(deadline=None)  # a busy machine is no fault
@given(_JSON)
def test_a_json_value_comes_back_as_text_without_nul(value: Any) -> None:
    text = to_json(value)

    assert from_json(text) == value
    assert text is None or "\0" not in text


@pytest.mark.parametrize("value", ["\ud800", {"\udfff": ["é\ud83d"]}])
def test_half_a_surrogate_pair_is_kept(value: Any) -> None:
    text = to_json(value)

    assert text is not None
    assert text.encode()
    assert from_json(text) == value
