"""How deep a JSON value is nested."""

from typing import Any


def is_deeper(value: Any, depth: int) -> bool:
    """Whether more than `depth` objects and arrays stand in each other.

    Goes by levels, so that it takes no more of the stack for a deeper value.
    """
    level = [value]
    for _ in range(depth):
        level = [
            item
            for outer in level
            if isinstance(outer, dict | list)
            for item in (outer.values() if isinstance(outer, dict) else outer)
        ]
        if not level:
            return False
    return any(isinstance(item, dict | list) for item in level)
