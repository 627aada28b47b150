from typing import Any

import pytest

from biz.dsl.calls.process_call import ProcessOutput, ProcessResult, texts, variables
from biz.dsl.errors import TaskFault

WELL = ProcessResult(code=0, stdout="out\n", stderr="err\n")
FAILED = ProcessResult(code=3, stdout="out\n", stderr="x" * 2000 + "no such thing\n")


@pytest.mark.parametrize(
    ("output", "value"),
    [
        ("stdout", "out\n"),
        ("stderr", "err\n"),
        ("code", 0),
        ("all", {"code": 0, "stdout": "out\n", "stderr": "err\n"}),
        ("none", None),
    ],
)
def test_a_process_gives_what_is_asked_for(output: str, value: Any) -> None:
    assert WELL.output(ProcessOutput(output)) == value


@pytest.mark.parametrize("output", ["stdout", "stderr", "none"])
def test_a_process_that_failed_faults_with_the_end_of_what_it_said(output: str) -> None:
    with pytest.raises(TaskFault) as raised:
        FAILED.output(ProcessOutput(output))
    error = raised.value.error
    assert error.status == 500
    assert error.detail.startswith("the process ended with exit code 3: xxx")
    assert error.detail.endswith("no such thing")
    assert len(error.detail) < 1100


def test_a_process_that_failed_without_a_word_faults() -> None:
    with pytest.raises(TaskFault, match=r"exit code 1$"):
        ProcessResult(code=1, stdout="", stderr=" \n").output(ProcessOutput.STDOUT)


@pytest.mark.parametrize("output", ["code", "all"])
def test_a_process_that_failed_doesnt_fault_where_its_code_is_asked_for(output: str) -> None:
    assert FAILED.output(ProcessOutput(output)) is not None


def test_values_become_texts() -> None:
    assert texts("arguments", ["a", 1, 0.5, True, False]) == ["a", "1", "0.5", "true", "false"]
    assert variables({"A": "é", "B": None, "C": True}) == {"A": "é", "C": "true"}


@pytest.mark.parametrize("values", [None, "a", {"a": 1}, [None], [[]], [{}], ["\0"], ["\ud800"]])
def test_other_arguments_fault(values: Any) -> None:
    with pytest.raises(TaskFault):
        texts("arguments", values)


@pytest.mark.parametrize("values", [None, "a", [], {"a": []}, {"": "a"}, {"a\0": "a"}])
def test_other_environments_fault(values: Any) -> None:
    with pytest.raises(TaskFault):
        variables(values)
