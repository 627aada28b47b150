"""Calls that are failed in turn, and what becomes of the run."""

from biz.dsl.dry_run import DryRun, Ending, rehearse
from biz.dsl.task_paths import pointer_of
from biz.dsl.validator import load_workflow
from biz.testing.case_reader import read_cases
from biz.testing.coverage import cover
from biz.testing.faults import injections

TEXT = """\
workflow:
  document: { dsl: 1.0.0, namespace: test, name: order, version: 1.0.0 }
  do:
    - pay: { call: http, with: { method: post, endpoint: "https://a.test/pay" } }
    - safe:
        try:
          - lines:
              for: { in: "${ [1, 2] }" }
              do:
                - ship: { call: http, with: { method: post, endpoint: "https://a.test/ship" } }
        catch:
          do:
            - payBack: { call: http, with: { method: post, endpoint: "https://a.test/back" } }
            - tell: { call: http, with: { method: post, endpoint: "https://a.test/tell" } }
cases:
  - name: all is well
    mocks:
      pay: { output: 1 }
      /do/1/safe/try/0/lines/for/0/do/0/ship: { output: 1 }
      ship: { output: 2 }
  - name: it isn't
    mocks:
      pay: { output: 1 }
      ship: { error: communication }
      payBack: { output: back }
      tell: { output: told }
"""
SHIP = "/do/1/safe/try/0/lines/do/0/ship"


def runs() -> dict[tuple[str, str], tuple[DryRun, list[str]]]:
    file = read_cases(TEXT, str)
    case = file.cases[0]
    base = rehearse(case.rehearsal(file.config))
    found = {}
    for injection in injections(case, base):
        run = rehearse(injection.rehearsal(file))
        followers = [pointer_of(call.task) for call in injection.followers(run)]
        found[injection.task, injection.kind] = (run, followers)
    return found


def test_each_call_of_a_case_fails_in_each_way() -> None:
    assert list(runs()) == [
        (task, kind) for task in ("/do/0/pay", SHIP) for kind in ("communication", "timeout")
    ]


def test_a_call_that_nothing_catches_ends_the_run() -> None:
    run, followers = runs()["/do/0/pay", "timeout"]
    assert run.error is not None
    assert (run.ending, run.error.status, followers) == (Ending.FAULTED, 408, [])


def test_the_calls_that_follow_a_failure_are_told_and_mocked_as_in_other_cases() -> None:
    run, followers = runs()[SHIP, "communication"]
    assert (run.ending, run.output) == (Ending.COMPLETED, "told")
    assert followers == ["/do/1/safe/catch/do/0/payBack", "/do/1/safe/catch/do/1/tell"]


def test_what_no_case_mocks_gives_null() -> None:
    file = read_cases(TEXT[: TEXT.index("  - name: it isn't")], str)
    case = file.cases[0]
    [*_, injection] = injections(case, rehearse(case.rehearsal(file.config)))
    run = rehearse(injection.rehearsal(file))
    assert (run.ending, run.output) == (Ending.COMPLETED, None)


def test_branches_that_no_run_has_taken_are_told() -> None:
    file = read_cases(TEXT, str)
    workflow = load_workflow(file.config)
    first, second = (rehearse(case.rehearsal(file.config)) for case in file.cases)
    coverage = cover(workflow, [first])
    assert len(coverage.all) == 2
    assert [(branch.task, branch.way) for branch in coverage.unreached] == [
        ("/do/1/safe", "an error is caught")
    ]
    assert cover(workflow, [first, second]).unreached == []
