"""How large the data of a jq program may be, so that it surely ends soon and stays small.

Decided on the program's tokens alone, and on the safe side: what can't be told has no bound.
"""

import math
from collections.abc import Iterator, Sequence
from itertools import groupby

from biz.dsl.jq.lexer import KEYWORDS, Token, Words

CONSTANT = frozenset(
    """
    abs acos acosh arrays asin asinh atan atan2 atanh booleans cbrt ceil copysign cos cosh drem
    empty endswith erf erfc error exp exp10 exp2 expm1 fabs false fdim finites first floor fma
    fmax fmin fmod frexp fromdate fromdateiso8601 gamma getpath gmtime has have_decnum
    have_literal_numbers hypot in infinite isempty isfinite isinfinite isnan isnormal iterables
    j0 j1 last ldexp length lgamma lgamma_r limit localtime log log10 log1p log2 logb ltrimstr
    mktime modf nan nearbyint nextafter nexttoward normals not now nth null nulls numbers
    objects path pow remainder rint round rtrimstr scalars scalb scalbln select significand sin
    sinh skip sqrt startswith strings tan tanh tgamma toboolean todate todateiso8601 tonumber
    trimstr true trunc type utf8bytelength values y0 y1
    """.split()
)
"""Builtin functions that take no longer for larger data, but for what their arguments do."""

LINEAR = frozenset(
    """
    add ascii_downcase ascii_upcase bsearch explode flatten format from_entries fromjson keys
    keys_unsorted ltrim max min reverse rtrim sort split to_entries tojson tostring trim unique
    """.split()
)
"""Those that pass over their input, once or about so."""

ITERATING = frozenset(
    """
    all any contains del delpaths group_by IN INDEX index indices inside join map map_values max_by
    min_by paths recurse rindex sort_by tostream transpose unique_by with_entries
    """.split()
)
"""Those that do something for each part of their input, with as much as the whole of it."""

UNBOUNDED = frozenset(
    """
    JOIN capture combinations fromstream gsub implode jn match pick range repeat scan setpath splits
    strflocaltime strftime strptime sub test truncate_stream until walk while yn
    """.split()
)
"""Those of which nothing can be told: they loop, search by patterns, or make up places. Dates by
a format are among them, since `%s` and `%Z` read the time zone of the process."""

_LOOPS = UNBOUNDED | {"def", "foreach", "reduce"}
_STEPS = 30_000_000
"""What a program may do in the process: well below a second, and some hundred megabytes."""

_LARGEST = 8_000_000
"""In characters: so much is read and written as JSON in half a second."""

_STEPS_OF_A_PASS = 200
"""The slowest of LINEAR takes so many for a character."""

_GROWTH_OF_TEXT = 4
"""What escaping and the like may make of a character, each time."""

_GROWING = frozenset("explode format split to_entries tojson tostring".split())
_STAGES = frozenset({"|", "as", "catch", "?//"})
_ASSIGNMENTS = frozenset({"=", "|=", "+=", "-=", "*=", "/=", "%=", "//=", "?//="})
_SILENCERS = frozenset({"try", "?", "//", "//=", "?//", "?//="})
_CONSTANT_OPERATORS = frozenset({"+", "-", "*", "/", "%", "(", ")"})
_NOTHING = Token("", "", "")


def largest_input(tokens: Sequence[Token], words: Words) -> int:
    """The size of a JSON text up to which a program on it is bounded; 0 where nothing can be told.

    At first there is the input and what the program writes down, times the copies that it makes.
    Each iteration may cross all that there is with all that there is.
    """
    if _is_unbounded(tokens, words):
        return 0
    iterations = sum(_iterates(*three) for three in _threes(tokens))
    written = sum(len(token.text) for token in tokens if token.kind in ("string", "key", "number"))
    passes = words.functions & LINEAR or any(_makes_text(token) for token in tokens)
    steps = _STEPS // (_STEPS_OF_A_PASS if passes else 1)
    size = _root(steps, iterations + 1) // (_copies(tokens) * _choices(tokens)) - written
    return max(0, min(size, _LARGEST))


def multiplies(tokens: Sequence[Token]) -> bool:
    """Whether a program multiplies, which repeats a string."""
    return any(token.symbol in ("*", "*=") for token in tokens)


def largest_constant(tokens: Sequence[Token]) -> float:
    """The characters of the longest string that jq may make while it compiles the program."""
    longest = 0.0
    for _, run in groupby(tokens, key=_is_constant):
        literals = list(run)
        numbers = [float(token.text) for token in literals if token.kind == "number"]
        written = sum(len(token.text) for token in literals if token.kind == "string")
        if multiplies(literals):
            factors = [max(number, 1 / number if number else 1) for number in numbers]
            longest = max(longest, written * math.prod(factors))
    return longest


def _is_constant(token: Token) -> bool:
    if token.kind == "string":
        return token.text.startswith('"') and not _interpolates(token)
    return token.kind == "number" or token.symbol in _CONSTANT_OPERATORS


def _is_unbounded(tokens: Sequence[Token], words: Words) -> bool:
    symbols = {token.symbol for token in tokens}
    if words.functions & _LOOPS or "recurse" in words.called:
        return True
    if "split" in words.called and ";" in symbols:  # by a pattern
        return True
    if multiplies(tokens) and symbols & _SILENCERS:  # that it was a string must not be silenced
        return True
    has_index = any(_is_suffix(before, token) for before, token, _ in _threes(tokens))
    chooses_places = has_index or words.functions & {"getpath", "nth"}
    return bool(symbols & _ASSIGNMENTS and chooses_places)  # `.[1000000000] = 1` makes an array


def _iterates(before: Token, token: Token, after: Token) -> bool:
    """Whether a token makes the program do something for each part of its data."""
    if token.kind == "name":
        return token.text in ITERATING
    if _is_suffix(before, token):  # `.[$a]` may search an array in an array
        return after.kind not in ("string", "number") and after.text != "-"
    if token.symbol in ("-", "-="):  # of arrays
        return _is_end(before) and "number" not in (before.kind, after.kind)
    return token.symbol == ".."


def _copies(tokens: Sequence[Token]) -> int:
    """How much larger a value can get by the references to others that it is made of."""
    copies, references = 1, 0
    for before, token, after in _threes(tokens):
        if token.symbol in _STAGES:
            copies, references = copies * max(1, references), 0
        elif _makes_text(token):
            copies *= _GROWTH_OF_TEXT
        references += _refers(before, token, after)
    return copies * max(1, references)


def _refers(before: Token, token: Token, after: Token) -> bool:
    match token.kind:
        case "field":
            return not _is_end(before)
        case "operator":
            return token.text == ".." or (token.text == "." and not _is_end(before))
        case "name":
            return token.text not in KEYWORDS and token.text != "map"
        case "key" | "string":
            return token.inside == "{" and after.text != ":"
    return token.kind == "variable"


def _choices(tokens: Sequence[Token]) -> int:
    """How many results the program may have by its commas, crossed by all that stands between."""
    choices, commas = 1, 0
    for before, token, _ in _threes(tokens):
        if token.symbol == "," and token.inside != "{":
            commas += 1
        elif (
            token.kind in ("operator", "string")
            or token.symbol in KEYWORDS
            or _is_suffix(before, token)
        ):
            choices, commas = choices * (commas + 1), 0
    return choices * (commas + 1)


def _makes_text(token: Token) -> bool:
    starts_interpolating = token.text.startswith('"') and _interpolates(token)
    return token.kind == "format" or starts_interpolating or token.symbol in _GROWING


def _interpolates(token: Token) -> bool:
    return token.kind == "string" and token.text.endswith("\\(")


def _is_suffix(before: Token, token: Token) -> bool:
    """Whether a token is the bracket of an index or an iteration."""
    return token.symbol == "[" and _is_end(before)


def _is_end(token: Token) -> bool:
    """Whether a term ends with a token, or goes on behind it."""
    if token.kind == "name":
        return token.text not in KEYWORDS or token.text in ("end", "__loc__")
    if token.kind == "operator":
        return token.text in ("?", ".", "..")
    return token.kind in ("field", "variable", "number", "string", "close")


def _threes(tokens: Sequence[Token]) -> Iterator[tuple[Token, Token, Token]]:
    """Each token, between those around it."""
    padded = [_NOTHING, *tokens, _NOTHING]
    return zip(padded, tokens, padded[2:], strict=False)


def _root(value: int, degree: int) -> int:
    """The largest whole number whose power isn't above `value`; no rounding, the same anywhere."""
    root = int(value ** (1 / degree))
    while root**degree > value:
        root -= 1
    while (root + 1) ** degree <= value:
        root += 1
    return root
