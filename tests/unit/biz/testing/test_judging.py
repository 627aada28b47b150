"""Expectations: what a run is held against, and how a difference reads."""

import pytest

from biz.dsl.dry_run import rehearse
from biz.testing.case_reader import read_cases
from biz.testing.judging import mismatches

DEFINITION = """\
workflow:
  document: { dsl: 1.0.0, namespace: test, name: pay, version: 1.0.0 }
  do:
    - pay:
        if: ${ .amount > 0 }
        call: http
        with: { method: post, endpoint: "https://a.test", body: { amount: "${ .amount }" } }
    - tell: { emit: { event: { with: { type: told } } } }
    - pause: { wait: { seconds: 5 } }
    - done: { set: { paid: "${ $workflow.input.amount }", list: [1, 2] } }
cases:
  - name: x
    input: { amount: 3 }
    mocks: { pay: { output: 1 } }
    expect: EXPECT
"""
FAULTING = DEFINITION.replace(
    "pay: { output: 1 }", "pay: { error: { type: communication, status: 503, detail: too busy } }"
)
WAITING = DEFINITION.replace(
    "- pause: { wait: { seconds: 5 } }",
    "- hear: { listen: { to: { one: { with: { type: paid } } } } }",
)


def told(expect: str, text: str = DEFINITION) -> list[str]:
    file = read_cases(text.replace("EXPECT", expect), str)
    [case] = file.cases
    return list(mismatches(case.expect, rehearse(case.rehearsal(file.config))))


@pytest.mark.parametrize(
    "expect",
    [
        "{}",
        "{ output: { paid: 3 } }",
        "{ output: { paid: 3.0, list: [1, 2] } }",
        "{ duration: PT5S, run: [pay, tell], notRun: [] }",
        "{ calls: { pay: 1 } }",
        "{ calls: { pay: { count: 1, sent: { method: post, body: { amount: 3 } } } } }",
        "{ calls: { pay: { sent: [{ uri: 'https://a.test' }] } } }",
        "{ emitted: [{ type: told }] }",
    ],
)
def test_a_run_that_is_as_expected(expect: str) -> None:
    assert told(expect) == []


@pytest.mark.parametrize(
    ("expect", "lines"),
    [
        (
            "{ output: { paid: 4, by: me, list: [1] } }",
            [
                "output: /paid is 3, expected 4",
                'output: /by is missing, expected "me"',
                "output: /list has 2 items, expected 1: [1, 2]",
            ],
        ),
        ("{ output: true }", ['output: it is {"paid": 3, "list": [1, 2]}, expected true']),
        (
            "{ error: timeout }",
            [
                'the run completed with {"paid": 3, "list": [1, 2]}; '
                'expected: it faults with {"type": "timeout"}'
            ],
        ),
        (
            "{ waits: true }",
            ['the run completed with {"paid": 3, "list": [1, 2]}; expected: it waits for an event'],
        ),
        ("{ duration: PT1M }", ["duration: 5 s on the virtual clock, expected 1 min"]),
        ("{ notRun: [pay] }", ["notRun: /do/0/pay ran"]),
        ("{ calls: { pay: 2 } }", ["calls of /do/0/pay: 1, expected 2"]),
        ("{ calls: { tell: { sent: {} } } }", ["calls of /do/1/tell: none"]),
        (
            "{ calls: { pay: { sent: { body: { amount: 4 } } } } }",
            ["calls of /do/0/pay: sent /body/amount is 3, expected 4 (/do/0/pay)"],
        ),
        (
            "{ calls: { pay: { sent: [{}, {}] } } }",
            ["calls of /do/0/pay: 1, expected 2"],
        ),
        ("{ emitted: [{ type: other }] }", ['emitted: /0/type is "told", expected "other"']),
    ],
)
def test_each_difference_is_a_line(expect: str, lines: list[str]) -> None:
    assert told(expect) == lines


def test_a_task_that_didnt_run_is_told() -> None:
    text = DEFINITION.replace("amount: 3", "amount: 0")
    assert told("{ run: [pay] }", text) == ["run: /do/0/pay didn't run"]


@pytest.mark.parametrize(
    ("expect", "lines"),
    [
        ("{ error: communication }", []),
        ("{ error: { status: 503, detail: busy, instance: /do/0/pay } }", []),
        (
            "{ error: { type: timeout, status: 500, detail: tired } }",
            [
                'error: type is "https://open-workflow-specification.org/spec/1.0.0/errors/'
                'communication", expected "timeout"',
                "error: status is 503, expected 500",
                'error: detail is "too busy", expected it to hold "tired"',
            ],
        ),
        (
            "{}",
            [
                "the run faulted: Communication Error (503) at /do/0/pay: too busy; "
                "expected: it completes"
            ],
        ),
    ],
)
def test_a_run_that_faults(expect: str, lines: list[str]) -> None:
    assert told(expect, FAULTING) == lines


def test_a_run_that_waits() -> None:
    assert told("{ waits: true }", WAITING) == []
    assert told("{ output: { paid: 3 } }", WAITING) == [
        "the run waits for an event that never comes, at /do/2/hear; "
        'expected: it completes with {"paid": 3}'
    ]
    assert told("{ error: {} }", WAITING)[0].endswith("expected: it faults")


def test_a_missing_mock_says_what_to_write() -> None:
    [line] = told("{}", DEFINITION.replace("mocks: { pay: { output: 1 } }", "mocks: {}"))
    assert 'give one under "/do/0/pay" in the mocks' in line


def test_long_values_are_cut() -> None:
    text = DEFINITION.replace("list: [1, 2]", f"list: [{'a' * 300}]")
    [line] = told("{ output: 1 }", text)
    assert len(line) < 250
