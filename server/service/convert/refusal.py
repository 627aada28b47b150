"""What is refused of a request: an InvalidArgument names every such field at once."""

from google.protobuf.descriptor import EnumDescriptor

from biz.errors import InvalidArgument, Violation


def refuse(faults: list[Violation]) -> None:
    """Raises InvalidArgument where there are faults."""
    if faults:
        raise InvalidArgument(faults)


def check_enum(enum: EnumDescriptor, number: int, field: str, faults: list[Violation]) -> bool:
    """Whether the enum has the number; adds a fault where it hasn't."""
    if number in enum.values_by_number:
        return True
    known = ", ".join(value.name for value in enum.values if value.number)
    faults.append(Violation(field=field, code="unknown-value", message=f"must be one of {known}"))
    return False
