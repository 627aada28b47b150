"""DSL reference, "Emit": an event on its way to all that listen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from biz.dsl.calls.call import Call
from biz.dsl.events.event import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class Emission(Call):
    """An event that is emitted. The task has checked it."""

    KIND: ClassVar[str] = "emit_event"

    event: Event

    def require_valid(self) -> None:
        """See Call."""
