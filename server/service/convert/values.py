"""JSON values and google.protobuf.Value, which carries every number as a double."""

import json
import re
from math import isfinite, isnan
from sys import float_info
from typing import Any

from google.protobuf.message import Message
from google.protobuf.struct_pb2 import NULL_VALUE, Value

from biz.dsl.sizes import MAX_JSON_BYTES
from biz.errors import Violation

MAX_DEPTH = 32
# A number in a list grows the most: `1, ` has three bytes as JSON and eleven as Protobuf.
_MAX_BYTES = 4 * MAX_JSON_BYTES
_MAX_FAULTS = 100
_FIRST_INEXACT = 2**53
_LONE_SURROGATE = re.compile("[\ud800-\udfff]")

# From the root to a place: None, then (the place before, key or index). Becomes a JSON pointer only
# where there is a fault.
_Place = tuple[Any, str | int] | None


def value_from_proto(value: Value, *, field: str, faults: list[Violation]) -> Any:
    """The JSON value; whole numbers become int.

    What can't be carried is added to `faults` as a violation of `field`: whole numbers from 2^53
    on, NaN and infinities, U+0000 in a text or key, more than 32 levels of objects and lists,
    values of no kind. The result means nothing then. Reading ends after a hundred of them, and
    before what can't have at most MAX_JSON_BYTES as JSON: in Python it would take far more memory.
    """
    try:
        if value.ByteSize() > _MAX_BYTES:
            raise _TooLarge
        return _Reader(field, faults).read(value, None, 0)
    except _TooLarge:
        message = f"must have at most {MAX_JSON_BYTES} bytes as JSON, all but ASCII escaped"
        faults.append(Violation(field=field, code="too-long", message=message))
    except _TooManyFaults:
        pass
    return None


def optional_value_from_proto(
    message: Message, field: str, *, faults: list[Violation], absent: Any = None
) -> Any:
    """The JSON value that a field of `message` holds; `absent` where it isn't set."""
    if not message.HasField(field):
        return absent
    return value_from_proto(getattr(message, field), field=field, faults=faults)


def value_to_proto(value: Any) -> Value:
    """The message; never fails on what JSON can express.

    Integers that no double carries become the nearest one, NaN becomes null and infinities the
    largest number, as jq prints them. An object or list below the 32nd level becomes its JSON text,
    since nothing that reads Protobuf goes deeper. A lone surrogate becomes U+FFFD.
    """
    message = Value()
    _write(value, message, 0)
    return message


def text_to_proto(text: str) -> str:
    """The text, with U+FFFD for what UTF-8 can't carry."""
    return text if text.isascii() else _LONE_SURROGATE.sub("\ufffd", text)


class _TooLarge(Exception):
    """The value has more than MAX_JSON_BYTES as JSON."""


class _TooManyFaults(Exception):
    """Nobody reads on."""


class _Reader:
    def __init__(self, field: str, faults: list[Violation]) -> None:
        self._field = field
        self._faults = faults
        self._room = MAX_JSON_BYTES

    def read(self, value: Value, place: _Place, depth: int) -> Any:
        match value.WhichOneof("kind"):
            case "string_value":
                return self._text(value.string_value, place)
            case "number_value":
                return self._number(value.number_value, place)
            case "bool_value":
                return value.bool_value
            case "null_value":
                return None
            case "struct_value" | "list_value" if depth == MAX_DEPTH:
                self._fault(place, "too-deep", f"must be nested at most {MAX_DEPTH} levels deep")
            case "struct_value":
                fields = value.struct_value.fields
                self._take(6 * len(fields) or 2)  # `"": ` and `, ` for each
                return {
                    self._text(key, place): self.read(item, (place, key), depth + 1)
                    for key, item in fields.items()
                }
            case "list_value":
                values = value.list_value.values
                self._take(2 * len(values) or 2)  # `, ` for each
                return [
                    self.read(item, (place, index), depth + 1) for index, item in enumerate(values)
                ]
            case _:
                self._fault(place, "no-kind", "must be a JSON value; for none, send null")
        return None

    def _take(self, least: int) -> None:
        """Counts the bytes that an object or list has as JSON beside its keys and items."""
        self._room -= least
        if self._room < 0:
            raise _TooLarge

    def _text(self, text: str, place: _Place) -> str:
        if "\0" in text:
            self._fault(place, "nul", "must not hold the character U+0000")
        return text

    def _number(self, number: float, place: _Place) -> int | float:
        if not number.is_integer():
            if not isfinite(number):
                self._fault(place, "not-finite", "must be a number: not NaN, not an infinity")
            return number
        if abs(number) >= _FIRST_INEXACT:
            message = "can't be carried exactly, being 2^53 or more; write it as a string"
            self._fault(place, "inexact-number", message)
        return int(number)

    def _fault(self, place: _Place, code: str, message: str) -> None:
        violation = Violation(
            field=self._field, code=code, message=message, pointer=_pointer(place)
        )
        self._faults.append(violation)
        if len(self._faults) >= _MAX_FAULTS:
            raise _TooManyFaults


def _pointer(place: _Place) -> str:
    steps: list[str] = []
    while place is not None:
        place, step = place
        steps.append(str(step).replace("~", "~0").replace("/", "~1"))
    return "".join(f"/{step}" for step in reversed(steps))


def _write(value: Any, into: Value, depth: int) -> None:
    if isinstance(value, str):
        into.string_value = text_to_proto(value)
    elif value is None:
        into.null_value = NULL_VALUE
    elif isinstance(value, bool):
        into.bool_value = value
    elif isinstance(value, int | float):
        _write_number(value, into)
    elif depth == MAX_DEPTH:
        into.string_value = text_to_proto(_json_text(value))
    elif isinstance(value, dict):
        fields = into.struct_value.fields
        into.struct_value.SetInParent()
        for key, item in value.items():
            _write(item, fields[text_to_proto(key)], depth + 1)
    else:
        values = into.list_value.values
        into.list_value.SetInParent()
        for item in value:
            _write(item, values.add(), depth + 1)


def _write_number(number: int | float, into: Value) -> None:
    try:
        double = float(number)
    except OverflowError:
        double = float_info.max if number > 0 else -float_info.max
    if isnan(double):
        into.null_value = NULL_VALUE
    else:
        into.number_value = max(-float_info.max, min(float_info.max, double))


def _json_text(value: Any) -> str:
    try:
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    except RecursionError:
        return "(nested too deep to be shown)"
