import asyncio
import json
from typing import Any

import jq
import pytest

from biz.dsl.expressions import (
    ALLOWED,
    CLOCK,
    MAX_LENGTH,
    OUTSIDE,
    CompileError,
    EvaluationError,
    compile_expression,
    is_evaluated,
    unwrap,
)


class Arguments:
    """Some arguments; `size` is what was charged, `guarded` the data of guarded evaluations."""

    def __init__(self, **values: Any) -> None:
        self._values = values
        self.size = 0
        self.guarded: list[Any] = []

    def __getitem__(self, name: str) -> Any:
        return self._values[name]

    async def charge(self, size: int) -> None:
        self.size += size

    async def evaluate(self, program: str, data: str) -> Any:
        self.guarded.append(json.loads(data))
        return jq.compile(program).input_text(data).first()


def evaluate(program: str, data: Any = None, **arguments: Any) -> Any:
    expression = compile_expression(program, frozenset(arguments) - {CLOCK})
    return asyncio.run(expression.evaluate(data, Arguments(**arguments)))


@pytest.mark.parametrize(
    ("text", "is_one", "program"),
    [
        ("${ .a }", True, ".a"),
        ("${.a}", True, ".a"),
        ("  ${ .a }\n", True, ".a"),
        ("${\n.a\n}", True, ".a"),
        ("${ {a: 1} }", True, "{a: 1}"),
        ("${}", True, ""),
        (".a", False, ".a"),
        ("a ${ .a }", False, "a ${ .a }"),
        ("${ .a } b", False, "${ .a } b"),
        ("$ { .a }", False, "$ { .a }"),
        ("$a", False, "$a"),
        ("", False, ""),
    ],
)
def test_the_strict_mode(text: str, is_one: bool, program: str) -> None:
    assert (is_evaluated(text), unwrap(text)) == (is_one, program)


@pytest.mark.parametrize(
    ("program", "data", "result"),
    [
        (".a", {"a": 1}, 1),
        (".a", None, None),
        ("1, 2", None, 1),
        ("empty", None, None),
        ("false", None, False),
        (".a | length", {"a": [1, 2]}, 2),
        ("[.[] | select(. > 1)]", [1, 2, 3], [2, 3]),
        ("map({(.k): .v}) | add", [{"k": "a", "v": 1}], {"a": 1}),
        ("with_entries(.value += 1)", {"a": 1}, {"a": 2}),
        ("if . then 1 else 2 end", None, 2),
        ("try error catch .", "x", "x"),
        (".a // 5", {}, 5),
        ('"\\(.a) and \\(.b)"', {"a": 1, "b": "x"}, "1 and x"),
        ("@base64", "hi", "aGk="),
        ('strptime("%Y-%m-%d") | mktime', "1970-01-02", 86400),
        ("todate", 0, "1970-01-01T00:00:00Z"),
        ("1 # a comment", None, 1),
        (". as $x | $x", 7, 7),
        ("3 / 2 * 2", None, 3),
        ("10 / 4", None, 2.5),
        ("infinite", None, 1.7976931348623157e308),
        ("nan", None, None),
        (".", 9007199254740993, 9007199254740992),
        (".", "é😀\0", "é😀\0"),
        (".", {"z": 1, "a": {"y": []}}, {"z": 1, "a": {"y": []}}),
    ],
)
def test_an_expression_gives(program: str, data: Any, result: Any) -> None:
    assert evaluate(program, data) == result


def test_whole_numbers_are_whole() -> None:
    assert isinstance(evaluate("1.0 + 1"), int)


async def test_arguments_are_unpacked_by_their_names() -> None:
    expression = compile_expression("[., $a, $b.x]", frozenset({"a", "b", "c"}))
    assert expression.variables == ("a", "b")
    assert await expression.evaluate(1, Arguments(a=2, b={"x": 3})) == [1, 2, 3]


async def test_what_an_expression_reads_is_charged() -> None:
    arguments = Arguments(a="x" * 1000)
    await compile_expression("$a | length", frozenset({"a"})).evaluate(None, arguments)
    assert 1000 < arguments.size < 1100


@pytest.mark.parametrize("is_trusted", [False, True])
async def test_a_program_that_is_trusted_gives_the_same(is_trusted: bool) -> None:
    expression = compile_expression(".a + $b", frozenset({"b"}), is_trusted=is_trusted)
    for _ in range(3):
        assert await expression.evaluate({"a": 1}, Arguments(b=2)) == 3


@pytest.mark.parametrize(
    ("program", "message"),
    [
        ('error("no")', "no"),
        ("error({a: 1})", "a"),
        (".a.b", "Cannot index"),
        ("1 / .", "divi"),
        ('"{" | fromjson', "Unfinished"),
        ('"x" | tonumber', "number"),
    ],
)
def test_an_expression_fails(program: str, message: str) -> None:
    with pytest.raises(EvaluationError, match=message):
        evaluate(program, {"a": 1} if program.startswith(".") else 0)


def test_data_that_is_too_deep_is_a_failure() -> None:
    data: Any = []
    for _ in range(5000):
        data = [data]
    with pytest.raises(EvaluationError, match="too deep"):
        evaluate(".", data)


def test_half_of_a_surrogate_pair_in_data_is_a_failure() -> None:
    with pytest.raises(EvaluationError, match="surrogate"):
        evaluate(".", "\ud800")


FORBIDDEN = """
    env $ENV $ENV.PATH env.PATH "\\(env)" "\\($ENV)" {a:env} {(env):1} .[env] @text"\\(env)" [env]
    input inputs debug stderr input_filename input_line_number
    halt halt_error get_search_list builtins modulemeta $__loc__|env try(env) {"\\(env)":1}
""".split()


@pytest.mark.parametrize(
    "program",
    [*FORBIDDEN, 'import "a" as a; 1', 'include "a"; 1', "$ ENV", "{a: if 1 then 1, env, 2 end}"],
)
def test_what_reaches_outside_of_the_data_is_forbidden(program: str) -> None:
    assert refusal(program).code == "forbidden-function"


@pytest.mark.parametrize(
    ("program", "result"),
    [
        ("now", 86_400.25),
        ("now | todate", "1970-01-02T00:00:00Z"),
        ("[now, .a, $a]", [86_400.25, None, 1]),
        ("now | gmtime | mktime", 86_400),
        ("now | localtime | todate", "1970-01-02T00:00:00Z"),
        ('now | strflocaltime("%F %H:%M")', "1970-01-02 00:00"),
        ('now | localtime | strflocaltime("%H")', "00"),
        ('"{\\(now)}"', "{86400.25}"),
        ("def now: 5; now", 5),
        ("[range(2) | now]", [86_400.25, 86_400.25]),
    ],
)
def test_the_time_is_the_runs(program: str, result: Any) -> None:
    assert evaluate(program, {}, a=1, **{CLOCK: 86_400.25}) == result


def test_the_runs_clock_is_no_variable() -> None:
    assert refusal(f"now + ${CLOCK}").code == "unavailable-variable"


@pytest.mark.parametrize(
    ("program", "data", "result"),
    [
        ("[range(3)]", None, [0, 1, 2]),
        ("def double: . + .; double", 2, 4),
        ("def f($a; g): g + $a; f(1; .)", 2, 3),
        ('test("^a")', "abc", True),
        ('split(", *"; null)', "a,  b", ["a", "b"]),
        ("reduce .[] as $x (0; . + $x)", [1, 2, 3], 6),
        ("[recurse(.a // empty)] | length", {"a": {"a": {}}}, 3),
        (".[2] = 1", None, [None, None, 1]),
        ("[.[] | $a]", [0] * 3000, [[1]] * 3000),
        (". * 3", "ab", "ababab"),
        ("try (. * 2) catch 0", "a", "aa"),
    ],
)
def test_what_may_not_end_is_evaluated_where_it_can_be_stopped(
    program: str, data: Any, result: Any
) -> None:
    arguments = Arguments(a=[1])
    expression = compile_expression(program, frozenset({"a"}))
    assert asyncio.run(expression.evaluate(data, arguments)) == result
    assert arguments.guarded == [{"d": data, "v": {"a": [1]}} if expression.variables else data]


@pytest.mark.parametrize(
    ("program", "data"),
    [
        ("[.[] | $a]", [0] * 1000),
        (".price * 3", {"price": 2}),
        (". * {a: 1}", {"b": 2}),
        (".n *= 2", {"n": 1}),
        ("map(select(.a > 1))", [{"a": 1}] * 200),
        (".a", {"a": ["x" * 1_000_000]}),
    ],
)
def test_what_surely_ends_soon_is_evaluated_here(program: str, data: Any) -> None:
    arguments = Arguments(a=[1])
    asyncio.run(compile_expression(program, frozenset({"a"})).evaluate(data, arguments))
    assert arguments.guarded == []


@pytest.mark.parametrize("program", ["nothing", "a::b", "input_text", "def f(g): h; f(1)", "_plus"])
def test_there_is_no_such_function(program: str) -> None:
    assert refusal(program).code == "unsupported-function"


@pytest.mark.parametrize(
    ("program", "is_sound"),
    [
        ('"x" * 1e9', False),
        ('("x" * 1000) * 1000', False),
        ('1e9 * ("x")', False),
        ('"x" / "" | . * (10 / 0.0000001 * "y")', False),
        ('"x" * 1000', True),
        ('"\\(.a * 86400000) ms"', True),
        ('.a * 86400000 | "x" + tostring', True),
    ],
)
def test_a_large_constant_isnt_made(program: str, is_sound: bool) -> None:
    if is_sound:
        compile_expression(program, frozenset())
    else:
        assert refusal(program).code == "invalid-expression"


BUILTINS = jq.compile('builtins[] | split("/")[0]').input_text("null")


def test_each_builtin_function_of_jqs_is_known() -> None:
    unknown = [name for name in BUILTINS if name not in ALLOWED | OUTSIDE]
    assert not unknown


@pytest.mark.parametrize(
    "program",
    [
        *("", " ", "#", ".a |", "(", ")", "1)", "1) | (2", '"', '"\\q"', ". as $x", "{,}"),
        *("'a'", "if", "length(1; 2; 3)", "1 # \\", "$a::b", "reduce", "1 2", "\0", "." * 5),
    ],
)
def test_no_expression_is(program: str) -> None:
    assert refusal(program).code == "invalid-expression"


@pytest.mark.parametrize("variable", ["secrets", "authorization", "__prog_args", "nobody", "item"])
def test_a_variable_that_isnt_there(variable: str) -> None:
    error = refusal(f".a + ${variable}")
    assert error.code == "unavailable-variable"
    assert error.message.startswith(f"${variable} doesn't exist at this place")


def test_an_expression_may_be_so_long() -> None:
    program = "1" + " +1" * ((MAX_LENGTH - 1) // 3)
    assert evaluate(program) > 1000
    assert refusal(program + " " * MAX_LENGTH + "+ 1").code == "invalid-expression"


def test_an_error_of_jqs_is_told_without_where_it_was_compiled() -> None:
    assert "top-level" not in refusal(".a | |").message


def refusal(program: str) -> CompileError:
    with pytest.raises(CompileError) as raised:
        compile_expression(program, frozenset({"a", "input"}))
    return raised.value
