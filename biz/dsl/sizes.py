"""How large JSON values are where they are carried."""

import json
from dataclasses import fields
from typing import Any

MAX_JSON_BYTES = 1_000_000
"""What a definition, an input, or the body or answer of a call may have.

A workflow's output has a limit of its own, in interpreter.py.
"""


def json_size(value: Any) -> int:
    """The bytes of a value's JSON with all but ASCII escaped, as Temporal carries it.

    A dataclass in it is the object of its fields.
    """
    return len(json.dumps(value, default=_fields))


def _fields(value: Any) -> dict[str, Any]:
    return {field.name: getattr(value, field.name) for field in fields(value)}
