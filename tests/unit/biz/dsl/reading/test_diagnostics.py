"""Each code of a diagnostic: a definition that gets it, and its line in the documents."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from biz.dsl.reading.diagnostics import CODES, MAX_FOUND, Diagnostic, Diagnostics, Severity
from biz.dsl.validator import check
from tests.fixtures.workflows import DOCUMENT, Json, workflow

DOCS = Path(__file__).parents[5] / "docs" / "diagnostics.md"
WARNINGS = {
    "ignored-property",
    "unsupported-protocol",
    "unmatched-filter",
    "unreachable-task",
    "endless-loop",
    "literal-expression",
    "encoded-address",
    "unfetchable-document",
}
HEAD = yaml.safe_dump({"document": DOCUMENT}, sort_keys=False)

# By code: what stands behind the document (at line 6), the pointer, and the text at its place.
SAMPLES = {
    "syntax": ("do: [{a: *b}]", "", "*b"),
    "wrong-type": ("do: {}", "/do", "{}"),
    "missing-property": ("do:\n- a: {for: {each: x}, do: []}", "/do/0/a/for", "{each: x}"),
    "unknown-property": ("do:\n- a:\n    set: {x: 1}\n    outputs: {}", "/do/0/a/outputs", "{}"),
    "invalid-value": ("do:\n- {}", "/do/0", "{}"),
    "unusable-value": (
        "do:\n- a: {call: http, with: {method: a b, endpoint: /x}}",
        "/do/0/a/with/method",
        "a b",
    ),
    "unknown-task": ("do:\n- a: {sett: {}}", "/do/0/a", "{sett"),
    "empty": ("do:\n- a: {switch: []}", "/do/0/a/switch", "[]"),
    "duplicate-name": ("do:\n- a: {do: []}\n- a: {do: []}", "/do/1", "a: {do: []}"),
    "unknown-target": ("do:\n- a: {do: [], then: b}", "/do/0/a/then", "b}"),
    "unknown-reference": (
        "do:\n- a: {call: http, with: {method: get, endpoint: {uri: x, authentication: {use: y}}}}",
        "/do/0/a/with/endpoint/authentication/use",
        "y}",
    ),
    "endless-recursion": (
        "do: []\nuse:\n  functions:\n    f: {call: f}",
        "/use/functions/f",
        "{call: f}",
    ),
    "invalid-expression": ("do: []\noutput:\n  as: .a |", "/output/as", ".a |"),
    "forbidden-function": ("do: []\noutput:\n  as: {x: '${ env }'}", "/output/as/x", "'${ env }'"),
    "unsupported-function": ("do:\n- a: {if: nothing, do: []}", "/do/0/a/if", "nothing"),
    "unavailable-variable": ("do: []\ninput: {from: $input}", "/input/from", "$input"),
    "invalid-variable": ("do:\n- a: {for: {in: ., each: a-b}, do: []}", "/do/0/a/for/each", "a-b"),
    "invalid-duration": ("do:\n- a:\n    wait: soon", "/do/0/a/wait", "soon"),
    "unusable-duration": ("do:\n- a:\n    wait: {hours: -1}", "/do/0/a/wait", "{hours"),
    "invalid-uri": (
        "do:\n- a: {call: http, with: {method: get, endpoint: x y}}",
        "/do/0/a/with/endpoint",
        "x y",
    ),
    "invalid-uri-template": (
        "do:\n- a: {call: http, with: {method: get, endpoint: 'x{+y}'}}",
        "/do/0/a/with/endpoint",
        "'x{+y}'",
    ),
    "incomplete-authentication": (
        "do: []\nuse:\n  authentications:\n    a:\n      oauth2: "
        "{authority: x, grant: password, username: y, client: {id: z}}",
        "/use/authentications/a/oauth2",
        "{authority",
    ),
    "invalid-schema": (
        "do: []\ninput: {schema: {document: {type: text}}}",
        "/input/schema/document",
        "{type: text}",
    ),
    "invalid-event": (
        "do:\n- a: {emit: {event: {with: {type: t, Id: 1}}}}",
        "/do/0/a/emit/event/with/Id",
        "1}",
    ),
    "unsupported-version": ("do: []", "/document/dsl", "0.9.0"),
    "invalid-schedule": ("do: []\nschedule: {cron: daily}", "/schedule/cron", "daily"),
    "invalid-hook": ("  metadata: {onFault: later}\ndo: []", "/document/metadata/onFault", "later"),
    "unsupported-property": ("do: []\nevaluate: {language: js}", "/evaluate/language", "js"),
    "unsupported-protocol": (
        "do:\n- a: {call: asyncapi, with: {document: {endpoint: 'https://a.test'}, "
        "operation: b, protocol: ws, message: {}}}",
        "/do/0/a/with/protocol",
        "ws",
    ),
    "ignored-property": ("do: []\nowner: me", "/owner", "me"),
    "unmatched-filter": (
        "do:\n- a: {try: [], catch: {errors: {with: {code: 5}}}}",
        "/do/0/a/catch/errors/with/code",
        "5",
    ),
    "unreachable-task": ("do:\n- a: {do: [], then: end}\n- b: {do: []}", "/do/1/b", "{do"),
    "endless-loop": ("do:\n- a: {do: [], then: a}", "/do/0/a", "{do"),
    "literal-expression": ("do:\n- a: {set: {x: 'Hi ${ .a }'}}", "/do/0/a/set/x", "'Hi"),
    "encoded-address": (
        "do:\n- a: {call: http, with: {method: get, endpoint: '{base}/x'}}",
        "/do/0/a/with/endpoint",
        "'{base}/x'",
    ),
    "unfetchable-document": (
        "do:\n- a: {call: openapi, with: {document: {endpoint: 'file:///a'}, operationId: b}}",
        "/do/0/a/with/document/endpoint",
        "'file:///a'",
    ),
}  # fmt: skip


def sample(code: str) -> str:
    head = HEAD.replace(DOCUMENT["dsl"], "0.9.0") if code == "unsupported-version" else HEAD
    return head + SAMPLES[code][0]


def test_every_code_has_a_sample() -> None:
    assert set(SAMPLES) == set(CODES)


@pytest.mark.parametrize("code", CODES)
def test_a_code_is_told_at_its_place(code: str) -> None:
    text = sample(code)
    _, pointer, start = SAMPLES[code]
    [found] = check(text).diagnostics
    severity = Severity.WARNING if code in WARNINGS else Severity.ERROR
    assert (found.code, found.pointer, found.severity) == (code, pointer, severity)
    assert text.split("\n")[found.line - 1][found.column - 1 :].startswith(start)


@pytest.mark.parametrize("code", [code for code in CODES if code != "syntax"])
def test_a_code_is_told_at_its_place_in_json(code: str) -> None:
    text = json.dumps(yaml.safe_load(sample(code)), indent="\t")
    _, pointer, _ = SAMPLES[code]
    [found] = check(text).diagnostics
    assert (found.code, found.pointer) == (code, pointer)
    value = json.JSONDecoder().raw_decode(
        "\n".join(text.split("\n")[found.line - 1 :])[found.column - 1 :]
    )[0]
    assert value == at(json.loads(text), pointer)


def at(value: Any, pointer: str) -> Any:
    for key in pointer.split("/")[1:]:
        value = value[int(key) if isinstance(value, list) else key]
    return value


def test_the_documents_list_the_codes_and_no_others() -> None:
    headings = re.findall(r"^### (\S+)$", DOCS.read_text(), re.MULTILINE)
    assert sorted(headings) == sorted(CODES)
    assert len(headings) == len(set(headings))


def test_a_code_that_isnt_listed_cant_be_used() -> None:
    with pytest.raises(KeyError):
        Diagnostics().error("made-up", "message", "")


def test_so_many_faults_are_told_at_once() -> None:
    diagnostics = Diagnostics()
    for i in range(MAX_FOUND + 5):
        diagnostics.error("empty", "message", f"/{i}")
    found = diagnostics.all()
    assert diagnostics.is_full
    assert len(found) == MAX_FOUND
    assert found[0] == Diagnostic(code="empty", message="message", pointer="/0")


def test_a_text_full_of_faults_takes_no_time() -> None:
    tasks: list[Json] = [{f"t{i}": {"do": [], "then": f"x{i}", f"y{i}": 1}} for i in range(5000)]
    checked = check(json.dumps(workflow(*tasks)))
    assert len(checked.diagnostics) == MAX_FOUND
    assert all(len(d.message) < 500 for d in checked.diagnostics)
