from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from biz.dsl.errors import WorkflowError
from biz.dsl.lifecycle import LifecycleType
from biz.errors import ExecutionNotFound, InvalidArgument
from biz.logs.log import (
    ExecutionLog,
    ExecutionLogUsecase,
    LogLevel,
    LogQuery,
    lifecycle_line,
    lifecycle_types,
)
from biz.paging import PageRequest, PageTokens, Rows, Slice
from tests.fakes.execution_repo import FakeExecutionRepo
from tests.fakes.signing_key import FakeSigningKey
from tests.fixtures.entities import COMPLETED, EVENT, LOG

QUERY = LogQuery(execution_id=COMPLETED.id, level=LogLevel.INFO, task="/do/0/x")


class FakeLogRepo:
    """`biz.logs.log.LogRepo`; `asked` is the last list's question."""

    def __init__(self) -> None:
        self.asked: tuple[LogQuery, Slice] | None = None

    async def add(self, lines: Sequence[ExecutionLog]) -> None:
        raise NotImplementedError

    async def list(self, query: LogQuery, slice: Slice) -> Rows[ExecutionLog]:
        self.asked = (query, slice)
        return Rows(items=[LOG], place=([3, 3], None))


@pytest.fixture
def repo() -> FakeLogRepo:
    return FakeLogRepo()


@pytest.fixture
def usecase(repo: FakeLogRepo) -> ExecutionLogUsecase:
    executions = FakeExecutionRepo()
    executions.executions[COMPLETED.id] = COMPLETED
    return ExecutionLogUsecase(
        repo=repo, executions=executions, page_tokens=PageTokens(signing_key=FakeSigningKey())
    )


async def test_a_page_is_in_order_and_the_next_one_goes_on(
    usecase: ExecutionLogUsecase, repo: FakeLogRepo
) -> None:
    first = await usecase.list(PageRequest(), query=QUERY)
    assert first.items == [LOG]
    assert repo.asked is not None
    query, slice = repo.asked
    assert (query, slice.order.field, slice.order.descending) == (QUERY, "time", False)

    await usecase.list(PageRequest(token=first.next_token), query=QUERY)
    assert repo.asked[1].after == ([3, 3], None)


@pytest.mark.parametrize("query", [replace(QUERY, level=LogLevel.ERROR), replace(QUERY, task="")])
async def test_a_token_belongs_to_its_filters(
    usecase: ExecutionLogUsecase, query: LogQuery
) -> None:
    first = await usecase.list(PageRequest(), query=QUERY)
    with pytest.raises(InvalidArgument):
        await usecase.list(PageRequest(token=first.next_token), query=query)


@pytest.mark.parametrize(
    ("request_", "field"),
    [(PageRequest(order_by="level"), "order_by"), (PageRequest(token="x"), "page_token")],
)
async def test_bad_requests_are_refused(
    usecase: ExecutionLogUsecase, request_: Any, field: str
) -> None:
    with pytest.raises(InvalidArgument) as refused:
        await usecase.list(request_, query=QUERY)
    assert [violation.field for violation in refused.value.violations] == [field]


async def test_an_unknown_execution_is_not_found(usecase: ExecutionLogUsecase) -> None:
    with pytest.raises(ExecutionNotFound):
        await usecase.list(PageRequest(), query=LogQuery(execution_id="unknown"))


def test_a_fault_is_told_with_its_error() -> None:
    error = WorkflowError.standard("timeout", "too slow")
    line = lifecycle_line("e1", replace(EVENT, error=error))
    assert line == ExecutionLog(
        execution_id="e1",
        time=EVENT.time,
        level=LogLevel.ERROR,
        message=f"task faulted: {error.title}: too slow",
        task=EVENT.task,
        fields={
            "event": "task.faulted",
            "sequence": 3,
            "attempt": 2,
            "duration_ms": 2500.0,
            "error": error.to_json(),
        },
    )


def test_a_start_has_neither_error_nor_duration() -> None:
    started = replace(EVENT, type=LifecycleType.WORKFLOW_STARTED, error=None, started_at=None)
    line = lifecycle_line("e1", started)
    assert (line.level, line.message) == (LogLevel.INFO, "workflow started")
    assert line.fields == {"event": "workflow.started", "sequence": 3, "attempt": 2}


def test_levels_choose_among_the_events() -> None:
    assert LifecycleType.TASK_CREATED not in lifecycle_types(LogLevel.DEBUG)
    assert LifecycleType.TASK_STARTED in lifecycle_types(LogLevel.INFO)
    assert LifecycleType.TASK_RETRIED in lifecycle_types(LogLevel.WARNING)
    assert set(lifecycle_types(LogLevel.ERROR)) == {
        LifecycleType.TASK_FAULTED,
        LifecycleType.WORKFLOW_FAULTED,
    }
