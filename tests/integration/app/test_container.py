"""The composition root on a real database and a real Temporal, within this process."""

import asyncio
import uuid
from pathlib import Path
from typing import Any

import grpc
import grpc.aio
import httpx
import pytest
from google.protobuf.duration_pb2 import Duration

from api.execution.v1 import execution_pb2, execution_pb2_grpc
from api.template.v1 import template_pb2, template_pb2_grpc
from api.workflow.v1 import workflow_pb2, workflow_pb2_grpc
from app.container import Container, open_part, opened
from app.embedded.ports import free_port
from app.failure import Failure
from app.settings import Settings
from biz.dsl.reading.diagnostics import Diagnostic
from tests.patience import PATIENCE_SECONDS

CONFIG = """
document: { dsl: 1.0.0, namespace: default, name: hello, version: 1.0.0 }
do:
  - greet:
      set: { greeting: '${ "hello " + .name }' }
"""


@pytest.fixture
def settings(tmp_path: Path, temporal_address: str) -> Settings:
    return Settings(
        state_directory=tmp_path,
        temporal_address=temporal_address,
        task_queue=f"container-{uuid.uuid4()}",
        grpc_address="127.0.0.1:0",
        metrics_address=f"127.0.0.1:{free_port()}",
    )


async def migrate(container: Container) -> None:
    migrator = await container.migrator.async_()
    await migrator.migrate()


async def run_hello(port: int) -> execution_pb2.Execution:
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
        templates = template_pb2_grpc.TemplateServiceStub(channel)
        await templates.CreateTemplate(template_pb2.CreateTemplateRequest(config=CONFIG))
        request = execution_pb2.StartExecutionRequest(
            template_name="hello", wait=Duration(seconds=PATIENCE_SECONDS)
        )
        request.input.struct_value["name"] = "Ada"
        executions = execution_pb2_grpc.ExecutionServiceStub(channel)
        answer = await executions.StartExecution(request)
        return answer.execution


async def test_all_parts_work_together_and_close_in_order(settings: Settings) -> None:
    async with opened(settings) as container:
        await migrate(container)
        server = await container.grpc_server()
        await container.metrics()
        reconciler, worker = await container.reconciler(), await container.worker()
        execution = await run_hello(server.port)
        assert execution.output.struct_value["greeting"] == "hello Ada"
        async with httpx.AsyncClient() as http:
            metrics = await http.get(f"http://{settings.metrics_address}/metrics")
        assert "grpc_server_handled_total" in metrics.text
        database = await container.database()
    assert reconciler.done()
    assert worker.done()
    assert worker.cancelled() or worker.exception() is None
    with pytest.raises(Exception, match="isn't open"):
        await database.read(lambda db: None)


async def test_a_part_opens_only_what_it_needs(settings: Settings) -> None:
    async with opened(settings) as container:
        await migrate(container)
        await container.metrics()
        assert not container.temporal_client.initialized
        assert not container.grpc_server.initialized


async def test_tests_override_what_they_like(settings: Settings) -> None:
    class FakeWorkflowUsecase:
        async def validate(self, config: str) -> list[Diagnostic]:
            return [Diagnostic(code="fake", message=config, pointer="")]

    async with opened(settings) as container:
        await migrate(container)
        with container.workflows.override(FakeWorkflowUsecase()):
            server = await container.grpc_server()
        async with grpc.aio.insecure_channel(f"127.0.0.1:{server.port}") as channel:
            stub = workflow_pb2_grpc.WorkflowServiceStub(channel)
            request = workflow_pb2.ValidateWorkflowRequest(config="text")
            (diagnostic,) = (await stub.ValidateWorkflow(request)).diagnostics
    assert (diagnostic.code, diagnostic.message) == ("fake", "text")


async def test_a_cancellation_while_a_part_is_opened_closes_it_and_breaks_nothing(
    settings: Settings,
) -> None:
    broken: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: broken.append(context))
    async with opened(settings) as container:
        await migrate(container)
        opening = asyncio.create_task(open_part(container.worker))
        await asyncio.sleep(0)
        opening.cancel()
        with pytest.raises(asyncio.CancelledError):
            await opening
    assert not container.worker.initialized
    assert broken == []


async def test_a_schema_that_is_missing_is_told_with_what_to_do(settings: Settings) -> None:
    with pytest.raises(Failure, match="run `workflow-engine migrate` first"):
        async with opened(settings) as container:
            await container.grpc_server()


async def test_a_taken_metrics_port_is_told_with_its_setting(settings: Settings) -> None:
    async with opened(settings) as container:
        await (await container.migrator()).migrate()
        await container.metrics()
        with pytest.raises(Failure, match="METRICS_ADDRESS: can't listen on"):
            async with opened(settings) as second:
                await second.metrics()


async def test_a_temporal_that_is_gone_is_told_with_its_setting(settings: Settings) -> None:
    address = f"127.0.0.1:{free_port()}"
    nowhere = settings.model_copy(update={"temporal_address": address})
    with pytest.raises(Failure, match=f"TEMPORAL_ADDRESS: no Temporal answers at {address}"):
        async with opened(nowhere) as container:
            await container.temporal_client()
