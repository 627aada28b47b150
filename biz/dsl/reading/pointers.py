"""JSON pointers (RFC 6901)."""

from typing import Any


def child(pointer: str, key: str | int) -> str:
    """The pointer of a property or item of what `pointer` names."""
    return f"{pointer}/{str(key).replace('~', '~0').replace('/', '~1')}"


def find(value: Any, pointer: str) -> Any:
    """What a pointer names in a JSON value, None where there is nothing."""
    for step in pointer.split("/")[1:]:
        key = unescape(step)
        if isinstance(value, dict):
            value = value.get(key)
        elif isinstance(value, list) and key.isdecimal() and int(key) < len(value):
            value = value[int(key)]
        else:
            return None
    return value


def unescape(key: str) -> str:
    """The key that a part of a pointer stands for."""
    return key.replace("~1", "/").replace("~0", "~")
