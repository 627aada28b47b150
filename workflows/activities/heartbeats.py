"""Tells Temporal that an activity lives, so that a lost worker is found within seconds."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from temporalio import activity

_INTERVAL_SECONDS = 1.0


@asynccontextmanager
async def heartbeats() -> AsyncIterator[None]:
    """Sends heartbeats until its block is left."""
    beating = asyncio.create_task(_beat())
    try:
        yield
    finally:
        beating.cancel()


async def _beat() -> None:
    while True:
        activity.heartbeat()
        await asyncio.sleep(_INTERVAL_SECONDS)
