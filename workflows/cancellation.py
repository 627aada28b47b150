"""Tells what was cancelled from what failed."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

from temporalio.exceptions import ActivityError, CancelledError


@contextmanager
def cancellable() -> Iterator[None]:
    """Makes an activity that was cancelled with the run a cancellation, and no failure."""
    try:
        yield
    except ActivityError as error:
        if isinstance(error.cause, CancelledError):
            raise asyncio.CancelledError from error
        raise
