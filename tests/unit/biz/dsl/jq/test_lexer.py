import pytest

from biz.dsl.jq.lexer import KEYWORDS, LexicalError, Words, read_tokens, words


def names(program: str) -> Words:
    return words(read_tokens(program))


@pytest.mark.parametrize(
    ("program", "functions", "variables"),
    [
        (".", "", ""),
        (".a.b[0]?", "", ""),
        ("length", "length", ""),
        ("map(.a) | add", "map add", ""),
        ("$input.a + $context", "", "input context"),
        ("$ input", "", "input"),
        (". as [$a, {b: $c, $d}] | $a", "", "a c d"),
        ('"env"', "", ""),
        ('"\\(env)"', "env", ""),
        ('"a\\(1 + env)b\\($x)c"', "env", "x"),
        ('"\\("\\(env)")"', "env", ""),
        ('"\\({a: (env)})"', "env", ""),
        ('"\\"\\\\" | env', "env", ""),
        ('"\\\\(env)"', "", ""),
        ('@base64 "\\(env)"', "env", ""),
        ("{env}", "", ""),
        ("{env, now: 1}", "", ""),
        ("{env : 1}", "", ""),
        ("{a: env}", "env", ""),
        ("{(env): 1}", "env", ""),
        ("{a: [1, env]}", "env", ""),
        ("{a: (1, env)}", "env", ""),
        ("{a: 1 | env}", "env", ""),
        ("{a: if true then 1, env, 2 else 3 end, now}", "env true", ""),
        ("{if: 1, end: 2}.end", "", ""),
        ("[{a}, env]", "env", ""),
        ('{"\\(1, env, 2)": 1}', "env", ""),
        (".env", "", ""),
        (".[env]", "env", ""),
        ("..env", "env", ""),
        ("env.PATH", "env", ""),
        ("1.env", "env", ""),
        ("# env\n1", "", ""),
        ("1 # env", "", ""),
        ('"# " + env', "env", ""),
        ("# a\r\nenv", "env", ""),
        ('# "\nenv # "', "env", ""),
        ("a::b", "a::b", ""),
        ("$a::b", "", "a::b"),
        ("$__loc__", "", "__loc__"),
        ("label $out | break $out", "", "out"),
        ("1.5e3 + .5 - 2e-1", "", ""),
    ],
)  # fmt: skip
def test_a_program_names(program: str, functions: str, variables: str) -> None:
    found = names(program)
    assert found.functions - KEYWORDS == set(functions.split())
    assert found.variables == set(variables.split())


@pytest.mark.parametrize("between", ["", " ", "\n", " # why\n ", "#\n#\n"])
def test_arguments_make_a_name_a_call(between: str) -> None:
    assert names(f"recurse{between}(.a)").called == {"recurse"}
    assert not names(f"recurse{between}| (.a)").called


@pytest.mark.parametrize(
    ("program", "defined"),
    [
        ("def f: 1; f", "f"),
        ("def f($a; g): $a | g | h; f(1; 2)", "f a g"),
        ("def f: def g: h; g; f", "f g"),
        ("{def: f}", ""),
        (". as {f: $g} | f", ""),
    ],
)
def test_a_program_defines(program: str, defined: str) -> None:
    assert names(program).defined == set(defined.split())


@pytest.mark.parametrize(
    "program",
    [
        *("(", ")", "[", "]", "{", "}", "(]", "{)", "[1)", '"', '"\\(', '"\\(1', '"\\(1)', '"\\'),
        *("if . then 1", "end", "if (. end)", "(if . ) end", '"\\(if 1)" end'),
        *("&", "`", "'a'", "é", "\0", "$", "$ # \nx", "@", "1 # a \\\nenv", "1 # a\renv", "# \\"),
    ],
)
def test_no_program_of_jqs_is(program: str) -> None:
    with pytest.raises(LexicalError):
        names(program)


def test_nested_interpolations_take_no_time() -> None:
    depth = 20_000
    assert names('"\\(' * depth + "env" + ')"' * depth).functions == {"env"}
