"""Whether a JSON value is what a test expects, and where it isn't."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from biz.dsl.json_types import is_equal
from biz.dsl.reading.pointers import child

MAX_DIFFERENCES = 20
_LONGEST = 200


def differences(expected: Any, actual: Any, pointer: str = "") -> Iterator[str]:
    """A line for each place that differs.

    An object may have more properties than are expected; an array has as many items.
    """
    if isinstance(expected, dict) and isinstance(actual, dict):
        for key, value in expected.items():
            place = child(pointer, key)
            if key in actual:
                yield from differences(value, actual[key], place)
            else:
                yield f"{place} is missing, expected {shown(value)}"
    elif isinstance(expected, list) and isinstance(actual, list):
        if len(expected) != len(actual):
            what = f"has {len(actual)} items, expected {len(expected)}"
            yield f"{pointer or 'it'} {what}: {shown(actual)}"
        for index, (one, other) in enumerate(zip(expected, actual, strict=False)):
            yield from differences(one, other, child(pointer, index))
    elif not is_equal(expected, actual):
        yield f"{pointer or 'it'} is {shown(actual)}, expected {shown(expected)}"


def shown(value: Any) -> str:
    """A value as JSON, cut where it is long."""
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
