"""The tokens of a jq program, and the names in it.

jq gives no access to its syntax tree, so what a program may use is decided on its tokens.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import zip_longest

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
    | (?P<operator>\?//=?|\.\.|//=?|[|+\-*/%=!<>]=|[|=!<>+\-*/%?:;,.])
    | (?P<open>[\[({])
    | (?P<close>[\])}])
    """,
    re.VERBOSE | re.ASCII,
)
_INTERPOLATION = "\\("
_STRING_PART = re.compile(r'(?:[^"\\]|\\[^(])*+(?P<end>"|\\\()', re.DOTALL)
_PLAIN_STRING = re.compile(r'"[^"\\]*"')
_AFTER_KEY = re.compile(r"\s*[:,}]")
_PAIRS = {")": ("(", _INTERPOLATION), "]": ("[",), "}": ("{",), "end": ("if",)}
KEYWORDS = frozenset(
    "def as if then elif else end and or not reduce foreach try catch label import include "
    "__loc__ break".split()
)


class LexicalError(Exception):
    """The program can't be one of jq's."""


@dataclass(frozen=True, slots=True)
class Token:
    """A token; `inside` is the innermost bracket around it, `if` for a conditional, or nothing.

    Kinds are those of the grammar above, and `key` for a name that is an object's key. A string is
    a token at its start, and one more behind each value that it interpolates.
    """

    kind: str
    text: str
    inside: str

    @property
    def symbol(self) -> str:
        """The text of an operator, a bracket or a name; empty for all that holds data."""
        return self.text if self.kind in ("operator", "open", "close", "name") else ""


@dataclass(frozen=True, slots=True)
class Words:
    """What a program names: functions it calls or defines, variables it uses or binds.

    `called` are those of the functions that are given arguments, `defined` those that the program
    defines, and their parameters.
    """

    functions: frozenset[str]
    called: frozenset[str]
    defined: frozenset[str]
    variables: frozenset[str]


def words(tokens: Sequence[Token]) -> Words:
    """The names in a program."""
    functions, called, defined, variables = set[str](), set[str](), set[str](), set[str]()
    is_head = False  # of a definition, from `def` to its colon; `$a` in it defines `a` too
    for token, following in zip_longest(tokens, tokens[1:]):
        if token.kind == "variable":
            variables.add(token.text)
        elif token.kind == "name":
            functions.add(token.text)
            if following is not None and following.text == "(":
                called.add(token.text)
        if is_head and token.kind in ("name", "variable"):
            defined.add(token.text)
        is_head = token.text == "def" or (is_head and token.text != ":")
    return Words(frozenset(functions), frozenset(called), frozenset(defined), frozenset(variables))


def fields_of(tokens: Sequence[Token], variable: str) -> frozenset[str] | None:
    """The fields that a program reads of a variable; None where they aren't written down."""
    found = set()
    padded = [*tokens, *[Token("", "", "")] * 4]
    for place, token in enumerate(tokens):
        if (token.kind, token.text) != ("variable", variable):
            continue
        behind = padded[place + 1 : place + 5]
        if behind[0].symbol == ".":
            behind = behind[1:]
        if behind[0].kind == "field":
            found.add(behind[0].text[1:])
            continue
        if behind[0].symbol == "[" and behind[2].symbol == "]":
            behind = behind[1:]
        if not _PLAIN_STRING.fullmatch(behind[0].text):
            return None
        found.add(behind[0].text[1:-1])
    return frozenset(found)


def read_tokens(program: str) -> Sequence[Token]:
    """All tokens but space and comments; raises LexicalError where brackets or strings don't close.

    A variable's text is its name, without the `$`.
    """
    around: list[str] = []
    tokens = list(_tokens(program, around))
    if around:
        raise LexicalError(f"{around[-1]!r} isn't closed")
    return tokens


def _tokens(program: str, around: list[str]) -> Iterator[Token]:
    """Reads tokens; `around` holds the brackets that are open."""
    position = 0
    previous = ""
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
        inside = around[-1] if around else ""
        if kind == "open":
            around.append(text)
        elif kind == "close" and _close(around, text) == _INTERPOLATION:
            kind = "string"
        elif kind == "variable":
            text = text[1:].strip()
        elif kind == "name":
            if _is_key(previous, inside, program, position):
                kind = "key"
            elif text == "if":
                around.append(text)
            elif text == "end":
                _close(around, text)
        if kind == "string":
            position = _read_string(program, position, around)
            text = program[match.start() : position]
        yield Token(kind, text, inside)
        previous = text


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


def _is_key(previous: str, inside: str, program: str, position: int) -> bool:
    """Whether a name is an object's key: `{a: 1}` or `{a}`, and no call."""
    if inside != "{" or previous not in ("{", ","):
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
