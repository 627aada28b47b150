"""What a process reads of a template, it reads once, not once a run."""

import asyncio

import pytest

from biz.dsl.expressions import compile_expression
from biz.dsl.validator import load_workflow
from biz.executions.execution import ExecutionStatus, StartRequest
from tests.fixtures.run_service import Service, definition
from tests.patience import PATIENCE

RUNS = 50
TASKS = [
    {"double": {"set": {"twice": "${ .number * 2 }"}}},
    {"pause": {"wait": {"milliseconds": 1}}},
    {"add": {"set": {"more": "${ .twice + 1 }"}}},
]


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_a_template_is_parsed_once_for_its_runs(service: Service) -> None:
    parsed = load_workflow.cache_info()
    template = await service.templates.create(config=definition(TASKS))
    compiled = compile_expression.cache_info()

    started = await asyncio.gather(
        *(
            service.executions.start(StartRequest(template_id=template.id, input={"number": n}))
            for n in range(RUNS)
        )
    )
    ended = await asyncio.gather(
        *(service.executions.get(run.id, wait=PATIENCE) for run in started)
    )

    assert [run.output for run in ended] == [{"more": 2 * n + 1} for n in range(RUNS)]
    assert {run.status for run in ended} == {ExecutionStatus.COMPLETED}
    after = load_workflow.cache_info()
    assert after.misses - parsed.misses == 1
    assert after.hits - parsed.hits >= 2 * RUNS - 1  # by the server at its start, by the worker
    expressions = compile_expression.cache_info()
    assert expressions.misses - compiled.misses <= 2  # once each of the definition


def test_what_is_kept_is_bounded() -> None:
    assert load_workflow.cache_info().maxsize == 64
    assert compile_expression.cache_info().maxsize == 4096
