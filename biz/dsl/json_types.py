"""The types of JSON values, as people read of them."""

from typing import Any

NAMES = {dict: "an object", list: "an array", str: "a string", bool: "true or false"}


def describe(value: Any) -> str:
    """The JSON type of a value, with its article."""
    if value is None:
        return "null"
    if isinstance(value, int | float) and not isinstance(value, bool):
        return "a number"
    return NAMES[type(value)]


def is_equal(one: Any, other: Any) -> bool:
    """Whether two JSON values are the same; other than in Python, true isn't 1."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(is_equal(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(is_equal, one, other))
    return bool(one == other)
