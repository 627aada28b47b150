"""Files of tests: what they say, and every fault with its place."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from biz.dsl.dry_run import Ending
from biz.dsl.memory_runtime import Answer
from biz.testing.case_reader import START, InvalidCases, read_cases
from biz.testing.cases import CaseFile

HEAD = """\
workflow:
  document: { dsl: 1.0.0, namespace: test, name: pay, version: 1.0.0 }
  do:
    - pay: { call: http, with: { method: post, endpoint: "https://a.test" } }
    - done: { set: { ok: true } }
cases:
"""


def load(path: str) -> str:
    raise AssertionError(f"{path} was loaded")


def read(text: str) -> CaseFile:
    return read_cases(HEAD + text, load)


def faults(text: str) -> list[tuple[int, str, str]]:
    with pytest.raises(InvalidCases) as raised:
        read_cases(text, load)
    return [(fault.line, fault.code, fault.pointer) for fault in raised.value.diagnostics]


def in_case(text: str) -> list[tuple[int, str, str]]:
    """The faults of what stands in a case, by lines from its first one on."""
    indented = "".join(f"    {line}\n" for line in text.splitlines())
    found = faults(f"{HEAD}  - name: x\n{indented}")
    return [(line - 7, code, pointer.removeprefix("/cases/0")) for line, code, pointer in found]


def test_a_case_says_what_runs_and_what_is_expected() -> None:
    [case] = read("""\
  - name: pays
    input: { amount: 3 }
    startTime: 2025-05-01T12:00:00+02:00
    mocks:
      pay:
        - output: { id: 1 }
          delay: PT5S
        - error: { type: communication, status: 503, detail: busy }
        - error: timeout
    events:
      - at: { minutes: 1 }
        event: { type: paid, id: null }
      - event: { type: paid, id: mine, source: /shop }
    expect:
      output: null
      duration: PT5S
      run: [pay, /do/1/done]
      notRun: []
      calls:
        pay: { count: 1, sent: { body: null } }
        done: 0
      emitted: []
""").cases
    assert (case.name, case.line, case.input) == ("pays", 7, {"amount": 3})
    assert case.start == datetime(2025, 5, 1, 10, tzinfo=UTC)
    assert list(case.mocks) == ["/do/0/pay"]
    first, second, third = case.mocks["/do/0/pay"].answers
    assert first == Answer({"id": 1}, delay=timedelta(seconds=5))
    assert second.error is not None
    assert (second.error.status, second.error.title, second.error.detail) == (
        503,
        "Communication Error",
        "busy",
    )
    assert third.error is not None
    assert third.error.status == 408
    assert [(timed.after, timed.event["source"]) for timed in case.events] == [
        (timedelta(minutes=1), "/test"),
        (timedelta(), "/shop"),
    ]
    expect = case.expect
    assert (expect.ending, expect.output) == (Ending.COMPLETED, None)
    assert (expect.run, expect.not_run) == (["/do/0/pay", "/do/1/done"], [])
    assert (expect.calls["/do/0/pay"].count, expect.calls["/do/1/done"].count) == (1, 0)
    assert expect.emitted == []


def test_a_case_needs_a_name_alone() -> None:
    [case] = read("  - name: x\n").cases
    assert (case.input, case.start, case.mocks, case.events) == ({}, START, {}, ())
    assert case.expect.ending is Ending.COMPLETED


@pytest.mark.parametrize(
    ("text", "ending"),
    [
        ("error: {}", Ending.FAULTED),
        ("error: timeout", Ending.FAULTED),
        ("waits: true", Ending.WAITING),
        ("waits: false", Ending.COMPLETED),
    ],
)
def test_a_run_may_be_expected_to_end_otherwise(text: str, ending: Ending) -> None:
    [case] = read(f"  - name: x\n    expect: {{ {text} }}\n").cases
    assert case.expect.ending is ending


def test_a_definition_is_loaded_by_its_path() -> None:
    definition = HEAD.replace("workflow:\n", "").replace("cases:\n", "").replace("\n  ", "\n")
    asked: list[str] = []

    def load(path: str) -> str:
        asked.append(path)
        return definition.strip()

    assert read_cases("workflow: flows/pay.yaml\ncases: [{name: x}]\n", load).cases
    assert asked == ["flows/pay.yaml"]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("inputs: {}", [(1, "unknown-property", "/inputs")]),
        ("startTime: yesterday", [(1, "invalid-value", "/startTime")]),
        ("startTime: 2025-01-01", [(1, "invalid-value", "/startTime")]),
        ("startTime: 5", [(1, "wrong-type", "/startTime")]),
        ("mocks: [1]", [(1, "wrong-type", "/mocks")]),
        ("mocks:\n  nobody: { output: 1 }", [(2, "unknown-reference", "/mocks/nobody")]),
        ("mocks:\n  pay: []", [(2, "empty", "/mocks/pay")]),
        ("mocks:\n  pay: { }", [(2, "invalid-value", "/mocks/pay")]),
        ("mocks:\n  pay: { output: 1, error: timeout }", [(2, "invalid-value", "/mocks/pay")]),
        ("mocks:\n  pay: 5", [(2, "wrong-type", "/mocks/pay")]),
        ("mocks:\n  pay: { error: {} }", [(2, "missing-property", "/mocks/pay/error")]),
        (
            "mocks:\n  pay:\n    - output: 1\n      delay: soon",
            [(4, "invalid-duration", "/mocks/pay/0/delay")],
        ),
        ("events: [{}]", [(1, "missing-property", "/events/0")]),
        ("events: [{event: {}}]", [(1, "empty", "/events/0/event")]),
        ("events: [{event: 1}]", [(1, "wrong-type", "/events/0/event")]),
        ("events: [{event: {subject: a}}]", [(1, "invalid-event", "/events/0/event")]),
        ("events: [{at: -5, event: {type: a}}]", [(1, "invalid-duration", "/events/0/at")]),
        ("expect: { output: 1, error: timeout }", [(1, "invalid-value", "/expect/error")]),
        ("expect: { error: { status: a } }", [(1, "wrong-type", "/expect/error/status")]),
        ("expect: { error: { kind: a } }", [(1, "unknown-property", "/expect/error/kind")]),
        ("expect: { ran: [pay] }", [(1, "unknown-property", "/expect/ran")]),
        ("expect: { run: [nobody] }", [(1, "unknown-reference", "/expect/run/0")]),
        ("expect: { calls: { pay: -1 } }", [(1, "invalid-value", "/expect/calls/pay")]),
        ("expect: { calls: { pay: often } }", [(1, "wrong-type", "/expect/calls/pay")]),
        ("expect: { calls: { pay: { sent: a } } }", [(1, "wrong-type", "/expect/calls/pay/sent")]),
        ("expect: { emitted: {} }", [(1, "wrong-type", "/expect/emitted")]),
        ("expect: { waits: 1 }", [(1, "wrong-type", "/expect/waits")]),
    ],
)
def test_every_fault_of_a_case_has_its_place(text: str, found: Any) -> None:
    assert in_case(text) == found


def test_every_fault_of_a_file_has_its_place() -> None:
    assert [code for _, code, _ in faults("cases: [")] == ["syntax"]
    assert faults("{}") == [(1, "missing-property", ""), (1, "missing-property", "")]
    assert faults("workflow: 5\ncases: []\n") == [
        (1, "wrong-type", "/workflow"),
        (2, "empty", "/cases"),
    ]
    assert faults(HEAD + "  - name: a\n  - name: a\n  - name: ''\n") == [
        (8, "duplicate-name", "/cases/1/name"),
        (9, "empty", "/cases/2/name"),
    ]
    assert faults(HEAD.replace("set:", "sett:") + "  - name: a\n")[0] == (
        5,
        "unknown-task",
        "/workflow/do/1/done",
    )
