"""What a program may do in the process; the figures are those that runs are replayed with."""

import json
import time
from contextlib import suppress
from typing import Any

import jq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from biz.dsl.expressions import compile_expression
from biz.dsl.jq.bounds import largest_constant, largest_input
from biz.dsl.jq.lexer import read_tokens, words


def bound(program: str) -> int:
    tokens = read_tokens(program)
    return largest_input(tokens, words(tokens))


@pytest.mark.parametrize(
    ("program", "size"),
    [
        (".", 8_000_000),
        (".a.b[0].c?", 8_000_000),
        (".a + .b + .c + .d", 7_500_000),
        ("{a, b: .c, $d}", 8_000_000),
        ("sort", 150_000),
        ("map(.a)", 5_477),
        (".[] | .[]", 310),
        ("[.,.] | [.,.] | [.,.]", 468_750),
        ("(.a,.a) + (.a,.a) + (.a,.a)", 625_000),
        ('"\\(.a)"', 37_495),
    ],
)
def test_a_program_is_bounded_up_to_a_size(program: str, size: int) -> None:
    assert bound(program) == size


@pytest.mark.parametrize(
    "program",
    [
        *("range(3)", "def f: 1; f", "until(.; .)", "repeat(.)", "while(.; .)", "recurse(.a)"),
        *("[limit(3; repeat(1))]", 'test("a")', 'split("a"; "g")', "reduce .[] as $x (0; 1)"),
        *("foreach .[] as $x (0; 1)", "walk(.)", "combinations", "implode", "pick(.a)"),
        *(".[1000] = 1", ".a[.b] |= 1", "getpath([1000]) = 1", "nth(1000) = 1", "jn(9; 1)"),
        *("try (. * 2) catch 0", "(. * 2)?", "(. * 2) // 1", "[.,.] | " * 30 + "."),
        *(" + ".join(["(1,2)"] * 30), " | ".join(["tojson"] * 30)),
    ],
)
def test_a_program_has_no_bound(program: str) -> None:
    assert bound(program) == 0


@pytest.mark.parametrize(
    ("program", "same"),
    [
        (". as $as | [$as, $as]", ". as $x | [$x, $x]"),
        (".a[0]", ".a"),
        ('.["a"]', ".a"),
        ("{range: 1, test: .a}", "{a: 1, b: .a}"),
        (".n - 1", ".n + 1"),
        ("[1, 2, 3]", "[1, (2), 3]"),
        ("split(.a)", "split(.b)"),
    ],
)
def test_only_what_programs_do_counts(program: str, same: str) -> None:
    assert bound(program) == pytest.approx(bound(same), abs=10)


def test_a_constant_is_as_long_as_its_numbers_say() -> None:
    assert largest_constant(read_tokens('"abc" * 100 | . * 1000')) == 500
    assert largest_constant(read_tokens('.a * 1000 | "abc"')) == 0


TERMS = st.sampled_from(
    '. .a .[0] $x .[] .. 1 "ab" sort add tojson keys tostream to_entries length paths not tostring '
    "explode transpose flatten @json @html unique".split()
)
PROGRAMS = st.recursive(
    TERMS,
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from(["|", "|", ",", "+", "*", "-", "==", "//", "/"]), inner)
        .map(" ".join)
        .map("({})".format),
        inner.map("[{}]".format),
        inner.map("map({})".format),
        inner.map("sort_by({})".format),
        inner.map('"\\({0}) \\({0})"'.format),
        inner.map("select({})".format),
        inner.map("with_entries({})".format),
        inner.map("({}) as $x | [$x, .]".format).map("({})".format),
        st.tuples(inner, inner).map(lambda two: "{{a: {}, b: {}}}".format(*two)),
        st.tuples(inner, inner).map(lambda two: "({}) as $x | {}".format(*two)).map("({})".format),
        st.tuples(inner, inner).map(lambda two: "if {} then {} else . end".format(*two)),
        st.tuples(inner, inner).map(lambda two: "try error({}) catch {}".format(*two)),
    ),
    max_leaves=7,
)
SHAPES = st.sampled_from(
    [
        lambda size: [[1]] * (size // 4),
        lambda size: list(range(size // 5)),
        lambda size: "\x00" * (size // 7),
        lambda size: '"' * (size // 2),
        lambda size: {str(n): n for n in range(size // 12)},
        lambda size: json.loads("[" * min(500, size // 2) + "]" * min(500, size // 2)),
    ]
)
LARGEST = 100_000


class Stopped(Exception):
    """The expression wasn't evaluated in the process."""


class Arguments:
    """`$x`, half of the data."""

    def __init__(self, x: Any) -> None:
        self._x = x

    def __getitem__(self, name: str) -> Any:
        return self._x

    async def charge(self, size: int) -> None:
        return None

    async def evaluate(self, program: str, data: str) -> Any:
        raise Stopped


@settings(
    max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow], database=None
)
@given(PROGRAMS, SHAPES)
def test_what_is_bounded_ends_soon(program: str, shape: Any) -> None:
    expression = compile_expression(program, frozenset({"x"}))
    size = min(expression.bound, LARGEST) // (2 if expression.variables else 1) - 20
    if size < 2:
        return
    data = shape(size)
    text = json.dumps({"d": data, "v": {"x": data}} if expression.variables else data)
    if not expression.is_bounded(len(text)):
        return
    source = f".v as {{$x}} | .d | ({program})" if expression.variables else program
    started = time.process_time()
    with suppress(ValueError):
        next(iter(jq.compile(source).input_text(text)), None)
    assert time.process_time() - started < 1
