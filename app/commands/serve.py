"""`serve` and `worker`: the two processes of a deployment."""

from functools import partial

import structlog

from app.container import open_background, open_part, opened
from app.logging import configure_logging
from app.process import run_until_signal, until_one_ends
from app.settings import Settings

_log = structlog.get_logger(__name__)


def serve(settings: Settings) -> None:
    """Serves gRPC and metrics, and reconciles, until a signal."""
    configure_logging(level=settings.log_level, format=settings.log_format)
    run_until_signal(_serve(settings), say=partial(_say_stopping, settings))


def work(settings: Settings) -> None:
    """Executes workflows, and tells hooks of faults, until a signal."""
    configure_logging(level=settings.log_level, format=settings.log_format)
    run_until_signal(_work(settings), say=partial(_say_stopping, settings))


async def _serve(settings: Settings) -> None:
    async with opened(settings) as container:
        await open_part(container.checked_database)
        await container.temporal_answers()
        await open_part(container.metrics)
        server = await open_part(container.grpc_server)
        _log.info("serving", grpc_port=server.port, metrics=settings.metrics_address)
        await until_one_ends(*await open_background(container))


async def _work(settings: Settings) -> None:
    async with opened(settings) as container:
        await open_part(container.checked_database)
        await container.temporal_answers()
        worker = await open_part(container.worker)
        await open_part(container.container_sweeper)
        _log.info("working", task_queue=settings.task_queue)
        await until_one_ends(worker, await open_part(container.fault_hooks))


def _say_stopping(settings: Settings) -> None:
    _log.info("stopping", drain_seconds=settings.drain_seconds)
