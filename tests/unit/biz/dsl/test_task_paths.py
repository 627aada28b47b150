"""Paths, references and names of tasks."""

from itertools import pairwise

import pytest

from biz.dsl.task_paths import UnknownPath, names, pointer_of, read_task_path, steps, suffixes


@pytest.mark.parametrize(
    ("path", "pointer"),
    [
        ("/do/0/a", "/do/0/a"),
        ("/do/4/loop/for/2/do/0/getPet", "/do/4/loop/do/0/getPet"),
        ("/do/4/loop/do/0/getPet", "/do/4/loop/do/0/getPet"),
        ("/do/0/a/for/1/do/0/b/for/10/do/3/c", "/do/0/a/do/0/b/do/3/c"),
        ("/do/0/hear/foreach/7/do/0/x", "/do/0/hear/foreach/do/0/x"),
        ("/do/0/hear/foreach/do/0/x", "/do/0/hear/foreach/do/0/x"),
        ("/do/0/t/try/0/x", "/do/0/t/try/0/x"),
        ("/do/0/t/catch/do/0/x", "/do/0/t/catch/do/0/x"),
        ("/do/0/f/fork/branches/1/x", "/do/0/f/fork/branches/1/x"),
        ("/do/0/for/for/1/do/0/foreach", "/do/0/for/do/0/foreach"),
        ("/do/0/7/do/1/for", "/do/0/7/do/1/for"),
        ("/use/functions/for/do/0/x", "/use/functions/for/do/0/x"),
        ("/do/0/x/use/functions/f/for/1/do/0/y", "/use/functions/f/do/0/y"),
        ("/do/0/x/use/extensions/0/log/before/0/y", "/use/extensions/0/log/before/0/y"),
        ("/do/0/use/do/0/x", "/do/0/use/do/0/x"),
        ("/do/0/x/call/do/1/send", "/do/0/x/call/do/1/send"),
        ("/input", "/input"),
        ("/do/0/x/for", "/do/0/x/for"),
    ],
)
def test_a_path_leads_to_the_reference_of_its_task(path: str, pointer: str) -> None:
    assert pointer_of(path) == pointer


@pytest.mark.parametrize(
    ("other", "within"),
    [
        ("/do/0/a/do/0/b/do/0/c", True),
        ("/do/0/a/for/1/do/0/b/do/0/c", True),
        ("/do/0/a/do/0/b/for/2/do/0/c", True),
        ("/do/0/a/for/1/do/0/b/for/2/do/0/c", True),
        ("/do/0/a/for/2/do/0/b/do/0/c", False),
        ("/do/0/a/do/0/b/for/1/do/0/c", False),
        ("/do/0/a/do/0/b/do/0/d", False),
    ],
)
def test_a_reference_is_for_the_iterations_that_it_names(other: str, within: bool) -> None:
    path = read_task_path("/do/0/a/for/1/do/0/b/for/2/do/0/c")
    assert path.is_within(read_task_path(other)) == within


def test_what_functions_do_is_found_by_their_own_references_too() -> None:
    path = "/do/0/x/use/functions/f/do/0/y/use/functions/g"
    assert list(suffixes(path)) == [
        path,
        "/use/functions/f/do/0/y/use/functions/g",
        "/use/functions/g",
    ]


@pytest.mark.parametrize(
    ("path", "kinds"),
    [
        ("/do/4/loop/for/2/do/0/getPet", ["do", "for"]),
        ("/do/0/a/fork/branches/1/b/try/0/c/catch/do/0/d", ["do", "fork", "try", "catch"]),
        ("/do/0/hear/foreach/7/do/0/x", ["do", "foreach"]),
        ("/do/0/x/use/functions/f/do/1/y", ["do", "function", "do"]),
        ("/do/0/x/call/do/1/send", ["do", "call", "do"]),
        ("/do/0/x/use/extensions/0/log/before/2/y", ["do", "before"]),
        ("/do/0/x/use/extensions/0/log/after/2/y", ["do", "after"]),
    ],
)
def test_a_path_names_the_tasks_that_lead_to_its_task(path: str, kinds: list[str]) -> None:
    found = steps(path)

    assert [step.kind for step in found] == kinds
    assert found[-1].path == path
    assert all(inner.around == outer.path for outer, inner in pairwise(found))


@pytest.mark.parametrize(
    "path",
    ["", "/", "/do", "/do/0", "/input", "/do/0/x/for/1", "/do/0/x/caller", "/use/functions/f"],
)
def test_what_is_no_path_of_a_runs_task_is_told(path: str) -> None:
    with pytest.raises(UnknownPath):
        steps(path)


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/do/4/loop/for/2/do/0/getPet", "/do/loop/do/getPet"),
        ("/do/4/loop/do/0/getPet", "/do/loop/do/getPet"),
        ("/do/0/hear/foreach/7/do/0/x", "/do/hear/foreach/do/x"),
        ("/do/0/x/use/functions/f/do/1/y", "/use/functions/f/do/y"),
        ("/use/functions/f/do/1/y", "/use/functions/f/do/y"),
        ("/do/0/x/use/extensions/3/log/before/2/y", "/use/extensions/log/before/y"),
    ],
)
def test_the_names_that_lead_to_a_task_have_no_numbers(path: str, expected: str) -> None:
    assert names(path) == expected
