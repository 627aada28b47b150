"""YAML as the text of a definition: the core schema of YAML 1.2, so that `on` is a string.

What JSON can't hold is refused: aliases, tags of one's own, keys that aren't strings.
"""

import math
import re
from collections.abc import Callable
from typing import Any

import yaml

from biz.dsl.reading.pointers import child
from biz.dsl.reading.positions import MAX_DEPTH, NOWHERE, TOO_DEEP, Position, SourceError

_TAG = "tag:yaml.org,2002:"
_BASES = {"0o": 8, "0x": 16}
_SHOWN = 40


def _integer(text: str) -> int:
    base = _BASES.get(text[:2], 10)
    if base == 10:
        _float(text)
    return int(text, base)


def _float(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(text)
    return number


_CORE: tuple[tuple[str, re.Pattern[str], Callable[[str], Any]], ...] = (
    ("null", re.compile(r"~|null|Null|NULL|"), lambda text: None),
    ("bool", re.compile(r"true|True|TRUE"), lambda text: True),
    ("bool", re.compile(r"false|False|FALSE"), lambda text: False),
    ("int", re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+"), _integer),
    ("float", re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?"), _float),
    ("float", re.compile(r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)"), _float),
)
"""The scalars that are no strings: a tag, its pattern, and how it is read."""


def load(text: str, *, any_keys: bool = False) -> Any:
    """The JSON value of a YAML text. Raises SourceError.

    With `any_keys`, scalar keys that aren't strings are taken as written.
    """
    return _build(text, {}, any_keys=any_keys)


def positions(text: str) -> dict[str, Position]:
    """The place of each value of a YAML text, by its JSON pointer."""
    places: dict[str, Position] = {}
    _build(text, places, any_keys=True)
    return places


def _build(text: str, places: dict[str, Position], *, any_keys: bool) -> Any:
    builder = _Builder(places, any_keys=any_keys)
    try:
        # Events and a stack of our own: PyYAML's composer calls itself for each level, and a text
        # that is deep enough overflows the stack of the process.
        for event in yaml.parse(text, Loader=yaml.CSafeLoader):
            builder.take(event)
    except yaml.MarkedYAMLError as error:
        position = _position(error.problem_mark)
        raise SourceError(f"not YAML: {error.problem or error.context}", position) from None
    except yaml.YAMLError:
        raise SourceError("holds a character that YAML doesn't allow") from None
    return builder.value


class _Collection:
    """An object or array that is being read, with the pointer of its next value."""

    __slots__ = ("key", "pointer", "value")

    def __init__(self, value: Any, pointer: str) -> None:
        self.value = value
        self.pointer = pointer
        self.key: str | None = None

    def next_pointer(self) -> str:
        """Where the next value stands."""
        if self.key is not None:
            return child(self.pointer, self.key)
        return child(self.pointer, len(self.value))

    def wants_key(self) -> bool:
        """Whether a key comes next."""
        return isinstance(self.value, dict) and self.key is None

    def add(self, value: Any) -> None:
        """Puts the next value."""
        if self.key is None:
            self.value.append(value)
        else:
            self.value[self.key] = value
            self.key = None


class _Builder:
    """Makes the JSON value of YAML's events, and notes its places."""

    def __init__(self, places: dict[str, Position], *, any_keys: bool) -> None:
        self._places = places
        self._any_keys = any_keys
        self._around: list[_Collection] = []
        self._documents = 0
        self.value: Any = None

    def take(self, event: yaml.Event) -> None:
        """The next event."""
        match event:
            case yaml.DocumentStartEvent():
                self._documents += 1
                if self._documents > 1:
                    raise _fault(event, "more than one document")
            case yaml.AliasEvent():
                raise _fault(event, "aliases aren't read; write the value out")
            case yaml.ScalarEvent():
                self._scalar(event)
            case yaml.MappingStartEvent():
                self._begin(event, {}, "map")
            case yaml.SequenceStartEvent():
                self._begin(event, [], "seq")
            case yaml.MappingEndEvent() | yaml.SequenceEndEvent():
                self._around.pop()

    def _scalar(self, event: yaml.ScalarEvent) -> None:
        if not self._around or not self._around[-1].wants_key():
            self._add(event, _read_scalar(event))
        elif self._any_keys:
            self._key(event, str(event.value))
        else:
            self._key(event, _read_scalar(event))

    def _key(self, event: yaml.Event, key: Any) -> None:
        if not isinstance(key, str):
            raise _fault(event, f"the key {_show(key)} must be a string; put it in quotes")
        if key in self._around[-1].value:
            raise _fault(event, f"the key {_show(key)} stands twice")
        self._around[-1].key = key

    def _begin(self, event: yaml.CollectionStartEvent, value: Any, tag: str) -> None:
        if event.tag not in (None, "!", _TAG + tag):
            raise _fault(event, f"the tag {_show(event.tag)} has no meaning in JSON")
        if self._around and self._around[-1].wants_key():
            raise _fault(event, "a key must be a string, not an object or array")
        if len(self._around) == MAX_DEPTH:
            raise _fault(event, TOO_DEEP)
        pointer = self._add(event, value)
        self._around.append(_Collection(value, pointer))

    def _add(self, event: yaml.Event, value: Any) -> str:
        """Puts a value where it belongs, and gives its pointer."""
        pointer = ""
        if self._around:
            pointer = self._around[-1].next_pointer()
            self._around[-1].add(value)
        else:
            self.value = value
        self._places[pointer] = _position(event.start_mark)
        return pointer


def _read_scalar(event: yaml.ScalarEvent) -> Any:
    text = str(event.value)
    is_plain, _ = event.implicit
    tag = event.tag
    if tag in ("!", _TAG + "str") or (tag is None and not is_plain):
        return text
    try:
        for name, pattern, read in _CORE:
            if tag in (None, _TAG + name) and pattern.fullmatch(text):
                return read(text)
    except ValueError:
        raise _fault(event, f"{_show(text)} is no number, or too large") from None
    if tag is None:
        return text
    raise _fault(event, f"{_show(text)} with the tag {_show(tag)} is no value of JSON")


def _fault(event: yaml.Event, message: str) -> SourceError:
    return SourceError(message, _position(event.start_mark))


def _position(mark: Any) -> Position:
    """The place of one of PyYAML's marks, of which it has two classes."""
    return Position(mark.line + 1, mark.column + 1) if mark else NOWHERE


def _show(value: Any) -> str:
    return repr(value)[:_SHOWN]
