"""Points in time, and times between them."""

from datetime import UTC, datetime

from google.protobuf.duration_pb2 import Duration
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp


def time_to_proto(time: datetime) -> Timestamp:
    """The message."""
    message = Timestamp()
    message.FromDatetime(time)
    return message


def optional_time_to_proto(time: datetime | None) -> Timestamp | None:
    """The message, where there is a time."""
    return None if time is None else time_to_proto(time)


def time_from_proto(time: Timestamp) -> datetime:
    """The time, in UTC."""
    return time.ToDatetime(tzinfo=UTC)


def optional_time_from_proto(message: Message, field: str) -> datetime | None:
    """The time that a field of `message` holds, where it is set."""
    return time_from_proto(getattr(message, field)) if message.HasField(field) else None


def span_to_proto(start: datetime | None, end: datetime | None) -> Duration | None:
    """How long it took, where it has begun and ended."""
    if start is None or end is None:
        return None
    message = Duration()
    message.FromTimedelta(end - start)
    return message
