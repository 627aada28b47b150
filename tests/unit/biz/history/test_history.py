from typing import Any

import pytest

from biz.dsl.lifecycle import LifecycleEvent
from biz.errors import ExecutionNotFound, InvalidArgument
from biz.history.history import HistoryUsecase
from biz.paging import PageRequest, PageTokens, Rows, Slice
from tests.fakes.execution_repo import FakeExecutionRepo
from tests.fakes.signing_key import FakeSigningKey
from tests.fixtures.entities import COMPLETED, EVENT


class FakeHistoryRepo:
    """`biz.history.history.HistoryRepo`; `asked` is the last list's question."""

    def __init__(self) -> None:
        self.asked: tuple[str, int, Slice] | None = None

    async def list(
        self, execution_id: str, *, after_sequence: int, slice: Slice
    ) -> Rows[LifecycleEvent]:
        self.asked = (execution_id, after_sequence, slice)
        return Rows(items=[EVENT], place=(3, 3))


@pytest.fixture
def repo() -> FakeHistoryRepo:
    return FakeHistoryRepo()


@pytest.fixture
def usecase(repo: FakeHistoryRepo) -> HistoryUsecase:
    executions = FakeExecutionRepo()
    executions.executions[COMPLETED.id] = COMPLETED
    return HistoryUsecase(
        repo=repo, executions=executions, page_tokens=PageTokens(signing_key=FakeSigningKey())
    )


async def test_a_page_is_in_order_and_the_next_one_goes_on(
    usecase: HistoryUsecase, repo: FakeHistoryRepo
) -> None:
    first = await usecase.list(PageRequest(), execution_id=COMPLETED.id, after_sequence=2)
    assert first.items == [EVENT]
    assert repo.asked is not None
    id, after_sequence, slice = repo.asked
    assert (id, after_sequence, slice.order.field) == (COMPLETED.id, 2, "sequence")
    assert not slice.order.descending

    request = PageRequest(token=first.next_token)
    await usecase.list(request, execution_id=COMPLETED.id, after_sequence=2)
    assert repo.asked[2].after == (3, 3)


@pytest.mark.parametrize(
    ("request_", "after_sequence", "field"),
    [
        (PageRequest(), -1, "after_sequence"),
        (PageRequest(order_by="time"), 0, "order_by"),
        (PageRequest(token="x"), 0, "page_token"),
    ],
)
async def test_bad_requests_are_refused(
    usecase: HistoryUsecase, request_: Any, after_sequence: int, field: str
) -> None:
    with pytest.raises(InvalidArgument) as refused:
        await usecase.list(request_, execution_id=COMPLETED.id, after_sequence=after_sequence)
    assert [violation.field for violation in refused.value.violations] == [field]


async def test_an_unknown_execution_is_not_found(usecase: HistoryUsecase) -> None:
    with pytest.raises(ExecutionNotFound):
        await usecase.list(PageRequest(), execution_id="unknown", after_sequence=0)
