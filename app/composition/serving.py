"""The gRPC server with its services, and the metrics."""

from collections.abc import AsyncIterator
from datetime import timedelta

from dependency_injector import containers, providers
from prometheus_client import CollectorRegistry, start_http_server

from api.admin.v1.admin_pb2_grpc import add_AdminServiceServicer_to_server
from api.execution.v1.execution_pb2_grpc import add_ExecutionServiceServicer_to_server
from api.template.v1.template_pb2_grpc import add_TemplateServiceServicer_to_server
from api.workflow.v1.workflow_pb2_grpc import add_WorkflowServiceServicer_to_server
from app.composition.foundation import Foundation
from app.composition.kinds import Base, Part, seconds
from app.composition.temporal import Temporal
from app.composition.usecases import Usecases
from app.failure import Failure
from biz.dry_run import DryRunUsecase
from biz.history.live import LiveHistory
from server.grpc_server import GrpcServer, ListenError, Service
from server.interceptors.standard import standard_chain
from server.live_metrics import live_metrics
from server.service.admin import AdminService
from server.service.execution import ExecutionService
from server.service.template import TemplateService
from server.service.workflow import WorkflowService
from workflows.dry_run_pool import DryRunPool

_settings = Foundation.settings.provided


async def serve_grpc(
    *, server: GrpcServer, grace: timedelta, live: LiveHistory
) -> AsyncIterator[GrpcServer]:
    """The server, listening; calls in flight get `grace` to end, but for those who only watch."""
    try:
        await server.start()
    except ListenError as error:
        raise Failure(f"GRPC_ADDRESS: {error}") from error
    try:
        yield server
    finally:
        await live.close()
        await server.stop(grace)


async def serve_metrics(
    *, address: str, registry: CollectorRegistry, live: LiveHistory
) -> AsyncIterator[None]:
    """Serves Prometheus what is in `registry`, on a thread of its own."""
    live_metrics(registry, live)
    host, _, port = address.rpartition(":")
    try:
        server, thread = start_http_server(int(port), host, registry)
    except OSError as error:
        raise Failure(f"METRICS_ADDRESS: can't listen on {address}: {error.strerror}") from error
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


async def open_dry_runs(*, cpu_seconds: int, memory_mb: int) -> AsyncIterator[DryRunPool]:
    """What does dry runs."""
    pool = DryRunPool(cpu_seconds=cpu_seconds, memory_mb=memory_mb)
    try:
        yield pool
    finally:
        pool.close()


class Serving(containers.DeclarativeContainer):
    """The gRPC server with its services, and the metrics."""

    dry_runs = providers.Singleton(
        DryRunUsecase,
        templates=Usecases.templates,
        runner=Base(
            open_dry_runs,
            cpu_seconds=_settings.dry_run_cpu_seconds,
            memory_mb=_settings.dry_run_memory_mb,
        ),
        clock=Foundation.clock,
    )
    template_service = providers.Singleton(
        TemplateService, templates=Usecases.templates, aliases=Usecases.template_aliases
    )
    execution_service = providers.Singleton(
        ExecutionService,
        executions=Usecases.executions,
        control=Usecases.execution_control,
        retries=Usecases.retries,
        history=Usecases.history,
        logs=Usecases.logs,
        events=Usecases.events,
        removal=Usecases.removal,
        operations=Usecases.operations,
        live=Usecases.live,
        statistics=Usecases.statistics,
        runs_url=Temporal.runs_url,
    )
    workflow_service = providers.Singleton(
        WorkflowService,
        workflows=Usecases.workflows,
        pictures=Usecases.pictures,
        dry_runs=dry_runs,
        schedules=Usecases.schedules,
        runs_url=Temporal.runs_url,
        clock=Foundation.clock,
    )
    admin_service = providers.Singleton(AdminService)
    services = providers.List(
        providers.Factory(
            Service,
            name="api.template.v1.TemplateService",
            add=add_TemplateServiceServicer_to_server,
            servicer=template_service,
        ),
        providers.Factory(
            Service,
            name="api.execution.v1.ExecutionService",
            add=add_ExecutionServiceServicer_to_server,
            servicer=execution_service,
        ),
        providers.Factory(
            Service,
            name="api.workflow.v1.WorkflowService",
            add=add_WorkflowServiceServicer_to_server,
            servicer=workflow_service,
        ),
        providers.Factory(
            Service,
            name="api.admin.v1.AdminService",
            add=add_AdminServiceServicer_to_server,
            servicer=admin_service,
        ),
    )
    grpc_server = Part(
        serve_grpc,
        server=providers.Singleton(
            GrpcServer,
            address=_settings.grpc_address,
            services=services,
            chain=providers.Singleton(
                standard_chain,
                registry=Foundation.metrics_registry,
                default_deadline=seconds(_settings.rpc_deadline_seconds),
                tracer_provider=Foundation.tracing,
            ),
        ),
        grace=seconds(_settings.drain_seconds),
        live=Usecases.live,
    )
    metrics = Part(
        serve_metrics,
        address=_settings.metrics_address,
        registry=Foundation.metrics_registry,
        live=Usecases.live,
    )
