"""Spans of a call and of the run that it starts, at a collector that speaks OTLP."""

import asyncio
import uuid
from collections.abc import AsyncIterator
from pathlib import Path

import grpc.aio
import pytest
from google.protobuf.duration_pb2 import Duration
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2, trace_service_pb2_grpc

from api.execution.v1 import execution_pb2, execution_pb2_grpc
from api.template.v1 import template_pb2, template_pb2_grpc
from app.container import opened
from app.settings import Settings
from tests.fixtures.http_service import HttpService
from tests.patience import PATIENCE_SECONDS

CONFIG = """
document: { dsl: 1.0.0, namespace: default, name: traced, version: 1.0.0 }
do:
  - getPet:
      call: http
      with: { method: get, endpoint: URL }
"""


class Collector(trace_service_pb2_grpc.TraceServiceServicer):
    """Keeps the trace id of each span, by its name."""

    def __init__(self) -> None:
        self.traces: dict[str, bytes] = {}
        self.services: set[str] = set()

    async def Export(
        self, request: trace_service_pb2.ExportTraceServiceRequest, context: object
    ) -> trace_service_pb2.ExportTraceServiceResponse:
        for resource in request.resource_spans:
            for attribute in resource.resource.attributes:
                if attribute.key == "service.name":
                    self.services.add(attribute.value.string_value)
            for scope in resource.scope_spans:
                for span in scope.spans:
                    self.traces[span.name] = span.trace_id
        return trace_service_pb2.ExportTraceServiceResponse()


@pytest.fixture
async def collector() -> AsyncIterator[tuple[Collector, str]]:
    server, collector = grpc.aio.server(), Collector()
    trace_service_pb2_grpc.add_TraceServiceServicer_to_server(collector, server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    yield collector, f"http://127.0.0.1:{port}"
    await server.stop(None)


async def test_a_call_and_its_run_share_a_trace(
    tmp_path: Path,
    temporal_address: str,
    collector: tuple[Collector, str],
    http_service: HttpService,
) -> None:
    received, endpoint = collector
    config = CONFIG.replace("URL", f"{http_service.url}/pets/7")
    settings = Settings(
        state_directory=tmp_path,
        temporal_address=temporal_address,
        task_queue=f"tracing-{uuid.uuid4()}",
        grpc_address="127.0.0.1:0",
        otel_exporter_otlp_endpoint=endpoint,
    )
    async with opened(settings) as container:
        migrator = await container.migrator.async_()
        await migrator.migrate()
        server = await container.grpc_server()
        await container.worker()
        async with grpc.aio.insecure_channel(f"127.0.0.1:{server.port}") as channel:
            templates = template_pb2_grpc.TemplateServiceStub(channel)
            await templates.CreateTemplate(template_pb2.CreateTemplateRequest(config=config))
            executions = execution_pb2_grpc.ExecutionServiceStub(channel)
            started = await executions.StartExecution(
                execution_pb2.StartExecutionRequest(
                    template_name="traced", wait=Duration(seconds=PATIENCE_SECONDS)
                )
            )
            id = started.execution.id
            request = execution_pb2.ListExecutionLogsRequest(id=id)
            async with asyncio.timeout(PATIENCE_SECONDS):
                while len(logs := (await executions.ListExecutionLogs(request)).logs) < 5:  # noqa: ASYNC110 - no Event tells it
                    await asyncio.sleep(0.05)
    assert received.services == {"workflow-engine"}
    call = received.traces["api.execution.v1.ExecutionService/StartExecution"]
    run = received.traces["RunWorkflow:Definition"]
    assert call == run
    assert {line.trace_id for line in logs} == {call.hex()}
