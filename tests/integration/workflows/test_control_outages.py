"""What is asked of executions holds while nobody can do it."""

import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from app.container import Container, opened
from app.embedded.ports import free_port
from app.embedded.temporal import temporal_server
from app.embedded.temporal_binary import find_temporal
from app.settings import Settings
from biz.executions.execution import (
    Execution,
    ExecutionRepo,
    ExecutionStatus,
    StartRequest,
    new_execution,
)
from biz.history.history import HistoryUsecase
from biz.paging import PageRequest
from tests.fixtures.run_service import definition, until

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

S = ExecutionStatus
TASKS: list[Any] = [{"a": {"set": {"a": 1}}}, {"b": {"set": {"b": 2}}}]


@pytest.fixture
async def container(database_url: str, temporal_address: str) -> AsyncIterator[Container]:
    """A service without a worker."""
    settings = Settings(
        database_url=database_url,
        temporal_address=temporal_address,
        task_queue=f"control-{uuid.uuid4()}",
        reconcile_seconds=1,
    )
    async with opened(settings) as container:
        yield container


async def _started(container: Container) -> str:
    """An execution that the engine knows."""
    templates, executions = await container.templates(), await container.executions()
    template = await templates.create(config=definition(TASKS))
    execution: Execution = await executions.start(StartRequest(template_id=template.id))
    return execution.id


async def _stored(container: Container) -> str:
    """An execution that the engine doesn't know yet."""
    templates, repo = await container.templates(), await container.execution_repo()
    template = await templates.create(config=definition(TASKS))
    now = container.clock()()
    new = await new_execution(template, id=str(uuid.uuid4()), input={}, now=now)
    execution: Execution = await repo.create(new, None)
    return execution.id


async def _kinds(container: Container, id: str) -> list[str]:
    history: HistoryUsecase = await container.history()
    page = await history.list(PageRequest(), execution_id=id, after_sequence=0)
    return [".".join(event.type.split(".")[2:4]) for event in page.items]


async def _until(container: Container, id: str, holds: Callable[[Execution], bool]) -> Execution:
    repo: ExecutionRepo = await container.execution_repo()

    async def look() -> Execution:
        return await repo.get(id)

    return await until(look, holds)


@pytest.mark.parametrize("make", [_started, _stored])
async def test_a_suspension_and_a_resumption_hold_with_no_worker_up(
    container: Container, make: Callable[[Container], Awaitable[str]]
) -> None:
    control = await container.execution_control()
    held, resumed = await make(container), await make(container)
    for id in (held, resumed):
        assert (await control.suspend(id)).status is S.SUSPENDED
    await control.resume(resumed)
    await container.worker()
    assert (await _until(container, resumed, lambda e: e.status.is_end)).output == {"b": 2}
    told = ["workflow.started", "workflow.suspended"]
    assert (
        await until(lambda: _kinds(container, held), lambda kinds: len(kinds) == len(told)) == told
    )
    assert (await _until(container, held, lambda e: True)).status is S.SUSPENDED
    await control.resume(held)
    assert (await _until(container, held, lambda e: e.status.is_end)).output == {"b": 2}


@pytest.mark.parametrize("make", [_started, _stored])
@pytest.mark.parametrize("verb", ["cancel", "terminate"])
async def test_an_end_holds_with_no_worker_up(
    container: Container, make: Callable[[Container], Awaitable[str]], verb: str
) -> None:
    control = await container.execution_control()
    id = await make(container)
    await getattr(control, verb)(id, reason="never mind")
    await container.worker()
    await container.reconciler()
    ended = await _until(container, id, lambda e: e.status.is_end)
    assert ended.status is (S.CANCELLED if verb == "cancel" else S.TERMINATED)
    assert ended.error is not None
    assert "never mind" in ended.error.detail

    async def kinds() -> list[str]:
        return await _kinds(container, id)

    told = await until(kinds, lambda kinds: kinds[-1:] == ["workflow.cancelled"])
    assert "task.started" not in told


@asynccontextmanager
async def _temporal(port: int, log: Path) -> AsyncIterator[None]:
    binary = await find_temporal(named=None, say=print)
    async with temporal_server(binary=binary, port=port, namespace="default", log=log):
        yield


async def test_wishes_reach_temporal_once_it_is_back(database_url: str, tmp_path: Path) -> None:
    port = free_port()
    settings = Settings(
        database_url=database_url,
        temporal_address=f"127.0.0.1:{port}",
        task_queue=f"control-{uuid.uuid4()}",
        reconcile_seconds=1,
        reconcile_pending_seconds=1,
    )
    async with AsyncExitStack() as parts:
        async with _temporal(port, tmp_path / "first.log"):
            container = await parts.enter_async_context(opened(settings))
            control = await container.execution_control()
        held, cancelled, ended = [await _stored(container) for _ in range(3)]
        assert (await control.suspend(held)).status is S.SUSPENDED
        assert (await control.cancel(cancelled, reason="enough")).status is S.PENDING
        assert (await control.terminate(ended)).status is S.TERMINATED
        async with _temporal(port, tmp_path / "second.log"):
            await container.reconciler()
            await container.worker()
            found = await _until(container, cancelled, lambda e: e.status.is_end)
            assert found.status is S.CANCELLED

            async def kinds() -> list[str]:
                return await _kinds(container, held)

            await until(kinds, lambda kinds: len(kinds) >= 2)
            assert await kinds() == ["workflow.started", "workflow.suspended"]
            await control.resume(held)
            assert (await _until(container, held, lambda e: e.status.is_end)).output == {"b": 2}
            await parts.aclose()  # before Temporal goes away
