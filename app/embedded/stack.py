"""All of it on one machine: Temporal and Envoy as children, server and worker in this process."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from app.container import open_background, open_part, opened
from app.embedded.child import Child
from app.embedded.envoy import envoy
from app.embedded.ports import Claim, check_free
from app.embedded.state_lock import locked_state
from app.embedded.temporal import temporal_server
from app.embedded.temporal_binary import find_temporal
from app.process import until_one_ends
from app.settings import Settings
from workflows.activities.processes.policy import ProcessKind

_HOST = "127.0.0.1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Stack:
    """A running stack: where it answers, and what it is made of."""

    settings: Settings
    tasks: tuple[asyncio.Task[None], ...]

    @property
    def http_url(self) -> str:
        """Where HTTP/JSON is served."""
        return f"http://localhost:{self.settings.http_port}"

    @property
    def grpc_address(self) -> str:
        """Where gRPC is served."""
        return self.settings.grpc_address

    async def until_failure(self) -> None:
        """Never returns; raises Failure when a part ends by itself."""
        await until_one_ends(*self.tasks)


@asynccontextmanager
async def embedded_stack(settings: Settings, *, say: Callable[[str], None]) -> AsyncIterator[Stack]:
    """Starts all of it, in order, and stops it in the opposite one.

    What `settings` leave open is on loopback and in the state directory. `say` is told what takes
    long. Raises Failure.
    """
    settings = on_loopback(settings)
    state = settings.state_directory.absolute()
    async with AsyncExitStack() as stack:
        stack.enter_context(locked_state(settings.state_directory))
        check_free(list(_claims(settings)))
        watched: list[asyncio.Task[None]] = []
        if embeds_temporal(settings):
            binary = await find_temporal(named=settings.temporal_binary, say=say)
            say("Starting Temporal")
            server = await stack.enter_async_context(
                temporal_server(
                    binary=binary,
                    port=settings.temporal_port,
                    ui_port=settings.temporal_ui_port,
                    namespace=settings.temporal_namespace,
                    database=state / "temporal.db",
                    log=state / "logs" / "temporal.log",
                )
            )
            watched.append(await stack.enter_async_context(_watched(server)))
        say("Starting server and worker")
        container = await stack.enter_async_context(opened(settings))
        migrator = await open_part(container.migrator.async_)
        await migrator.migrate()
        await container.temporal_answers()
        await open_part(container.metrics)
        await open_part(container.grpc_server)
        watched += [
            *await open_background(container),
            await open_part(container.worker),
            await open_part(container.fault_hooks),
        ]
        await open_part(container.container_sweeper)
        say("Starting Envoy")
        proxy = await stack.enter_async_context(
            envoy(
                listen=f"{_HOST}:{settings.http_port}",
                upstream=settings.grpc_address,
                log=state / "logs" / "envoy.log",
            )
        )
        watched.append(await stack.enter_async_context(_watched(proxy)))
        yield Stack(settings=settings, tasks=tuple(watched))


def embeds_temporal(settings: Settings) -> bool:
    """Whether `up` starts a Temporal of its own: the settings name none."""
    return "temporal_address" not in settings.model_fields_set


def on_loopback(settings: Settings) -> Settings:
    """The settings of an embedded stack: what they leave open isn't for the network."""
    ui_url = f"http://localhost:{settings.temporal_ui_port}" if embeds_temporal(settings) else ""
    return settings.with_defaults(
        grpc_address=f"{_HOST}:9000",
        metrics_address=f"{_HOST}:9464",
        temporal_ui_url=ui_url,
        log_format="text",
        processes=(ProcessKind.SHELL, ProcessKind.SCRIPT),
    )


def _claims(settings: Settings) -> Iterator[Claim]:
    yield Claim(part="Envoy", host=_HOST, port=settings.http_port, setting="HTTP_PORT")
    for part, address, setting in (
        ("the gRPC server", settings.grpc_address, "GRPC_ADDRESS"),
        ("the metrics", settings.metrics_address, "METRICS_ADDRESS"),
    ):
        host, _, port = address.rpartition(":")
        yield Claim(part=part, host=host, port=int(port), setting=setting)
    if embeds_temporal(settings):
        part = "the Temporal development server"
        yield Claim(part=part, host=_HOST, port=settings.temporal_port, setting="TEMPORAL_PORT")
        part = "Temporal's web interface"
        ui_port = settings.temporal_ui_port
        yield Claim(part=part, host=_HOST, port=ui_port, setting="TEMPORAL_UI_PORT")


@asynccontextmanager
async def _watched(child: Child) -> AsyncIterator[asyncio.Task[None]]:
    """A task that fails when the child ends."""

    async def watch() -> None:
        await child.wait()
        raise child.died()

    task = asyncio.create_task(watch(), name=child.name)
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.wait([task])
