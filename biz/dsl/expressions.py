"""Runtime expressions: jq, compiled once, with nothing but their data in reach.

DSL, "Runtime Expressions". A program is compiled with its variables unpacked from one input
object, since jq binds arguments at compile time. It may call functions that compute on their input
alone; the time is the run's own, and comes in like a variable. What surely ends soon is evaluated
here, the rest where it can be stopped.
"""

import json
import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Protocol

import jq

from biz.dsl.deferral import LEFT_TO_ACTIVITIES, SECRETS, Deferred
from biz.dsl.jq import bounds
from biz.dsl.jq.lexer import (
    KEYWORDS,
    LexicalError,
    Words,
    fields_of,
    read_tokens,
    words,
)

ALLOWED = bounds.CONSTANT | bounds.LINEAR | bounds.ITERATING | bounds.UNBOUNDED | KEYWORDS
OUTSIDE = frozenset(
    """
    env builtins debug stderr input inputs input_filename input_line_number get_search_list
    get_jq_origin get_prog_origin modulemeta halt halt_error import include
    """.split()
)
MAX_LENGTH = 4_000
"""In characters: jq compiles in a time that grows with the square of it, and can't be stopped."""

CLOCK = "__now"
"""The variable that holds the time of the run's clock, in seconds since 1970."""

_CLOCK_FUNCTIONS = {
    "now": f"def now: ${CLOCK};",
    "localtime": "def localtime: gmtime;",
    "strflocaltime": "def strflocaltime(f): strftime(f);",
}
"""What stands for jq's functions that read the machine's clock and time zone; a run's is UTC."""

_LARGEST_CONSTANT = 1_000_000
"""In characters: jq multiplies constants when it compiles."""

_REPEATS = "a string is multiplied"
_MULTIPLICATION = f"""
def number_multiply(a; b): _multiply(a; b);
def _multiply(a; b): b as $b | a as $a
  | if ($a | type) == "string" or ($b | type) == "string" then error("{_REPEATS}")
    else number_multiply($a; $b) end;
"""
"""Stands for jq's operator where a program is evaluated in the process."""

_WHERE_SECRETS_STAND = (
    "$secrets may stand in the definition and input.from of call and run tasks and in "
    "authentications, $authorization only in the definition of call and run tasks"
)
_EVALUATION = re.compile(r"\s*\$\{(.*)\}\s*", re.DOTALL)
_UNDEFINED_VARIABLE = re.compile(r"\$(\w+) is not defined")
_COMPILE_ERROR = re.compile(r"jq: error: (.*?)(?: at <[^>]*>)?(?:, line \d+.*)?$", re.MULTILINE)


class Variables(Protocol):
    """The arguments of expressions at one place of a run."""

    def __getitem__(self, name: str) -> Any:
        """The value of an argument, without the `$`."""
        ...

    async def charge(self, size: int) -> None:
        """Told how many characters an expression has read, so that a run can give way in time."""
        ...

    async def evaluate(self, program: str, data: str) -> Any:
        """Evaluates what may not end by itself; see Runtime."""
        ...


class CompileError(Exception):
    """An expression that can't be used; `code` is one of the diagnostics' codes."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


class EvaluationError(Exception):
    """An expression that failed on its data."""


class _HoldsDeferred(Exception):
    """The data of an expression holds what only an activity evaluates."""


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
    """A runtime expression. `variables` are those of the run that it uses.

    `secrets` are the names of the secrets that it reads, None where only its data will tell.
    `bound` is the size of its data, in characters of JSON, up to which it surely ends soon.
    """

    source: str
    variables: tuple[str, ...]
    secrets: frozenset[str] | None
    bound: int
    _unpacked: str
    _program: _Program

    def is_bounded(self, size: int) -> bool:
        """Whether it is evaluated in the process; depends on nothing else, for a replay."""
        return size <= self.bound

    async def evaluate(self, data: Any, variables: Variables) -> Any:
        """The first result on `data`, null where there is none; a Deferred where secrets are read.

        `variables` holds at least those that the expression uses. Raises EvaluationError.
        """
        if LEFT_TO_ACTIVITIES.isdisjoint(self.variables):
            try:
                return await self.compute(data, variables)
            except _HoldsDeferred:
                pass
        arguments = {
            name: variables[name] for name in self.variables if name not in LEFT_TO_ACTIVITIES
        }
        return Deferred(self.source, False, data, arguments)

    async def compute(self, data: Any, variables: Variables) -> Any:
        """The same where all that the expression reads is at hand, secrets too."""
        try:
            text = json.dumps(self._input(data, variables), default=_refuse_deferred)
        except RecursionError:
            raise EvaluationError("the data is nested too deep") from None
        await variables.charge(len(text))
        if not self.is_bounded(len(text)):
            return await variables.evaluate(self._unpacked, text)
        try:
            return next(iter(self._program.compile().input_text(text)), None)
        except ValueError as error:
            if str(error) == _REPEATS:
                return await variables.evaluate(self._unpacked, text)
            raise EvaluationError(str(error)) from None

    def _input(self, data: Any, variables: Variables) -> Any:
        if not self.variables:
            return data
        return {"d": data, "v": {name: variables[name] for name in self.variables}}


def _refuse_deferred(value: Any) -> Any:
    raise _HoldsDeferred


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
        tokens = read_tokens(program)
    except LexicalError as error:
        raise CompileError("invalid-expression", f"not a jq program: {error}") from None
    found = words(tokens)
    _check_functions(found)
    if bounds.largest_constant(tokens) > _LARGEST_CONSTANT:
        message = f"it makes a string of more than {_LARGEST_CONSTANT} characters"
        raise CompileError("invalid-expression", message)
    clock = [name for name in _CLOCK_FUNCTIONS if name in found.functions]
    used = tuple(sorted(found.variables & variables | ({CLOCK} if "now" in clock else set())))
    source = "".join(f"{_CLOCK_FUNCTIONS[name]} " for name in clock) + f"(\n{program}\n)"
    if used:
        unpacked = ",".join(f"${name}" for name in used)
        source = f".v as {{{unpacked}}} | .d | {source}"
    compiled = _Program(_MULTIPLICATION + source if bounds.multiplies(tokens) else source)
    if not is_trusted:
        try:
            compiled.compile()
        except ValueError as error:
            raise _compile_error(program, str(error)) from None
    return Expression(
        source=program,
        variables=used,
        secrets=fields_of(tokens, SECRETS),
        bound=bounds.largest_input(tokens, found),
        _unpacked=source,
        _program=compiled,
    )


def _check_functions(found: Words) -> None:
    """Raises CompileError for a function that isn't to be called, or that isn't there."""
    outside = found.functions & OUTSIDE | {"$ENV"} & {f"${name}" for name in found.variables}
    if outside:
        names = ", ".join(sorted(outside))
        raise CompileError("forbidden-function", f"{names} reaches outside of the run's data")
    if unknown := found.functions - ALLOWED - found.defined:
        message = f"{', '.join(sorted(unknown))}: there is no such function"
        raise CompileError("unsupported-function", message)
    if CLOCK in found.variables:
        raise _unavailable(CLOCK)


def _unavailable(name: str) -> CompileError:
    message = f"${name} doesn't exist at this place"
    if name in LEFT_TO_ACTIVITIES:
        message += f"; {_WHERE_SECRETS_STAND}"
    return CompileError("unavailable-variable", message)


def _compile_error(program: str, text: str) -> CompileError:
    if undefined := _UNDEFINED_VARIABLE.search(text):
        return _unavailable(undefined.group(1))
    found = _COMPILE_ERROR.search(text)
    detail = found.group(1) if found else text
    if ")" not in program:  # it is the one around the program that jq met
        detail = detail.replace("unexpected ')'", "unexpected end")
    return CompileError("invalid-expression", f"not a jq program: {detail}")
