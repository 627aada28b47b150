"""Events: CloudEvents 1.0, each as its JSON object: attributes, and `data` or `data_base64`.

DSL, "Events"; DSL reference, "Event Properties".
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, TypeAlias

from cloudevents.core.exceptions import CloudEventValidationError
from cloudevents.core.v1.event import CloudEvent

from biz.dsl.json_types import describe
from biz.dsl.uri_templates import is_reference

Event: TypeAlias = Mapping[str, Any]

SPEC_VERSION = "1.0"
STANDARD_ATTRIBUTES = (
    "id", "source", "type", "time", "subject", "datacontenttype", "dataschema", "specversion",
)  # fmt: skip
DATA = ("data", "data_base64")

MAX_TYPE_LENGTH = 255

_TIME = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)", re.ASCII)
_JSON = re.compile(r"(application|text)/([\w.+-]+\+)?json(\s*;.*)?", re.ASCII)
_NAME = re.compile(r"[a-z0-9]+")
_CONTROL = re.compile("[\0-\x1f\x7f-\x9f]")
_ANY_TIME = datetime(1970, 1, 1, tzinfo=UTC)
_LARGEST_INTEGER = 2**31 - 1


class EventRead(StrEnum):
    """DSL reference, "Listen": what of an event is read."""

    DATA = "data"
    ENVELOPE = "envelope"
    RAW = "raw"


@dataclass(frozen=True, slots=True, kw_only=True)
class EventFault:
    """What breaks the standard: an attribute, or the event where it is empty, and how."""

    attribute: str
    message: str


def without_nulls(event: Event) -> dict[str, Any]:
    """The event without the attributes that are null, which is to say that they aren't there."""
    return {name: value for name, value in event.items() if value is not None or name in DATA[:1]}


def event_faults(event: Any) -> Sequence[EventFault]:
    """Where a JSON value isn't an event; empty where it is one."""
    if not isinstance(event, dict):
        return [EventFault(attribute="", message=f"must be an object, not {describe(event)}")]
    attributes = {name: value for name, value in event.items() if name not in DATA}
    return [*_attribute_faults(attributes), *_data_faults(event)]


def is_time(text: str) -> bool:
    """Whether a text is a time of RFC 3339."""
    return _parse_time(text) is not None


def is_attribute_name(name: str) -> bool:
    """Whether an attribute of an event can have this name."""
    return _NAME.fullmatch(name) is not None


def data_of(event: Event) -> Any:
    """The event's data: a JSON value; text as a string, and what is neither in base64."""
    if "data_base64" not in event:
        return event.get("data")
    content = base64.b64decode(event["data_base64"])
    content_type = event.get("datacontenttype", "application/json")
    try:
        if _JSON.fullmatch(content_type):
            return json.loads(content)
        if content_type.startswith("text/"):
            return content.decode()
    except (ValueError, RecursionError):
        pass
    return event["data_base64"]


def read_event(event: Event, read: EventRead) -> Any:
    """What a listen gives of an event; raw is the data's bytes in base64, as of an HTTP call."""
    if read is EventRead.ENVELOPE:
        return event
    if read is EventRead.DATA:
        return data_of(event)
    if "data_base64" in event:
        return event["data_base64"]
    data: Any = event.get("data")
    is_text = isinstance(data, str) and not _JSON.fullmatch(
        event.get("datacontenttype", "application/json")
    )
    text = data if is_text else json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    return base64.b64encode(text.encode(errors="replace")).decode()


def _attribute_faults(attributes: Mapping[str, Any]) -> Iterator[EventFault]:
    # What is missing the library would fill in: an id, the version, the present time.
    checked = {"id": "", "specversion": "", "time": _ANY_TIME, **attributes}
    time = checked["time"]
    if isinstance(time, str):
        checked["time"] = _parse_time(time)
    try:
        CloudEvent(checked)
    except CloudEventValidationError as error:
        for name in error.errors:
            yield EventFault(attribute=name, message=_message(name, attributes))
        found = set(error.errors)
    else:
        found = set()
    for name, value in attributes.items():
        if name not in found and (message := _value_fault(name, value)):
            yield EventFault(attribute=name, message=message)


def _message(name: str, attributes: Mapping[str, Any]) -> str:
    """A fault that the library found, in words for who wrote the event."""
    if name not in attributes:
        return "is missing"
    if name == "time":
        return "must be a time of RFC 3339, such as 2025-01-31T12:00:00Z"
    if name == "specversion":
        return f'must be "{SPEC_VERSION}"'
    if name in STANDARD_ATTRIBUTES:
        value = attributes[name]
        return "must not be empty" if value == "" else f"must be a string, not {describe(value)}"
    return "an attribute's name is lower-case letters and digits"


def _value_fault(name: str, value: Any) -> str:
    """What the library doesn't look at."""
    if isinstance(value, str):
        if name == "type" and len(value) > MAX_TYPE_LENGTH:
            return f"must have at most {MAX_TYPE_LENGTH} characters"
        if name in ("source", "dataschema") and not is_reference(value):
            return "must be a URI"
        return "must not hold control characters" if _CONTROL.search(value) else ""
    if isinstance(value, bool):
        return ""
    if isinstance(value, int | float):
        is_integer = value % 1 == 0 and abs(value) <= _LARGEST_INTEGER
        return "" if is_integer else "a number must be a whole one of 32 bits"
    return f"must be a string, a whole number, or true or false, not {describe(value)}"


def _data_faults(event: Event) -> Iterator[EventFault]:
    if "data_base64" not in event:
        return
    content = event["data_base64"]
    if event.get("data") is not None:
        yield EventFault(attribute="data_base64", message='must not stand beside "data"')
    try:
        if not isinstance(content, str):
            raise ValueError
        base64.b64decode(content, validate=True)
    except (binascii.Error, ValueError):
        yield EventFault(attribute="data_base64", message="must be base64")


def _parse_time(text: str) -> datetime | None:
    if not _TIME.fullmatch(text):
        return None
    try:
        return datetime.fromisoformat(text.upper())
    except ValueError:
        return None
