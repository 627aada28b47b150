"""What is said of a name that isn't there."""

from collections.abc import Collection
from difflib import get_close_matches
from itertools import islice

_SHOWN = 20


def unknown_name(kind: str, name: str, names: Collection[str]) -> str:
    """The message on a name that `use` doesn't have; `kind` is the property under it."""
    message = f'use.{kind} has no "{name}"'
    if close := get_close_matches(name, names, n=1):
        return f'{message}; did you mean "{close[0]}"?'
    known = ", ".join(islice(names, _SHOWN))
    return f"{message}; it has {known}" if known else message
