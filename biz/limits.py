"""How much callers may send; each check gives the faults that it finds."""

from collections.abc import Iterator
from typing import Any

from biz.dsl.sizes import MAX_JSON_BYTES, json_size
from biz.errors import Violation

MAX_REASON_LENGTH = 1000
"""Characters of what people say when they control something."""


def check_present(field: str, value: str | None) -> Iterator[Violation]:
    """A text that isn't blank; None is a field that isn't set."""
    if value is not None and not value.strip():
        yield Violation(field=field, code="empty", message="is missing, or blank")


def check_length(field: str, value: str | None, limit: int) -> Iterator[Violation]:
    """A text of at most `limit` characters; None is a field that isn't set."""
    if value is not None and len(value) > limit:
        message = f"must have at most {limit} characters"
        yield Violation(field=field, code="too-long", message=message)


def check_size(field: str, value: Any) -> Iterator[Violation]:
    """A JSON value, or a text that is carried as one, within MAX_JSON_BYTES."""
    if json_size(value) > MAX_JSON_BYTES:
        message = f"must have at most {MAX_JSON_BYTES} bytes as JSON, all but ASCII escaped"
        yield Violation(field=field, code="too-long", message=message)
