"""An event loop whose clock goes on only while all wait, and then at once."""

import asyncio
import math
import selectors
from collections.abc import Mapping
from typing import Any

_RESOLUTION = 1e-6
"""In seconds, as that of durations."""


class Stalled(Exception):
    """Nothing goes on any more: all wait for what doesn't come by itself."""


class VirtualLoop(asyncio.SelectorEventLoop):
    """Knows nothing of files, sockets and real time: nobody waits for its seconds to pass."""

    def __init__(self) -> None:
        self._now = 0.0
        super().__init__(_Pause(self))

    def time(self) -> float:
        """The seconds that have passed since the loop was made."""
        return self._now

    def skip(self, seconds: float) -> None:
        """Lets time pass.

        asyncio counts a timer as over from less than a resolution before its time on, so that one
        that adds nothing to a late time would never be over.
        """
        self._now += seconds
        self._clock_resolution = max(_RESOLUTION, math.ulp(self._now))


class _Pause(selectors.BaseSelector):
    """Where an event loop waits for files or for the next timer."""

    def __init__(self, loop: VirtualLoop) -> None:
        self._loop = loop
        self._keys: dict[Any, selectors.SelectorKey] = {}

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None:
            raise Stalled
        self._loop.skip(timeout)
        return []

    def register(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        key = selectors.SelectorKey(fileobj, -1, events, data)
        self._keys[fileobj] = key
        return key

    def unregister(self, fileobj: Any) -> selectors.SelectorKey:
        return self._keys.pop(fileobj)

    def get_map(self) -> Mapping[Any, selectors.SelectorKey]:
        return self._keys
