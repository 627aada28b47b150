"""JSON pointers (RFC 6901)."""


def child(pointer: str, key: str | int) -> str:
    """The pointer of a property or item of what `pointer` names."""
    return f"{pointer}/{str(key).replace('~', '~0').replace('/', '~1')}"
