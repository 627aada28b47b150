"""TemporalEngine where Temporal refuses, or doesn't answer at all."""

import asyncio
import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from app.embedded.ports import free_port
from app.embedded.temporal import temporal_server
from app.embedded.temporal_binary import find_temporal
from biz.engine import RunRefused
from biz.errors import EngineUnavailable
from biz.executions.execution import Execution, ExecutionStatus
from data.temporal import TemporalEngine, connect

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def execution(input: Any) -> Execution:
    return Execution(
        id=str(uuid.uuid4()),
        namespace="default",
        template_id=1,
        template_name="order",
        template_version="1.0.0",
        definition="{}",
        definition_digest="",
        status=ExecutionStatus.PENDING,
        input=input,
        output=None,
        error=None,
        labels={},
        business_key="",
        current_tasks=(),
        created_at=NOW,
        started_at=None,
        ended_at=None,
    )


async def test_a_run_that_temporal_will_never_take_is_refused(temporal_address: str) -> None:
    client = await connect(address=temporal_address, namespace="default")
    engine = TemporalEngine(client=client, task_queue="none", version="test")
    with pytest.raises(RunRefused):
        await engine.start(execution("x" * 3_000_000))


async def test_a_run_that_temporal_doesnt_know_has_no_state(temporal_address: str) -> None:
    client = await connect(address=temporal_address, namespace="default")
    engine = TemporalEngine(client=client, task_queue="none", version="test")
    assert await engine.state(str(uuid.uuid4())) is None
    await engine.wait(str(uuid.uuid4()), timedelta(seconds=5))


async def test_where_nobody_listens_there_is_no_connection() -> None:
    with pytest.raises(EngineUnavailable):
        await connect(address=f"127.0.0.1:{free_port()}", namespace="default")


async def test_no_answer_is_told_as_such(tmp_path: Path) -> None:
    binary, port = await find_temporal(named=None, say=print), free_port()
    log = tmp_path / "temporal.log"
    async with temporal_server(binary=binary, port=port, namespace="default", log=log):
        client = await connect(address=f"127.0.0.1:{port}", namespace="default")
    engine = TemporalEngine(client=client, task_queue="none", version="test")

    async def ended() -> None:
        async for _ in engine.ended_from_outside(NOW):
            raise AssertionError("nobody is there")

    answers = await asyncio.gather(
        engine.start(execution({})),
        engine.state("e"),
        engine.wait("e", timedelta(seconds=60)),
        ended(),
        return_exceptions=True,
    )
    assert [type(answer) for answer in answers] == [EngineUnavailable] * 4
