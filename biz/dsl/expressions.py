"""Runtime expressions: jq, compiled once, with nothing but their data in reach.

DSL, "Runtime Expressions". A program is compiled with its variables unpacked from one input
object, since jq binds arguments at compile time. Which functions it may call is an allow-list:
they compute on their input alone and stop by themselves.
"""

import json
import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Protocol

import jq

from biz.dsl.lexer import KEYWORDS, LexicalError, words

_ALLOWED = frozenset(
    """
    abs add all any arrays ascii_downcase ascii_upcase booleans bsearch ceil contains del
    delpaths empty endswith error explode fabs finites first flatten floor fma fmax fmin fmod
    format from_entries fromdate fromdateiso8601 fromjson getpath gmtime group_by has implode
    in IN INDEX index indices infinite inside isempty isfinite isinfinite isnan isnormal iterables
    join keys keys_unsorted last length limit log log10 log2 ltrim ltrimstr map map_values max
    max_by min min_by mktime modf nan not normals nth nulls numbers objects path paths pick pow
    reverse rindex round rtrim rtrimstr scalars select significand sort skip sort_by split sqrt
    startswith strftime strings strptime to_entries toboolean todate todateiso8601 tojson tonumber
    tostream tostring transpose trim trimstr trunc type unique unique_by utf8bytelength values walk
    with_entries exp exp10 exp2 true false null recurse
    """.split()
)
_OUTSIDE = frozenset(
    """
    env builtins debug stderr input inputs input_filename input_line_number now localtime
    strflocaltime get_search_list get_jq_origin get_prog_origin modulemeta halt halt_error import
    include
    """.split()
)
MAX_LENGTH = 4_000
"""In characters: jq compiles in a time that grows with the square of it, and can't be stopped."""

_EVALUATION = re.compile(r"\s*\$\{(.*)\}\s*", re.DOTALL)
_UNDEFINED_VARIABLE = re.compile(r"\$(\w+) is not defined")
_COMPILE_ERROR = re.compile(r"jq: error: (.*?)(?: at <[^>]*>)?(?:, line \d+.*)?$", re.MULTILINE)


class Variables(Protocol):
    """The arguments of expressions at one place of a run."""

    def __getitem__(self, name: str) -> Any:
        """The value of an argument, without the `$`."""
        ...

    def charge(self, size: int) -> None:
        """Told how many characters an expression has read, so that a run can give way in time."""
        ...


class CompileError(Exception):
    """An expression that can't be used; `code` is one of the diagnostics' codes."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


class EvaluationError(Exception):
    """An expression that failed on its data."""


class _Program:
    """A program of jq, compiled once."""

    __slots__ = ("_compiled", "_source")

    def __init__(self, source: str) -> None:
        self._source = source
        self._compiled: Any = None

    def compile(self) -> Any:
        """jq's program; raises ValueError."""
        if self._compiled is None:
            self._compiled = jq.compile(self._source)
        return self._compiled


@dataclass(frozen=True, slots=True)
class Expression:
    """A runtime expression. `variables` are those of the run that it uses."""

    source: str
    variables: tuple[str, ...]
    _program: _Program

    def evaluate(self, data: Any, variables: Variables) -> Any:
        """The first result on `data`, null where there is none.

        `variables` holds at least those that the expression uses. Raises EvaluationError.
        """
        try:
            text = json.dumps(self._input(data, variables))
            variables.charge(len(text))
            return next(iter(self._program.compile().input_text(text)), None)
        except ValueError as error:
            raise EvaluationError(str(error)) from None
        except RecursionError:
            raise EvaluationError("the data is nested too deep") from None

    def _input(self, data: Any, variables: Variables) -> Any:
        if not self.variables:
            return data
        return {"d": data, "v": {name: variables[name] for name in self.variables}}


def is_evaluated(text: str) -> bool:
    """Whether a string is a runtime expression in the strict mode: `${ … }`."""
    return _EVALUATION.fullmatch(text) is not None


def unwrap(text: str) -> str:
    """The program of `${ program }`, or of a string that always is one."""
    match = _EVALUATION.fullmatch(text)
    return match.group(1).strip() if match else text.strip()


@lru_cache(maxsize=4096)
def compile_expression(
    program: str, variables: frozenset[str], *, is_trusted: bool = False
) -> Expression:
    """Reads a jq program that may use `variables`. Raises CompileError.

    One that is trusted, since it was compiled before, is compiled again only when it is evaluated:
    that takes about a millisecond.
    """
    if not program:
        raise CompileError("invalid-expression", "the expression is empty")
    if len(program) > MAX_LENGTH:
        message = f"the expression has more than {MAX_LENGTH} characters"
        raise CompileError("invalid-expression", message)
    try:
        found = words(program)
    except LexicalError as error:
        raise CompileError("invalid-expression", f"not a jq program: {error}") from None
    if "def" in found.functions:
        raise CompileError("unsupported-function", "definitions of functions aren't supported yet")
    outside = found.functions & _OUTSIDE | {"$ENV"} & {f"${name}" for name in found.variables}
    if outside:
        names = ", ".join(sorted(outside))
        raise CompileError("forbidden-function", f"{names} reaches outside of the run's data")
    if unknown := found.functions - KEYWORDS - _ALLOWED:
        message = f"{', '.join(sorted(unknown))}: unknown, or may run without a bound"
        raise CompileError("unsupported-function", message)
    if "recurse" in found.called:
        raise CompileError("unsupported-function", "recurse with arguments isn't supported yet")
    used = tuple(sorted(found.variables & variables))
    source = f"(\n{program}\n)"
    if used:
        unpacked = ",".join(f"${name}" for name in used)
        source = f".v as {{{unpacked}}} | .d | {source}"
    compiled = _Program(source)
    if not is_trusted:
        try:
            compiled.compile()
        except ValueError as error:
            raise _compile_error(str(error)) from None
    return Expression(program, used, compiled)


def _compile_error(text: str) -> CompileError:
    if undefined := _UNDEFINED_VARIABLE.search(text):
        return CompileError(
            "unavailable-variable", f"${undefined.group(1)} doesn't exist at this place"
        )
    detail = _COMPILE_ERROR.search(text)
    return CompileError(
        "invalid-expression", f"not a jq program: {detail.group(1) if detail else text}"
    )
