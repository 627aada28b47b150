"""Whatever the text: it is checked without an exception, and what passes runs or faults."""

import asyncio
import json
from collections.abc import Callable
from typing import Any

import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from biz.dsl.calls.call import Call
from biz.dsl.calls.http_call import HttpCall
from biz.dsl.errors import TaskFault, WorkflowError
from biz.dsl.memory_runtime import MemoryRuntime, run_in_memory
from biz.dsl.model import Workflow
from biz.dsl.validator import check
from tests.fixtures.workflows import START, Json, workflow

QUICK = settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow], database=None
)

SOUND: Json = workflow(
    {"shape": {"set": {"a": "${ .list }", "n": 1}, "if": ".list", "export": {"as": "[.]"}}},
    {
        "loop": {
            "for": {"each": "pet", "at": "i", "in": ".a"},
            "while": "$i < 3",
            "do": [
                {
                    "get": {
                        "call": "http",
                        "with": {
                            "method": "get",
                            "endpoint": {
                                "uri": "https://pets.test/{n}",
                                "authentication": {"bearer": {"token": "${ $pet | tostring }"}},
                            },
                            "query": {"q": "${ $i }"},
                            "headers": "${ {a: $pet} }",
                            "body": ["${ . }"],
                            "output": "response",
                            "redirect": True,
                        },
                        "output": {"as": "{a: [.], n: $i}"},
                    }
                },
                {"wait": {"wait": {"seconds": 1}, "metadata": {"a": 1}}},
            ],
            "then": "choose",
        }
    },
    {
        "choose": {
            "switch": [
                {"first": {"when": ".n == 1", "then": "end"}},
                {"default": {"then": "nested"}},
            ]
        }
    },
    {
        "nested": {
            "do": [{"inner": {"set": "${ {n: .n} }", "input": {"from": "."}, "then": "exit"}}],
            "output": {"schema": {"format": "json", "document": {"type": "object"}}},
        }
    },
    {
        "safe": {
            "try": [
                {
                    "all": {
                        "fork": {
                            "branches": [
                                {"a": {"wait": "PT2S", "timeout": "short"}},
                                {"b": {"raise": {"error": "bad"}, "if": ".n == 2"}},
                            ],
                            "compete": True,
                        }
                    }
                },
            ],
            "catch": {
                "errors": {"with": {"status": 400}},
                "as": "err",
                "when": "$err.status < 500",
                "retry": {
                    "delay": {"milliseconds": 1},
                    "backoff": {"exponential": {}},
                    "jitter": {"from": "PT0S", "to": "PT1S"},
                    "limit": {"attempt": {"count": 2, "duration": "PT5S"}, "duration": "PT9S"},
                },
                "do": [{"show": {"set": {"n": "${ $err.title }"}}}],
                "then": "exit",
            },
        }
    },
    input={
        "schema": {"document": {"$defs": {"a": {"type": "array"}}, "items": {"$ref": "#/$defs/a"}}},
        "from": ".",
    },
    output={"as": {"result": "${ . }"}},
    use={
        "authentications": {"b": {"basic": {"username": "u", "password": "${ .p }"}}},
        "errors": {"bad": {"type": "https://x.test/{n}", "status": 400, "title": "${ .n }"}},
        "timeouts": {"short": {"after": {"seconds": 1}}},
    },
    timeout={"after": "PT1H"},
)  # fmt: skip

LEAVES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**20), 10**20),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=8),
    st.sampled_from(
        [
            *("", ".", "${ . }", "${ .a.b }", "${ $input }", "$context", "$i", "error", "empty"),
            *("end", "exit", "continue", "loop", "PT1S", "https://pets.test/{a}", "[1, 2]"),
            *("{a: .}", "${ [.] }", "$workflow", "$task", "infinite", "http", "${ {} }"),
        ]
    ),
)
KEYS = st.one_of(
    st.text(max_size=4),
    st.sampled_from(
        "set do for in each at while switch when then if input output export as from schema call "
        "with method endpoint uri authentication use basic bearer headers query body redirect "
        "wait seconds document $ref $schema properties type items fork branches compete raise "
        "error status title try catch errors retry delay limit attempt count timeout after".split()
    ),
)
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=6,
)


@st.composite
def mutated(draw: Callable[[st.SearchStrategy[Any]], Any]) -> Json:
    """The sound definition, with some of its values replaced, removed or renamed."""
    definition = json.loads(json.dumps(SOUND))
    for _ in range(draw(st.integers(0, 3))):
        value, key = definition, draw(st.sampled_from(list(definition)))
        while draw(st.integers(0, 6)) and isinstance(value[key], dict | list) and value[key]:
            value = value[key]
            keys = list(value) if isinstance(value, dict) else range(len(value))
            key = draw(st.sampled_from(keys))
        match draw(st.integers(0, 3)):
            case 0 if isinstance(value, dict):
                value[draw(KEYS)] = value.pop(key)
            case 1:
                del value[key]
            case _:
                value[key] = draw(VALUES)
        if not definition:
            break
    return definition


class ShortRuntime(MemoryRuntime):
    """Answers calls with what was asked, and stops a run that goes on without an end."""

    def __init__(self) -> None:
        super().__init__(answer=self._echo, start=START)

    def _echo(self, call: Call) -> Any:
        assert isinstance(call, HttpCall)
        return {"content": call.body, "statusCode": 200}

    async def breathe(self) -> None:
        raise asyncio.CancelledError


def error_of(definition: Workflow, input: Any) -> WorkflowError | None:
    """The error of a run, None where it completes or would go on for long."""
    try:
        output = run_in_memory(definition, input, ShortRuntime())
    except TaskFault as fault:
        return fault.error
    except asyncio.CancelledError:
        return None
    json.dumps(output)
    return None


@QUICK
@given(mutated(), VALUES)
def test_a_changed_definition_is_refused_or_runs(definition: Json, input: Any) -> None:
    checked = check(json.dumps(definition))
    for found in checked.diagnostics:
        assert found.code
        assert found.message
        assert found.line
        assert found.column
    if checked.workflow is None:
        assert checked.errors
    elif error := error_of(checked.workflow, input):
        assert error.type
        assert error.instance.startswith("/")


def test_the_sound_definition_is_sound() -> None:
    assert not check(json.dumps(SOUND)).diagnostics


@QUICK
@given(mutated())
def test_json_and_yaml_of_a_definition_have_the_same_faults(definition: Json) -> None:
    found = [
        [(d.code, d.message, d.pointer) for d in check(text).diagnostics]
        for text in (json.dumps(definition), yaml.safe_dump(definition, sort_keys=False))
    ]
    assert found[0] == found[1]


@QUICK
@given(st.text(max_size=60))
def test_any_text_is_checked(text: str) -> None:
    assert check(text).errors


@QUICK
@given(st.text(alphabet="{}[]\":,-#&*!|>%@`'\\ \n\t\rab01.eE+?<~\x00\ufeff\u2028é", max_size=60))
def test_any_text_of_yamls_signs_is_checked(text: str) -> None:
    assert check(text).errors


@QUICK
@given(st.text(alphabet='.[]{}()"\\|,:;$@#?/=!<>+-*%ab01 \nifendas', max_size=40), VALUES)
def test_any_expression_is_refused_or_evaluates(program: str, input: Any) -> None:
    text = json.dumps(workflow({"t": {"set": {"x": "${" + program + "}"}}}))
    checked = check(text)
    if checked.workflow is not None and (error := error_of(checked.workflow, input)):
        assert error.instance == "/do/0/t"
