"""JSON that comes from outside while a workflow runs, as values of the language."""

import json
import math
from typing import Any

_LARGEST_EXACT = 2**53


def parse_json(text: str | bytes) -> Any:
    """The value of a JSON text; raises ValueError.

    Numbers are doubles in the language; whole ones that are exact stay whole.
    """
    try:
        return json.loads(text, parse_int=_number, parse_float=_finite, parse_constant=_finite)
    except RecursionError:
        raise ValueError("nested too deep") from None


def _number(text: str) -> int | float:
    number = _finite(text)
    return int(text) if abs(number) < _LARGEST_EXACT else number


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(text)
    return number
