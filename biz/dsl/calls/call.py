"""What a run asks others to do for it: one dataclass a protocol, each in a file of its own.

A call is data: every expression in it is evaluated, and it is carried as JSON to where it is made.
A task makes one of what `frame.evaluate` gave for its properties, and has `frame.world.call` make
it. What reads `$secrets` isn't evaluated in the workflow: the activity does that, before the call
is checked and sent. So a task looks into no value that it puts into a call, and what it needs for
itself (a condition, a name, a time) it reads from `source.without_secrets()`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from datetime import timedelta
from typing import ClassVar

from biz.dsl.credentials import Credentials
from biz.dsl.deferral import NOTHING, Deferral


@dataclass(frozen=True, slots=True, kw_only=True)
class Call(ABC):
    """A call that is to be made.

    `idempotency_key` is the same for every attempt of this call, and of no other call. `KIND` is
    the name under which the kind of call is known where it is made; runs under way depend on it.
    `LONGEST` is how long one attempt may take, at the very most.
    `authentication` is the call's own, if any. `deferral` tells what the activity that makes the
    call evaluates first; null stands at its place.
    """

    KIND: ClassVar[str]
    LONGEST: ClassVar[timedelta] = timedelta(minutes=10)

    idempotency_key: str
    authentication: Credentials | None = None
    deferral: Deferral = NOTHING

    @property
    def is_complete(self) -> bool:
        """Whether nothing of it is left to the activity."""
        return not self.deferral.holes

    def check(self) -> None:
        """Raises TaskFault where a complete call can't be made.

        Asked wherever a call is made, in memory too: a definition faults alike everywhere.
        """
        if self.authentication is not None:
            self.authentication.require_valid()
        self.require_valid()

    @abstractmethod
    def require_valid(self) -> None:
        """Raises TaskFault where a value that an expression gave can't be sent."""
