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
