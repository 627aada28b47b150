from typing import Any

import pytest

from biz.idempotency import RequestKey, request_key


def digest(content: Any) -> str:
    key = request_key("Start", "shop", "r-1", content)
    assert key
    return key.digest


def test_without_a_request_id_there_is_no_key() -> None:
    assert request_key("Start", "shop", "", {"a": 1}) is None


def test_a_key_names_its_request() -> None:
    key = request_key("Start", "shop", "r-1", {"a": 1})
    assert key == RequestKey(
        namespace="shop", rpc="Start", request_id="r-1", digest=digest({"a": 1})
    )


def test_the_order_of_properties_makes_no_other_content() -> None:
    assert digest({"a": 1, "b": {"c": 2, "d": 3}}) == digest({"b": {"d": 3, "c": 2}, "a": 1})


@pytest.mark.parametrize(
    "other", [{"a": 2}, {"a": "1"}, {"a": [1]}, {"a": 1, "b": None}, {"a": None}, {}, None, [1]]
)
def test_another_value_is_another_content(other: Any) -> None:
    assert digest({"a": 1}) != digest(other)
