"""Keeps the secrets that a call was given out of what is told of it."""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any
from urllib.parse import quote, quote_plus

_REDACTED = "***"
_SHORTEST = 3
"""In characters: what is shorter keeps no secret, and stands in too many words."""

_SHORTEST_LINE = 8
"""Of a secret that has several."""


class Secrecy:
    """The secrets of one call."""

    def __init__(self) -> None:
        self._texts: set[str] = set()

    def add(self, value: Any) -> None:
        """Every text and number in a JSON value is a secret from now on."""
        if isinstance(value, dict):
            for item in value.values():
                self.add(item)
        elif isinstance(value, list):
            for item in value:
                self.add(item)
        elif isinstance(value, str) or (
            isinstance(value, int | float) and not isinstance(value, bool)
        ):
            text = str(value)
            forms = {text, quote(text), quote(text, safe=""), quote_plus(text)}
            forms |= {json.dumps(text)[1:-1], json.dumps(text, ensure_ascii=False)[1:-1]}
            self._texts |= {form for form in forms if len(form) >= _SHORTEST}
            if len(lines := text.splitlines()) > 1:  # a log tells lines one by one
                self._texts |= {line for line in lines if len(line) >= _SHORTEST_LINE}

    def redact(self, text: str) -> str:
        """The text without secrets, in whatever case: the host of a URL is told in lower case."""
        for secret in sorted(self._texts, key=len, reverse=True):
            text = re.sub(re.escape(secret), _REDACTED, text, flags=re.IGNORECASE)
        return text


_CURRENT: ContextVar[Secrecy | None] = ContextVar("secrecy", default=None)


@contextmanager
def secrecy() -> Iterator[Secrecy]:
    """The secrets of the call that is made in the block."""
    secrets = Secrecy()
    token = _CURRENT.set(secrets)
    try:
        yield secrets
    finally:
        _CURRENT.reset(token)


def keep_secret(value: Any) -> None:
    """Adds to the secrets of the call that is being made."""
    if secrets := _CURRENT.get():
        secrets.add(value)


def redact(text: str) -> str:
    """A text without the secrets of the call that is being made."""
    secrets = _CURRENT.get()
    return secrets.redact(text) if secrets else text


def holds_secret(text: str) -> bool:
    """Whether a secret of the call that is being made stands in a text."""
    return redact(text) != text
