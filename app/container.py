"""The composition root: what everything is made of. No other layer knows the container."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import TypeVar

from app.composition.background import Background
from app.composition.calls import Calls
from app.composition.foundation import Foundation
from app.composition.hooks import Hooks
from app.composition.kinds import Base, Part
from app.composition.processes import Processes
from app.composition.serving import Serving
from app.composition.storage import Storage
from app.composition.temporal import Temporal
from app.composition.usecases import Usecases
from app.composition.working import Working
from app.settings import Settings


class Container(
    Foundation, Storage, Temporal, Usecases, Processes, Calls, Hooks, Working, Serving, Background
):
    """Made anew for each process, with its settings; tests override what they like.

    A part is opened by calling its provider, and with it all that it needs. Each subject's
    providers are in a module of their own in `app/composition`, with what opens them.
    """


@asynccontextmanager
async def opened(settings: Settings) -> AsyncIterator[Container]:
    """A container; what of it was opened in the block is closed after it."""
    container = Container(settings=settings)
    try:
        yield container
    finally:
        # Within a kind the container knows the order; but it only sees what a resource is given
        # directly, and not the database behind a server's use cases.
        for kind in (Part, Base):
            closing = container.shutdown_resources(kind)
            if closing is not None:
                await closing


_Part = TypeVar("_Part")


async def open_part(part: Callable[[], Awaitable[_Part]]) -> _Part:
    """What a container's provider opens, in a process that a signal may cancel.

    The container can't leave off half way: a cancellation ends this wait, and what was begun is
    opened nevertheless, then closed with the container.
    """
    return await asyncio.shield(part())


async def open_background(container: Container) -> Sequence[asyncio.Task[None]]:
    """What a server does besides answering, under way."""
    return (
        await open_part(container.reconciler),
        await open_part(container.event_sweeper),
        await open_part(container.retention_sweeper),
        await open_part(container.schedule_reconciler),
        await open_part(container.event_starts),
        await open_part(container.operation_runner),
        *await open_part(container.history_relay),
    )
