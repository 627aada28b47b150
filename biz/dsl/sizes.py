"""How large JSON values are where they are carried."""

import json
from typing import Any

MAX_JSON_BYTES = 1_000_000
"""What a definition, an input, or the body or answer of a call may have.

A workflow's output has a limit of its own, in interpreter.py.
"""


def json_size(value: Any) -> int:
    """The bytes of a JSON value's text with all but ASCII escaped, as Temporal carries it."""
    return len(json.dumps(value))
