import io
import json
from typing import Any

import pytest

from workflows.activities.expressions.expression_process import answer, read, write


def answered(program: str, data: Any = None, *, result_bytes: int = 100) -> Any:
    request = json.dumps([program, json.dumps(data)]).encode()
    return json.loads(answer(request, result_bytes))


@pytest.mark.parametrize(
    ("program", "data", "answer"),
    [
        (". + 1", 1, {"value": 2}),
        ("1, 2", None, {"value": 1}),
        ("empty", None, {"value": None}),
        ("infinite", None, {"value": 1.7976931348623157e308}),
        ('error("no")', None, {"error": "no"}),
        (". * 200", "x", {"error": "the result has more than 100 bytes"}),
        ("error(. * 200)", "x", {"error": "the result has more than 100 bytes"}),
        ("reduce range(5000) as $i (0; [.])", None, {"error": "the result is nested too deep"}),
    ],
)
def test_an_expression_is_answered(program: str, data: Any, answer: Any) -> None:
    assert answered(program, data) == answer


def test_messages_follow_each_other() -> None:
    pipe = io.BytesIO()
    for message in (b"one", b"two" * 100_000):
        write(pipe, message)
    pipe.seek(0)
    assert [read(pipe), read(pipe), read(pipe)] == [b"one", b"two" * 100_000, b""]
