"""`workflow-engine test`: the examples' tests, and what a broken one prints."""

from collections.abc import Sequence
from pathlib import Path
from xml.etree import ElementTree

import pytest
from typer.testing import CliRunner, Result

from app.cli import cli

EXAMPLES = Path(__file__).parents[3] / "examples"
FOLDERS = sorted(path.parent for path in EXAMPLES.glob("*/workflow.yaml"))
WORKFLOW = """\
document: { dsl: 1.0.0, namespace: test, name: pay, version: 1.0.0 }
do:
  - big:
      switch:
        - large: { when: "${ .amount > 100 }", then: ask }
        - small: { then: pay }
  - ask: { call: http, with: { method: get, endpoint: "https://a.test/ask" } }
  - pay: { call: http, with: { method: post, endpoint: "https://a.test/pay" } }
"""
CASES = """\
workflow: pay.yaml
cases:
  - name: a small amount is paid
    input: { amount: 3 }
    mocks: { pay: { output: { receipt: 7 } } }
    expect:
      output: { receipt: 7 }
      calls: { pay: 1 }
"""


def run(*words: object) -> Result:
    return CliRunner().invoke(cli, ["test", *map(str, words)], catch_exceptions=False)


def write(folder: Path, cases: str = CASES, workflow: str = WORKFLOW) -> Path:
    (folder / "pay.yaml").write_text(workflow)
    file = folder / "pay_test.yaml"
    file.write_text(cases)
    return file


def lines(result: Result) -> Sequence[str]:
    return [line.strip() for line in result.stdout.splitlines()]


def test_each_example_has_tests_that_pass() -> None:
    files = [folder / "workflow_test.yaml" for folder in FOLDERS]
    result = run(*files)
    assert result.exit_code == 0, result.output
    assert lines(result)[-1].endswith("passed, 0 failed")


def test_what_passes_and_what_no_case_reaches_is_told(tmp_path: Path) -> None:
    result = run(write(tmp_path))
    assert result.exit_code == 0
    assert lines(result)[1:] == [
        "ok    a small amount is paid",
        "1 of 2 branches reached",
        'not reached: /do/0/big: case "large"',
        "1 passed, 0 failed",
    ]


def test_a_broken_definition_fails_with_a_message_that_says_how(tmp_path: Path) -> None:
    broken = WORKFLOW.replace("small: { then: pay }", "small: { then: ask }")
    mocked = CASES.replace("mocks: {", "mocks: { ask: { output: { receipt: 8 } },")
    mocked = mocked.replace("calls: { pay: 1 }", "calls: { pay: 2, ask: 0 }")
    file = write(
        tmp_path, mocked.replace("receipt: 7 }\n      calls", "receipt: 9 }\n      calls"), broken
    )
    result = run(file)
    assert result.exit_code == 1
    assert lines(result)[1:] == [
        f"FAIL  a small amount is paid  ({file}:3)",
        "output: /receipt is 7, expected 9",
        "calls of /do/2/pay: 1, expected 2",
        "calls of /do/1/ask: 1, expected 0",
        "the tasks that ran: big, ask, pay",
        "1 of 2 branches reached",
        'not reached: /do/0/big: case "large"',
        "0 passed, 1 failed",
    ]


def test_a_call_without_a_mock_fails_with_what_to_write(tmp_path: Path) -> None:
    result = run(write(tmp_path, CASES.replace("amount: 3", "amount: 300")))
    assert result.exit_code == 1
    assert 'give one under "/do/1/ask" in the mocks' in result.stdout


def test_a_run_without_an_end_fails(tmp_path: Path) -> None:
    endless = WORKFLOW.replace("  - ask: {", "  - ask: { then: ask,")
    cases = CASES.replace("amount: 3", "amount: 300").replace("pay: { output", "ask: { output")
    result = run(write(tmp_path, cases, endless))
    assert result.exit_code == 1
    assert "more than 10000 lifecycle events" in result.stdout
    result = run("--faults", tmp_path / "pay_test.yaml")
    assert result.exit_code == 1
    assert "more than 10000 lifecycle events" in result.stdout


def test_the_results_are_written_for_a_ci_server(tmp_path: Path) -> None:
    file = write(
        tmp_path, CASES + CASES.split("cases:\n")[1].replace("a small", "no").replace("7", "8")
    )
    broken = tmp_path / "broken.yaml"
    broken.write_text("cases: 5\n")
    assert run(file, broken, "--junit", tmp_path / "junit.xml").exit_code == 1
    suites = ElementTree.parse(tmp_path / "junit.xml").getroot()
    assert [(suite.get("tests"), suite.get("failures")) for suite in suites] == [
        ("2", "0"),
        ("1", "1"),
    ]
    assert suites[0][0].get("name") == "a small amount is paid"
    assert suites[1][0][0].get("message") == "it can't be read"


def test_a_report_that_cant_be_written_is_told(tmp_path: Path) -> None:
    result = CliRunner().invoke(
        cli, ["test", str(write(tmp_path)), "--junit", str(tmp_path / "no" / "junit.xml")]
    )
    assert "can't be written" in str(result.exception)


@pytest.mark.parametrize(
    ("cases", "message"),
    [
        (CASES.replace("mocks:", "mock:"), ':5:11: error: "mock" isn\'t known here'),
        (CASES.replace("{ pay:", "{ paid:"), ':5:20: error: no task is called "paid"'),
        ("cases: [", "error: not YAML"),
    ],
)
def test_a_wrong_test_file_is_told_with_its_place(tmp_path: Path, cases: str, message: str) -> None:
    result = run(write(tmp_path, cases))
    assert result.exit_code == 1
    assert message in result.stdout


def test_a_definition_that_is_missing_or_wrong_is_told(tmp_path: Path) -> None:
    result = run(write(tmp_path, CASES.replace("pay.yaml", "other.yaml")))
    assert (result.exit_code, "there is no file" in result.output) == (1, True)
    result = run(write(tmp_path, workflow=WORKFLOW.replace("switch", "swich")))
    assert (result.exit_code, "did you mean" in result.output) == (1, True)
    assert run("--faults", tmp_path / "nothing.yaml").exit_code == 1


def test_with_faults_each_call_fails_in_turn(tmp_path: Path) -> None:
    result = run("--faults", write(tmp_path))
    assert result.exit_code == 0
    assert lines(result)[1:] == [
        "a small amount is paid",
        "/do/2/pay fails:",
        "the run faulted: Communication Error (500) at /do/2/pay: the test has it fail",
        "calls after it: none",
        "/do/2/pay times out:",
        "the run faulted: Timeout Error (408) at /do/2/pay: the test has it fail",
        "calls after it: none",
    ]


def test_with_faults_it_is_told_whether_the_payment_is_taken_back(tmp_path: Path) -> None:
    workflow = WORKFLOW + (
        "  - safe:\n"
        "      try:\n"
        '        - ship: { call: http, with: { method: post, endpoint: "https://a.test/ship" } }\n'
        "      catch:\n"
        "        do:\n"
        '          - payBack: { call: http, with: { method: get, endpoint: "https://a.test" } }\n'
    )
    cases = CASES.replace("mocks: {", "mocks: { ship: { output: {} },")
    result = run("--faults", write(tmp_path, cases, workflow))
    assert "the run completed with null" in result.stdout
    assert "calls after it: /do/3/safe/catch/do/0/payBack" in result.stdout


def test_with_faults_a_case_without_calls_says_so(tmp_path: Path) -> None:
    workflow = WORKFLOW.split("do:\n")[0] + "do:\n  - pay: { set: { receipt: 7 } }\n"
    result = run("--faults", write(tmp_path, workflow=workflow))
    assert "makes no call" in result.stdout
