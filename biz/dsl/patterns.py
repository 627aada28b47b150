"""Regular expressions that are matched in a time that grows with the text, and no faster."""

from functools import lru_cache
from typing import Any

import re2  # type: ignore[import-untyped] # it has no types


def matches(pattern: str, text: str) -> bool:
    """Whether a pattern that has no fault is somewhere in a text."""
    try:
        return _compile(pattern).search(text) is not None
    except UnicodeEncodeError:  # half of a surrogate pair, which no pattern can hold
        return False


def fault(pattern: str) -> str | None:
    """What is wrong with a pattern, such as that it looks around or back; None for nothing."""
    try:
        _compile(pattern)
    except UnicodeEncodeError:
        return "it holds half of a surrogate pair"
    except re2.error as error:
        reason = error.args[0]
        return reason.decode() if isinstance(reason, bytes) else str(reason)
    return None


@lru_cache(maxsize=1024)
def _compile(pattern: str) -> Any:
    options = re2.Options()
    options.log_errors = False
    return re2.compile(pattern, options)
