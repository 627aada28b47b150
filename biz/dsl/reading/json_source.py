"""JSON as the text of a definition."""

import json
import math
import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from typing import Any

from biz.dsl.depth import is_deeper
from biz.dsl.reading.pointers import child
from biz.dsl.reading.positions import MAX_DEPTH, TOO_DEEP, Position, SourceError

_TOKEN = re.compile(
    r"""
      (?P<string>"[^"\\]*(?:\\.[^"\\]*)*")(?P<colon>\s*:)?
    | (?P<open>[\[{])
    | (?P<close>[\]}])
    | (?P<scalar>[^\s,:\[\]{}"]+)
    """,
    re.VERBOSE,
)
_SURROGATE = re.compile("[\ud800-\udfff]")
_SHOWN = 40


class NotJson(Exception):
    """The text breaks JSON's grammar, at `position`."""

    def __init__(self, message: str, position: Position) -> None:
        super().__init__(message)
        self.position = position


class _Refused(Exception):
    """The grammar allows it, and a definition doesn't."""


def load(text: str) -> Any:
    """The value of a JSON text.

    Raises NotJson; and SourceError for a key that stands twice, a number that is no finite double,
    half of a surrogate pair, and too deep a nesting.
    """
    try:
        value = json.loads(
            text,
            object_pairs_hook=_unique,
            parse_constant=_refuse,
            parse_float=_finite,
            parse_int=_whole,
        )
    except json.JSONDecodeError as error:
        raise NotJson(error.msg, Position(error.lineno, error.colno)) from None
    except (_Refused, RecursionError):
        raise _first_fault(text) from None
    if is_deeper(value, MAX_DEPTH) or ("\\u" in text and _has_surrogate(value)):
        raise _first_fault(text)
    return value


def positions(text: str) -> dict[str, Position]:
    """The place of each value of a JSON text, by its JSON pointer."""
    place = _Places(text)
    return {token.pointer: place(token.offset) for token in _tokens(text) if not token.is_key}


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    mapping = dict(pairs)
    if len(mapping) < len(pairs):
        raise _Refused
    return mapping


def _refuse(constant: str) -> Any:
    raise _Refused


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise _Refused
    return number


def _whole(text: str) -> int:
    _finite(text)
    return int(text)


def _has_surrogate(value: Any) -> bool:
    return _SURROGATE.search(json.dumps(value, ensure_ascii=False)) is not None


@dataclass(frozen=True, slots=True)
class _Token:
    """A key, or the begin of a value; `depth` counts the objects and arrays that are open."""

    pointer: str
    text: str
    offset: int
    depth: int
    is_key: bool


def _tokens(text: str) -> Iterator[_Token]:
    """The keys and values of a text as far as it follows JSON's grammar, in their order."""
    around: list[tuple[str, Iterator[int] | None]] = []
    pointer = ""
    for match in _TOKEN.finditer(text):
        if match["close"]:
            around.pop()
            continue
        outer, indexes = around[-1] if around else ("", None)
        if match["colon"]:
            pointer = child(outer, json.loads(match["string"]))
        elif indexes is not None:
            pointer = child(outer, next(indexes))
        if match["open"]:
            around.append((pointer, count() if match["open"] == "[" else None))
        shown = match["string"] or match.group()
        yield _Token(pointer, shown, match.start(), len(around), match["colon"] is not None)


def _first_fault(text: str) -> SourceError:
    """What is wrong with a text that is JSON up to its first fault."""
    keys = set()
    for token in _tokens(text):
        message = ""
        if token.depth > MAX_DEPTH:
            message = TOO_DEEP
        elif token.text.startswith('"'):
            if _SURROGATE.search(json.loads(token.text)):
                message = "holds half of a surrogate pair"
            elif token.is_key and token.pointer in keys:
                message = f"the key {token.text[:_SHOWN]} stands twice"
            if token.is_key:
                keys.add(token.pointer)
        elif not _is_finite(token.text):
            message = f"{token.text[:_SHOWN]} is no number, or too large"
        if message:
            return SourceError(message, _Places(text)(token.offset))
    raise AssertionError("a text is refused for a fault in it")


def _is_finite(text: str) -> bool:
    """Whether what begins a value other than a string is no number, or one of finite size."""
    return text in ("[", "{", "true", "false", "null") or math.isfinite(float(text))


class _Places:
    """The line and column of an offset."""

    def __init__(self, text: str) -> None:
        self._starts = [0, *(match.end() for match in re.finditer("\n", text))]

    def __call__(self, offset: int) -> Position:
        line = bisect_right(self._starts, offset)
        return Position(line, offset - self._starts[line - 1] + 1)
