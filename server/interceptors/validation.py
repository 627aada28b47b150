"""What no request may hold, whatever it asks for.

Bytes become a message here, so that what can't be read is answered like any other fault of a
request. Strings that a database refuses, and times out of their range, are found by a walk over the
message; a look at the message's type, once, and at its bytes tells most requests apart that need
none. Values and structs (google.protobuf.Value, Struct) are left to the service that reads them,
which walks over each of them anyway.
"""

from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from functools import cache
from itertools import islice
from typing import Any

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import DecodeError, Message

from biz.errors import InvalidArgument, Violation
from server.interceptors.chain import Call, Handler, Method

_MAX_FAULTS = 100
_MAX_DURATION_SECONDS = 315_576_000_000
_FIRST_SECOND = -62_135_596_800  # 0001-01-01T00:00:00Z
_LAST_SECOND = 253_402_300_799  # 9999-12-31T23:59:59Z
_SECOND = 1_000_000_000  # nanoseconds

# From the request to a fault: a field, then what leads on from its value. A link is made for each
# step of the walk, and put together only where there is a fault.
Path = tuple["Path | None", str | int]
Check = Callable[[Any, Path], Iterator[Violation]]


def validation(proceed: Handler, method: Method) -> Handler:
    """Decodes requests and checks them; raises InvalidArgument with a violation for each fault.

    Refused are strings with NUL, and times and durations out of their range. Text that isn't UTF-8,
    lone surrogates with it, can't be decoded, nor can values that are much too deep.
    """
    if not method.known:
        return proceed
    read = _reader(method.decode)
    if method.request_streaming:

        async def handle_stream(requests: AsyncIterator[bytes], call: Call) -> Any:
            return await proceed((read(raw) async for raw in requests), call)

        return handle_stream

    async def handle(request: bytes, call: Call) -> Any:
        return await proceed(read(request), call)

    return handle


def _reader(decode: Callable[[bytes], Message]) -> Callable[[bytes], Message]:
    descriptor = decode(b"").DESCRIPTOR
    times = _can_hold(descriptor, lambda field: _SPECIAL.get(_type_name(field)) is not None)
    texts = _can_hold(descriptor, lambda field: field.type == FieldDescriptor.TYPE_STRING)

    def read(raw: bytes) -> Message:
        try:
            message = decode(raw)
        except DecodeError:
            raise _undecodable() from None
        if times or (texts and b"\0" in raw):
            faults = list(islice(_message_faults(message, None), _MAX_FAULTS))
            if faults:
                raise InvalidArgument(faults)
        return message

    return read


def _undecodable() -> InvalidArgument:
    message = (
        "the request can't be read: it is no message of this kind, has text that isn't UTF-8, or "
        "values nested too deep"
    )
    return InvalidArgument([Violation(field="", code="undecodable", message=message)], message)


def _can_hold(descriptor: Any, wanted: Callable[[FieldDescriptor], bool]) -> bool:
    """Whether a message of this type can have a wanted field somewhere within."""
    seen: set[str] = set()
    ahead = [descriptor]
    while ahead:
        current = ahead.pop()
        if current.full_name in seen:
            continue
        seen.add(current.full_name)
        for field in current.fields:
            if wanted(field):
                return True
            if field.message_type is not None and _type_name(field) not in _SPECIAL:
                ahead.append(field.message_type)
    return False


def _message_faults(message: Message, path: Path | None) -> Iterator[Violation]:
    checks = _field_checks(message.DESCRIPTOR)
    for field, value in message.ListFields():
        check = checks.get(field.name)
        if check is not None:
            yield from check(value, (path, field.name))


@cache
def _field_checks(descriptor: Any) -> Mapping[str, Check]:
    """The checks of a message's fields, without those that can hold no fault."""
    checks = {}
    for field in descriptor.fields:
        entry = field.message_type
        if entry is not None and entry.GetOptions().map_entry:
            key, value = entry.fields_by_name["key"], entry.fields_by_name["value"]
            checks[field.name] = _of_map(_field_check(key), _field_check(value))
        elif (single := _field_check(field)) is not None:
            checks[field.name] = _of_list(single) if field.is_repeated else single
    return checks


def _field_check(field: FieldDescriptor) -> Check | None:
    if field.type == FieldDescriptor.TYPE_STRING:
        return _text_faults
    if field.message_type is not None:
        return _SPECIAL.get(_type_name(field), _message_faults)
    return None


def _of_list(check: Check) -> Check:
    def faults(values: Any, path: Path) -> Iterator[Violation]:
        for index, value in enumerate(values):
            yield from check(value, (path, index))

    return faults


def _of_map(check_of_key: Check | None, check_of_value: Check | None) -> Check:
    def faults(values: Any, path: Path) -> Iterator[Violation]:
        for key, value in values.items():
            here = (path, key)
            if check_of_key is not None:
                yield from check_of_key(key, here)
            if check_of_value is not None:
                yield from check_of_value(value, here)

    return faults


def _type_name(field: FieldDescriptor) -> str:
    return field.message_type.full_name if field.message_type is not None else ""


def _text_faults(text: str, path: Path) -> Iterator[Violation]:
    if "\0" in text:
        yield _violation(path, "nul", "must not hold the character U+0000")


def _timestamp_faults(time: Any, path: Path) -> Iterator[Violation]:
    if not (_FIRST_SECOND <= time.seconds <= _LAST_SECOND and 0 <= time.nanos < _SECOND):
        yield _violation(path, "out-of-range", "must be a time from year 1 to year 9999")


def _duration_faults(duration: Any, path: Path) -> Iterator[Violation]:
    sound = (
        abs(duration.seconds) <= _MAX_DURATION_SECONDS
        and abs(duration.nanos) < _SECOND
        and duration.seconds * duration.nanos >= 0
    )
    if not sound:
        yield _violation(path, "out-of-range", "must be a duration of at most 10,000 years")


# Types that aren't checked field by field, and those of them that aren't checked here at all.
_SPECIAL: Mapping[str, Check | None] = {
    "google.protobuf.Value": None,
    "google.protobuf.Struct": None,
    "google.protobuf.ListValue": None,
    "google.protobuf.Timestamp": _timestamp_faults,
    "google.protobuf.Duration": _duration_faults,
}


def _violation(path: Path, code: str, message: str) -> Violation:
    steps = []
    link: Path | None = path
    while link is not None:
        link, step = link
        steps.append(str(step).replace("~", "~0").replace("/", "~1"))
    field = steps.pop()
    pointer = "".join(f"/{step}" for step in reversed(steps))
    return Violation(field=field, code=code, message=message, pointer=pointer)
