"""The words of a jq program, as far as telling which functions and variables it uses.

jq gives no access to its syntax tree, so what a program may use is decided on its tokens.
"""

import re
from collections.abc import Generator, Iterator
from dataclasses import dataclass

_TOKEN = re.compile(
    r"""
      (?P<space>\s+|\#[^\n]*)
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
_AFTER_KEY = re.compile(r"\s*[:,}]")
_CALL = re.compile(r"\s*\(")
_PAIRS = {")": "(", "]": "[", "}": "{"}
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
    brackets: list[str] = []
    previous = ""
    position = 0
    while position < len(program):
        match = _TOKEN.match(program, position)
        if match is None:
            raise LexicalError(f"unexpected {program[position]!r}")
        kind, text = match.lastgroup, match.group()
        position = match.end()
        if kind == "space":
            continue
        if kind == "string":
            position = yield from _string(program, position)
        elif kind == "open":
            brackets.append(text)
        elif kind == "close":
            if not brackets or brackets.pop() != _PAIRS[text]:
                raise LexicalError(f"unexpected {text!r}")
        elif kind == "variable":
            yield "variable", text[1:].strip()
        elif kind == "name" and not _is_key(previous, brackets, program, position):
            yield "call" if _CALL.match(program, position) else "function", text
        previous = text
    if brackets:
        raise LexicalError(f"{brackets[-1]!r} isn't closed")


def _is_key(previous: str, brackets: list[str], program: str, position: int) -> bool:
    """Whether a name is an object's key: `{a: 1}` or `{a}`, and no call."""
    if not brackets or brackets[-1] != "{" or previous not in ("{", ","):
        return False
    return _AFTER_KEY.match(program, position) is not None


def _string(program: str, position: int) -> Generator[tuple[str, str], None, int]:
    """Reads on behind an opening quote, into `\\(…)` too; returns the place behind the string."""
    while position < len(program):
        if program.startswith("\\(", position):
            end = _interpolation_end(program, position + 2)
            yield from _names(program[position + 2 : end])
            position = end + 1
        elif program[position] == "\\":
            position += 2
        elif program[position] == '"':
            return position + 1
        else:
            position += 1
    raise LexicalError("a string isn't closed")


def _interpolation_end(program: str, position: int) -> int:
    depth = 1
    while position < len(program):
        character = program[position]
        if character == '"':
            position = _skip_string(program, position + 1)
            continue
        depth += {"(": 1, ")": -1}.get(character, 0)
        if depth == 0:
            return position
        position += 1
    raise LexicalError("a string's interpolation isn't closed")


def _skip_string(program: str, position: int) -> int:
    reading = _string(program, position)
    while True:
        try:
            next(reading)
        except StopIteration as stop:
            return int(stop.value)
