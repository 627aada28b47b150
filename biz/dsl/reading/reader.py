"""Reads a definition's JSON values with a pointer at hand, and collects every fault found."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from biz.dsl.json_types import NAMES, describe
from biz.dsl.reading.diagnostics import Diagnostics
from biz.dsl.reading.pointers import child


class Node:
    """One value of a definition. A read that finds a fault reports it and gives an empty value.

    What is read of a definition with faults is thrown away, so an empty value does no harm.
    In a definition that `is_trusted`, since it was checked before, the checks that take long are
    left out. In one that `is_loose`, each text of a value is tried as an expression. `secrets` are
    the names of all secrets that the definition lists; a document that `is_foreign` may read none.
    """

    __slots__ = (
        "_diagnostics", "is_foreign", "is_loose", "is_trusted", "pointer", "secrets", "value",
    )  # fmt: skip

    def __init__(
        self,
        value: Any,
        pointer: str,
        diagnostics: Diagnostics,
        *,
        is_trusted: bool = False,
        is_loose: bool = False,
        secrets: Sequence[str] = (),
        is_foreign: bool = False,
    ) -> None:
        self.value = value
        self.pointer = pointer
        self._diagnostics = diagnostics
        self.is_trusted = is_trusted
        self.is_loose = is_loose
        self.secrets = secrets
        self.is_foreign = is_foreign

    def error(self, code: str, message: str) -> None:
        """Reports a fault of this value."""
        self._diagnostics.error(code, message, self.pointer)

    def warning(self, code: str, message: str) -> None:
        """Reports what is allowed, but hardly meant."""
        self._diagnostics.warning(code, message, self.pointer)

    def at(self, key: str | int) -> Node:
        """A property or item that is there."""
        return Node(
            self.value[key],
            child(self.pointer, key),
            self._diagnostics,
            is_trusted=self.is_trusted,
            is_loose=self.is_loose,
            secrets=self.secrets,
            is_foreign=self.is_foreign,
        )

    def object(
        self,
        *,
        required: Sequence[str] = (),
        optional: Sequence[str] = (),
        is_open: bool = False,
    ) -> Mapping[str, Node]:
        """The properties of an object that may have just these; all required ones are in it.

        In one that `is_open` the standard allows others, which mean nothing.
        """
        known = (*required, *optional)
        found = {}
        if self._is(dict):
            for key in self.value:
                if key in known:
                    found[key] = self.at(key)
                else:
                    self._report_unknown(key, known, is_open=is_open)
            for key in required:
                if key not in self.value:
                    self.error("missing-property", f'"{key}" is missing')
        for key in required:
            found.setdefault(key, Node(None, child(self.pointer, key), Diagnostics()))
        return found

    def mapping(self) -> Mapping[str, Node]:
        """The properties of an object with free names."""
        return {key: self.at(key) for key in self.value} if self._is(dict) else {}

    def array(self) -> Sequence[Node]:
        """The items of an array."""
        return [self.at(i) for i in range(len(self.value))] if self._is(list) else []

    def named_items(self) -> Iterator[tuple[str, Node]]:
        """The items of an array of objects with one property each, as the standard's lists are.

        Reports a name that stands twice.
        """
        names = set()
        for item in self.array():
            if not item._is(dict):
                continue
            if len(item.value) != 1:
                item.error("invalid-value", "must have exactly one property, which names it")
                continue
            name = next(iter(item.value))
            if name in names:
                item.error("duplicate-name", f'"{name}" stands twice in this list')
            names.add(name)
            yield name, item.at(name)

    @property
    def is_string(self) -> bool:
        """Whether `string` gives the value itself, and no empty one in place of another."""
        return isinstance(self.value, str)

    def string(self) -> str:
        """A string."""
        return str(self.value) if self._is(str) else ""

    def integer(self) -> int:
        """A whole number."""
        value = self.value
        if isinstance(value, bool) or not isinstance(value, int | float) or value % 1:
            self.error("wrong-type", f"must be a whole number, not {describe(value)}")
            return 0
        return int(value)

    def boolean(self) -> bool:
        """True or false."""
        return bool(self.value) if self._is(bool) else False

    def choice(self, *choices: str) -> str:
        """One of some strings; the first one in place of another."""
        if self._is(str) and self.value not in choices:
            self.error("invalid-value", f"must be one of {', '.join(choices)}")
        return self.value if self.value in choices else choices[0]

    def directive(self) -> str:
        """A flow directive: a word of the standard's, or the name of a task."""
        return str(self.value) if self._is(str) else "continue"

    def unsupported(self, what: str) -> None:
        """Reports a property of the standard that isn't built yet."""
        self.error("unsupported-property", f"{what} isn't supported yet")

    def _is(self, kind: type) -> bool:
        if isinstance(self.value, kind):
            return True
        self.error("wrong-type", f"must be {NAMES[kind]}, not {describe(self.value)}")
        return False

    def _report_unknown(self, key: str, known: Sequence[str], *, is_open: bool) -> None:
        if self._diagnostics.is_full:
            return
        close = difflib.get_close_matches(key, known, n=1)
        hint = f'did you mean "{close[0]}"?' if close else f"known are {', '.join(known)}"
        message = f'"{key}" isn\'t known here; {hint}'
        if is_open:
            self.at(key).warning("ignored-property", message)
        else:
            self.at(key).error("unknown-property", message)
