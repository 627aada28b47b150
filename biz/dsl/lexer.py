"""The words of a jq program, as far as telling which functions and variables it uses.

jq gives no access to its syntax tree, so what a program may use is decided on its tokens.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

_TOKEN = re.compile(
    r"""
      (?P<space>\s+)
    | (?P<comment>\#[^\n]*)
    | (?P<string>")
    | (?P<format>@[a-z0-9A-Z_]+)
    | (?P<field>\.[A-Za-z_]\w*)
    | (?P<variable>\$\s*[A-Za-z_]\w*(?:::[A-Za-z_]\w*)*)
    | (?P<name>[A-Za-z_]\w*(?:::[A-Za-z_]\w*)*)
    | (?P<number>(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)
    | (?P<operator>\?//=?|\.\.|[|=!<>+\-*/%?:;,.]|//)
    | (?P<open>[\[({])
    | (?P<close>[\])}])
    """,
    re.VERBOSE | re.ASCII,
)
_INTERPOLATION = "\\("
_STRING_PART = re.compile(r'(?:[^"\\]|\\[^(])*+(?P<end>"|\\\()', re.DOTALL)
_AFTER_KEY = re.compile(r"\s*[:,}]")
_PAIRS = {")": ("(", _INTERPOLATION), "]": ("[",), "}": ("{",), "end": ("if",)}
KEYWORDS = frozenset(
    "def as if then elif else end and or not reduce foreach try catch label import include "
    "__loc__ break".split()
)


class LexicalError(Exception):
    """The program can't be one of jq's."""


@dataclass(frozen=True, slots=True)
class Words:
    """What a program names: functions it calls or defines, variables it uses or binds.

    `called` are those of the functions that are given arguments.
    """

    functions: frozenset[str]
    called: frozenset[str]
    variables: frozenset[str]


def words(program: str) -> Words:
    """The names in a program; raises LexicalError where brackets or strings don't close."""
    found: dict[str, set[str]] = {"function": set(), "call": set(), "variable": set()}
    for kind, text in _names(program):
        found[kind].add(text)
    return Words(
        functions=frozenset(found["function"] | found["call"]),
        called=frozenset(found["call"]),
        variables=frozenset(found["variable"]),
    )


def _names(program: str) -> Iterator[tuple[str, str]]:
    around: list[str] = []
    previous = name = ""
    for kind, text, position in _tokens(program, around):
        if name:
            yield "call" if text == "(" else "function", name
            name = ""
        if kind == "variable":
            yield "variable", text[1:].strip()
        elif kind == "name" and not _is_key(previous, around, program, position):
            name = text
            if text == "if":
                around.append(text)
            elif text == "end":
                _close(around, text)
        previous = text
    if name:
        yield "function", name
    if around:
        raise LexicalError(f"{around[-1]!r} isn't closed")


def _tokens(program: str, around: list[str]) -> Iterator[tuple[str, str, int]]:
    """The kind and text of each token, and the place behind it.

    `around` holds the brackets that are open; a string stands for one token at each of its ends,
    with what it interpolates between them.
    """
    position = 0
    while position < len(program):
        match = _TOKEN.match(program, position)
        if match is None:
            raise LexicalError(f"unexpected {program[position]!r}")
        kind, text = match.lastgroup or "", match.group()
        position = match.end()
        if kind == "comment":
            _check_comment(text)
            continue
        if kind == "space":
            continue
        if kind == "open":
            around.append(text)
        elif kind == "close" and _close(around, text) == _INTERPOLATION:
            kind = "string"
        if kind == "string":
            position = _read_string(program, position, around)
        yield kind, text, position


def _close(around: list[str], text: str) -> str:
    """Takes away the bracket that `text` closes, and gives it."""
    opening = around.pop() if around else ""
    if opening not in _PAIRS[text]:
        raise LexicalError(f"unexpected {text!r}")
    return opening


def _check_comment(text: str) -> None:
    """jq's comments go on behind a backslash at the end of a line, which nobody needs here."""
    if "\\" in text or "\r" in text.removesuffix("\r"):
        raise LexicalError("a comment can't hold a backslash or a carriage return")


def _is_key(previous: str, around: list[str], program: str, position: int) -> bool:
    """Whether a name is an object's key: `{a: 1}` or `{a}`, and no call."""
    if not around or around[-1] != "{" or previous not in ("{", ","):
        return False
    return _AFTER_KEY.match(program, position) is not None


def _read_string(program: str, position: int, around: list[str]) -> int:
    """Reads a string on, up to its end or to what it interpolates; gives the place behind that."""
    match = _STRING_PART.match(program, position)
    if match is None:
        raise LexicalError("a string isn't closed")
    if match["end"] == _INTERPOLATION:
        around.append(_INTERPOLATION)
    return match.end()
