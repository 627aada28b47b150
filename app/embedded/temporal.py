"""The Temporal development server as a child of this process."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

from app.embedded.child import Child

_HOST = "127.0.0.1"
_START_LIMIT = timedelta(seconds=60)
_STOP_GRACE = timedelta(seconds=10)
_SERVICE = "temporal.api.workflowservice.v1.WorkflowService"


@asynccontextmanager
async def temporal_server(
    *,
    binary: Path,
    port: int,
    namespace: str,
    log: Path,
    ui_port: int | None = None,
    database: Path | None = None,
) -> AsyncIterator[Child]:
    """Runs a development server on loopback, ready when the block is entered.

    Without `database` its state ends with it; without `ui_port` it has no web interface.
    """
    command: list[str | Path] = [binary, "server", "start-dev", "--log-level", "warn"]
    # By default a timer may be a second late, so that timers are handled in batches.
    command += ["--dynamic-config-value", 'history.timerProcessorMaxTimeShift="10ms"']
    command += ["--ip", _HOST, "--port", str(port), "--namespace", namespace]
    command += ["--headless"] if ui_port is None else ["--ui-port", str(ui_port)]
    if database is not None:
        database.parent.mkdir(parents=True, exist_ok=True)
        # Safe when a process dies; a sync of the disk at every step would triple the time.
        pragmas = ["--sqlite-pragma", "journal_mode=wal", "--sqlite-pragma", "synchronous=normal"]
        command += ["--db-filename", database, *pragmas]
    child = Child.start(name="the Temporal development server", command=command, log=log)
    try:
        async with grpc.aio.insecure_channel(f"{_HOST}:{port}") as channel:
            health = health_pb2_grpc.HealthStub(channel)

            async def serves() -> bool:
                request = health_pb2.HealthCheckRequest(service=_SERVICE)
                try:
                    answer = await health.Check(request, timeout=1)
                except grpc.aio.AioRpcError:
                    return False
                return bool(answer.status == health_pb2.HealthCheckResponse.SERVING)

            await child.until(serves, within=_START_LIMIT)
        yield child
    finally:
        await child.stop(grace=_STOP_GRACE)
