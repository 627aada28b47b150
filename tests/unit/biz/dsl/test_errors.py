"""Problem details of workflows."""

from biz.dsl.errors import WorkflowError


def test_a_detail_is_cut_since_data_may_stand_in_it() -> None:
    error = WorkflowError.standard("expression", "x" * 1_000_000)
    assert len(error.detail) == 2001
    assert error.detail.endswith("x…")
