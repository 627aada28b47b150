"""Expressions by chance: none hangs, none ends the worker, none reads the environment or a file."""

import asyncio
import json
import random
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from biz.dsl.expressions import CLOCK, CompileError, EvaluationError, compile_expression
from tests.patience import PATIENCE_SECONDS
from workflows.activities.expressions.expression_pool import ExpressionPool

SECRET = "what-nobody-may-read"
DATA = {"a": [1, "b", {"c": None}], "n": 3}
PROGRAMS = 250
"""So many are made from each seed; about half of them are programs."""

_INSIDE = (
    *(".", ".a", ".a[]", "..", "1", '"b"', "$x", "now", "localtime?", "length", "tojson", "keys?"),
    *("range(3)", "repeat(1)", "recurse", "[limit(3; repeat(1))]", "input_line_number", "env"),
    *("$ENV", "$ENV.SECRET", "env.SECRET", "input", "[inputs]", "debug", "stderr", "$__loc__"),
    *("halt", "builtins", "modulemeta", "get_search_list", "input_filename", "halt_error"),
    *('"secret.json" | input', 'getpath(["SECRET"])', "$__prog_args", "splits(.)", "@sh"),
    *("ltrimstr(1)", f"${CLOCK}"),
)  # fmt: skip
_AROUND = (
    *("({0}) | ({1})", "({0}), ({1})", "[{0}]", "{{a: ({0}), (({1})|tostring): 1}}", "({0})?"),
    *("try ({0}) catch ({1})", '"\\({0}) \\({1})"', '@text "\\({0})"', "({0}) // ({1})"),
    *("def f: {0}; f, {1}", "def f: f | {0}; f", "def env: {0}; env", "def f(g): g; f({0})"),
    *("({0}) as $x | {1}", "reduce ({0}) as $y (0; {1})", "foreach ({0}) as $y (.; {1}; $y)"),
    *("if {0} then {1} else . end", "label $out | {0}, break $out", "path({0})", "[.a[] | {0}]"),
    *("({0}) * ({1})", ".a[{0}]", "map({0})", "until({0}; {1})", "while({0}; {1})"),
    "limit(9; {0})",
    *('import "secret" as s; {0}', 'include "secret"; {0}', "# \\\n{0}", "{0} # ({1})", "env{0}"),
    *('import "secret" as $s; $s', "{0} |= {1}", "walk({0})", "to_entries? | {0}", '"{0}" | {1}'),
)  # fmt: skip


def made(seed: int) -> list[str]:
    """Programs by chance, the same for the same seed."""
    chance = random.Random(seed)

    def part(depth: int) -> str:
        if depth == 0 or chance.random() < 0.3:
            return chance.choice(_INSIDE)
        return chance.choice(_AROUND).format(part(depth - 1), part(depth - 1))

    return [part(3) for _ in range(PROGRAMS)]


class Arguments:
    """What a run gives its expressions; what may not end goes to the pool."""

    def __init__(self, pool: ExpressionPool) -> None:
        self._pool = pool

    def __getitem__(self, name: str) -> Any:
        return 86_400.5 if name == CLOCK else [1, {"c": 2}]

    async def charge(self, size: int) -> None:
        return None

    async def evaluate(self, program: str, data: str) -> Any:
        return await self._pool.evaluate(program, data)


@pytest.fixture
async def pool() -> AsyncIterator[ExpressionPool]:
    pool = ExpressionPool(cpu_seconds=1, memory_mb=64)
    try:
        yield pool
    finally:
        await pool.close()


@pytest.mark.parametrize("seed", range(2))
async def test_expressions_end_and_reach_nothing(
    seed: int, pool: ExpressionPool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "secret.json").write_text(json.dumps(SECRET))
    (tmp_path / "secret.jq").write_text(f'def secret: "{SECRET}";')
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SECRET", SECRET)
    results = [await _result(program, Arguments(pool)) for program in made(seed)]
    evaluated = [result for result in results if result is not None]
    assert len(evaluated) > PROGRAMS / 10
    assert SECRET not in "".join(evaluated)


async def _result(program: str, arguments: Arguments) -> str | None:
    """What a program gave or said; None where it is no program, or one that is refused."""
    try:
        expression = compile_expression(program, frozenset({"x"}))
    except CompileError:
        return None
    started = time.process_time()
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            result = json.dumps(await expression.evaluate(DATA, arguments))
    except EvaluationError as error:
        result = str(error)
    assert time.process_time() - started < 1, program
    return result
