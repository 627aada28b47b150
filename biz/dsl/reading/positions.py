"""Places in the text of a definition, and what is wrong with the text there."""

from dataclasses import dataclass

MAX_DEPTH = 200
"""How many objects and arrays of a definition may stand in each other."""

TOO_DEEP = f"nested too deep: more than {MAX_DEPTH} objects and arrays stand in each other"


@dataclass(frozen=True, slots=True)
class Position:
    """A place in a text, counted from 1; 0 is unknown."""

    line: int
    column: int


NOWHERE = Position(0, 0)


class SourceError(Exception):
    """The text can't be read."""

    def __init__(self, message: str, position: Position = NOWHERE) -> None:
        super().__init__(message)
        self.message = message
        self.position = position
