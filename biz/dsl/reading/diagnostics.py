"""What is wrong with a definition: a diagnostic a fault, with a stable code and a pointer."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Self

from biz.dsl.reading.positions import SourceError

CODES = {
    "syntax": "The text is neither JSON nor YAML, or holds what JSON can't (NaN, a tag, "
    "a key that isn't a string, an alias).",
    "wrong-type": "A value has another JSON type than the standard asks for.",
    "missing-property": "A required property is missing.",
    "unknown-property": "A property that the standard doesn't know at this place.",
    "invalid-value": "A value is outside of what the standard allows here.",
    "unusable-value": "A value that has the standard's form, but with which nothing can be done.",
    "unknown-task": "A task has none of the properties that tell its kind.",
    "empty": "A list or object that must hold something is empty.",
    "duplicate-name": "Two tasks or cases of one list have the same name.",
    "unknown-target": "A flow directive names a task that isn't in the same list.",
    "unknown-reference": "A name isn't defined under `use`, or a call names no function.",
    "endless-recursion": "A function calls itself whatever its data.",
    "invalid-expression": "A runtime expression doesn't compile.",
    "forbidden-function": "A runtime expression uses a function that reaches outside of its data.",
    "unsupported-function": "A runtime expression uses a function that isn't there.",
    "unavailable-variable": "A runtime expression uses a variable that doesn't exist at its place.",
    "invalid-variable": "The name given to a variable isn't an identifier.",
    "invalid-duration": "A duration isn't ISO 8601, nor an object of whole numbers.",
    "unusable-duration": "A duration is negative or longer than a hundred years.",
    "invalid-schedule": "A schedule names no time, an interval that isn't fixed or can't be kept, "
    "another cron expression than one of Unix's five fields, or options that don't fit.",
    "invalid-hook": "A hook on faults names neither a workflow nor an HTTP address, or there are "
    "too many of them.",
    "invalid-uri": "A text isn't a URI.",
    "invalid-uri-template": "A URI template has a brace without its partner, or uses more than "
    "simple expansion.",
    "incomplete-authentication": "An OAuth2 or OpenIdConnect policy lacks what its grant, or the "
    "authentication of its client, needs.",
    "invalid-schema": "A JSON Schema isn't valid, or refers to something outside of itself.",
    "invalid-event": "An event without attributes, or with one that none can have, is emitted.",
    "unsupported-version": "The definition's DSL version isn't one of 1.0.x.",
    "ignored-property": "A property that means nothing at its place, though it may stand there.",
    "unmatched-filter": "A filter asks for a property that no error has, so it catches none.",
    "unsupported-protocol": "Messages go by a protocol that this engine doesn't speak.",
    "unsupported-property": "A property of the standard that isn't supported yet.",
    "unreachable-task": "A task that no other one leads to.",
    "endless-loop": "Tasks that lead to one another without a way out, of which none waits.",
    "literal-expression": "A text holds `${` but isn't an expression as a whole, so it stays.",
    "encoded-address": "An address begins with a variable, whose `:` and `/` are percent-encoded.",
    "unfetchable-document": "A document's address is neither http nor https, so it can't be had.",
}

STRUCTURAL = frozenset(
    """
    wrong-type missing-property unknown-property invalid-value unknown-task empty invalid-duration
    invalid-uri
    """.split()
)
"""Those of what the standard's schema refuses too; the others are of what it can't tell."""

MAX_FOUND = 100
"""So many faults are told at once; a text of the largest size could hold a hundred thousand."""


class Severity(StrEnum):
    """Errors refuse a definition, warnings don't."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnostic:
    """One fault. `pointer` is a JSON pointer; `line` and `column` count from 1, 0 is unknown."""

    code: str
    message: str
    pointer: str
    severity: Severity = Severity.ERROR
    line: int = 0
    column: int = 0

    @classmethod
    def of_syntax(cls, error: SourceError) -> Self:
        """That of a text which can't be read."""
        return cls(
            code="syntax",
            message=error.message,
            pointer="",
            line=error.position.line,
            column=error.position.column,
        )


class Diagnostics:
    """Collects what is found on one walk over a definition, up to MAX_FOUND."""

    def __init__(self) -> None:
        self._found: list[Diagnostic] = []
        self._known: set[Diagnostic] = set()

    def error(self, code: str, message: str, pointer: str) -> None:
        """Adds an error; `code` is one of CODES."""
        self._add(Diagnostic(code=code, message=message, pointer=pointer))

    def warning(self, code: str, message: str, pointer: str) -> None:
        """Adds a warning; `code` is one of CODES."""
        severity = Severity.WARNING
        self._add(Diagnostic(code=code, message=message, pointer=pointer, severity=severity))

    @property
    def is_full(self) -> bool:
        """Whether nothing more is kept."""
        return len(self._found) == MAX_FOUND

    @property
    def has_errors(self) -> bool:
        """Whether one of them refuses the definition."""
        return any(found.severity is Severity.ERROR for found in self._found)

    def _add(self, diagnostic: Diagnostic) -> None:
        if diagnostic.code not in CODES:
            raise KeyError(diagnostic.code)
        if not self.is_full and diagnostic not in self._known:
            self._known.add(diagnostic)
            self._found.append(diagnostic)

    def all(self) -> tuple[Diagnostic, ...]:
        """All that was found, in the order of finding."""
        return tuple(self._found)
