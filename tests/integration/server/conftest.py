"""The whole service behind gRPC: SQLite, Temporal and a worker, wired as in production."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import cast
from uuid import uuid4

import grpc
import pytest

from api.execution.v1.execution_pb2_grpc import ExecutionServiceStub
from api.template.v1.template_pb2_grpc import TemplateServiceStub
from api.workflow.v1.workflow_pb2_grpc import WorkflowServiceStub
from app.container import opened
from app.settings import Settings
from server.grpc_server import Service
from tests.fixtures.grpc_service import ServicesFactory


@pytest.fixture(scope="module")
def grpc_services(
    tmp_path_factory: pytest.TempPathFactory, temporal_address: str
) -> ServicesFactory:
    """All services, on a database of their own."""
    settings = Settings(
        state_directory=tmp_path_factory.mktemp("state"),
        temporal_address=temporal_address,
        temporal_ui_url="http://localhost:8088",
        task_queue=f"rpc-{uuid4()}",
    )

    @asynccontextmanager
    async def services() -> AsyncIterator[Sequence[Service]]:
        async with opened(settings) as container:
            migrator = await container.migrator()
            await migrator.migrate()
            await container.worker()
            await container.operation_runner()
            yield cast(Sequence[Service], await container.services())

    return services


@pytest.fixture(scope="module")
def templates(grpc_channel: grpc.Channel) -> TemplateServiceStub:
    """The client of TemplateService."""
    return TemplateServiceStub(grpc_channel)


@pytest.fixture(scope="module")
def executions(grpc_channel: grpc.Channel) -> ExecutionServiceStub:
    """The client of ExecutionService."""
    return ExecutionServiceStub(grpc_channel)


@pytest.fixture(scope="module")
def workflows(grpc_channel: grpc.Channel) -> WorkflowServiceStub:
    """The client of WorkflowService."""
    return WorkflowServiceStub(grpc_channel)
