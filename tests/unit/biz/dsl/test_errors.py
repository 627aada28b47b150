"""Problem details of workflows."""

import pytest

from biz.dsl.errors import WorkflowError, is_same_type
from tests.fixtures.workflows import standard

OLD = "https://serverlessworkflow.io/dsl/errors/types/"


def test_a_detail_is_cut_since_data_may_stand_in_it() -> None:
    error = WorkflowError.standard("expression", "x" * 1_000_000)
    assert len(error.detail) == 2001
    assert error.detail.endswith("x…")


def test_a_type_is_always_told() -> None:
    error = WorkflowError(type="", status=0)
    assert error.to_json() == {"type": "", "status": 0}
    assert WorkflowError.from_json(error.to_json()) == error


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (standard("timeout"), f"{OLD}timeout", True),
        (f"{OLD}timeout", f"{OLD}timeout", True),
        (f"{OLD}timeout", f"{OLD}runtime", False),
        (f"{OLD}timeout", f"{OLD}timeout/", False),
        (f"{OLD}custom", f"{OLD}custom", True),
        (f"{OLD}custom", standard("custom"), False),
        ("timeout", standard("timeout"), False),
        ("timeout", "timeout", True),
    ],
)
def test_the_standards_types_are_the_same_in_each_generation(
    one: str, other: str, same: bool
) -> None:
    assert is_same_type(one, other) is same
    assert is_same_type(other, one) is same
