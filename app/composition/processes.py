"""What runs processes and containers for definitions."""

import asyncio
from collections.abc import AsyncIterator

from dependency_injector import containers, providers

from app.composition.foundation import Foundation
from app.composition.kinds import Base, Part, seconds
from app.failure import Failure
from workflows.activities.processes.container_engine import ContainerEngine
from workflows.activities.processes.container_sweeper import ContainerSweeper
from workflows.activities.processes.policy import ProcessPolicy
from workflows.activities.processes.runner import ProcessLimits, ProcessRunner, user_problem

_settings = Foundation.settings.provided


async def open_process_runner(
    *, limits: ProcessLimits, user: str, at_once: int
) -> AsyncIterator[ProcessRunner]:
    """What runs programs for definitions; those that still run end with it."""
    if problem := user_problem(user):
        raise Failure(f"PROCESS_USER: {problem}")
    runner = ProcessRunner(limits=limits, user=user, at_once=at_once)
    sweeping = asyncio.create_task(runner.sweep(), name="the sweep of processes' folders")
    try:
        yield runner
    finally:
        sweeping.cancel()
        await asyncio.wait([sweeping])
        await runner.close()


async def run_container_sweeper(*, sweeper: ContainerSweeper, address: str) -> AsyncIterator[None]:
    """Runs it where there is a container engine."""
    if not address:
        yield
        return
    task = asyncio.create_task(sweeper.run(), name="the sweeper of containers")
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait([task])


class Processes(containers.DeclarativeContainer):
    """What runs processes and containers for definitions."""

    process_policy = providers.Singleton(
        ProcessPolicy,
        kinds=_settings.processes,
        namespaces=_settings.process_namespaces,
    )
    process_limits = providers.Factory(
        ProcessLimits,
        seconds=_settings.process_seconds,
        cpu_seconds=_settings.process_cpu_seconds,
        memory_mb=_settings.process_memory_mb,
        output_bytes=_settings.process_max_output_bytes,
    )
    process_runner = Base(
        open_process_runner,
        limits=process_limits,
        user=_settings.process_user,
        at_once=_settings.max_concurrent_processes,
    )
    container_engine = providers.Singleton(
        ContainerEngine,
        address=_settings.container_host,
        limits=process_limits,
        volumes=_settings.container_volumes,
    )
    container_sweeper = Part(
        run_container_sweeper,
        sweeper=providers.Singleton(
            ContainerSweeper,
            engine=container_engine,
            interval=seconds(_settings.container_sweep_seconds),
        ),
        address=_settings.container_host,
    )
